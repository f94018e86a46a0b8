"""The tables and sentences of a study's results, for the page and for Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpora.languages import LANGUAGES
from evaluation.report import bounds, significance, written

MEASURES = {
    "accuracy": "Accuracy",
    "macro_f1": "Macro-F1",
    "accuracy_seen": "Seen classes",
    "accuracy_unseen": "Unseen classes",
    "harmonic_mean": "Harmonic mean",
    "ausuc": "Area under the seen–unseen curve",
}


@dataclass(frozen=True)
class Cell:
    """One number as written."""

    value: str
    bounds: str = ""
    """Of its 95 % interval."""
    note: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells under columns; every row begins with a name."""

    title: str
    first: str
    columns: list[str]
    rows: list[tuple[str, list[Cell]]]
    note: str = ""


def language_name(code: str) -> str:
    """The English name of a language."""
    return LANGUAGES[code].name


def listed(names: Sequence[str]) -> str:
    """`A, B and C`."""
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + "".join(names[-1:])


def mean_name(part: Mapping[str, Any]) -> str:
    """What the mean of a part is over, in words."""
    names = [language_name(code) for code in part["mean_over"]]
    return names[0] if len(names) == 1 else f"Mean of {listed(names)}"


def tables(part: Mapping[str, Any]) -> list[Table]:
    """The tables of a part that has rows: what was measured, then differences."""
    if not part["rows"]:
        return []
    found = _generalized(part) if part["splits"] else [_by_language(part)]
    return [*found, *([_differences(part)] if part["against"] else [])]


def sentences(part: Mapping[str, Any]) -> list[str]:
    """What a part shows, in words: the best method, what is at chance, what is not done."""
    said = []
    rows = {row["method"]: row for row in part["rows"]}
    by, titles = part["by"], {method: row["title"] for method, row in rows.items()}
    ranked = sorted(
        (row for row in rows.values() if not row["control"]),
        key=lambda row: -(row["measures"][by]["mean"]["value"] or 0),
    )
    if ranked:
        best = ranked[0]
        said.append(
            f"The highest {MEASURES[by].lower()} is that of {best['title']}: "
            f"{_value(best['measures'][by]['mean'])} ({mean_name(part).replace('Mean of', 'mean of')})."
        )
    reference = part["best_untrained"]
    if reference is not None:
        others = [row for row in ranked if row["learns"] and reference in row["differences"]]
        above = [row["title"] for row in others if row["differences"][reference]["low"] > 0]
        below = [row["title"] for row in others if row["differences"][reference]["high"] < 0]
        said.append(
            f"Of the methods that learn, {listed(above) or 'none'} {'is' if len(above) < 2 else 'are'} above the best "
            f"untrained prompt ({titles[reference]}, {_value(rows[reference]['measures'][by]['mean'])}) with an "
            "interval that leaves out zero"
            + (f"; {listed(below)} {'is' if len(below) < 2 else 'are'} below it." if below else ".")
        )
    at_chance = [row["title"] for row in rows.values() if row["at_chance"]["mean"]]
    level = f"{100 * part['chance']['mean']:.1f}\u202f%"
    if at_chance:
        said.append(f"Not above what needs no text ({level}): {listed(at_chance)}.")
    elif rows:
        said.append(f"Every method is above what needs no text ({level}).")
    for code in part["languages"]:
        weak = [row["title"] for row in rows.values() if row["at_chance"][code] and not row["at_chance"]["mean"]]
        if weak:
            said.append(
                f"In {language_name(code)} alone, {listed(weak)} {'is' if len(weak) < 2 else 'are'} not above it."
            )
    if part["unfinished"]:
        counts = [f"{name} ({of['done']} of {of['runs']} runs)" for name, of in part["unfinished"].items()]
        said.append(f"Not finished, and so left out: {listed(counts)}.")
    return said


def design(part: Mapping[str, Any]) -> str:
    """How a part was run, in one sentence."""
    learned = any(row["learns"] for row in part["rows"])
    seeds = f" × {part['seeds']} seeds" if part["seeds"] > 1 else ""
    what = f"{len(part['classes'])} classes"
    if part["splits"]:
        seen = len(part["splits"][0])
        what += (
            f", of which {seen} are trained on and {len(part['classes']) - seen} are not, {len(part['splits'])} choices"
        )
    counts = [part["items"][code] for code in part["languages"]]
    names = [language_name(code) for code in part["languages"]]
    items = (
        f"{counts[0]} texts in {'each of ' if len(names) > 1 else ''}{listed(names)}"
        if len(set(counts)) == 1
        else listed([f"{count} texts in {name}" for count, name in zip(counts, names, strict=True)])
    )
    chosen = f" that {part['selection']} untrained is unsure of and that differ" if part["selection"] else ""
    drawn = (
        f" Trained methods learn from {part['k']} {language_name(part['source'])} texts of each class{chosen}, "
        f"{part['draws']} {'draw' if part['draws'] == 1 else 'draws'}{seeds}."
        if learned
        else ""
    )
    return f"{what}; evaluated on {items}.{drawn}"


def _by_language(part: Mapping[str, Any]) -> Table:
    columns = [*(language_name(code) for code in part["languages"]), mean_name(part), "Macro-F1"]
    rows = []
    for row in part["rows"]:
        accuracy = row["measures"]["accuracy"]
        cells = [
            _cell(accuracy[code], note="at chance" if row["at_chance"][code] else "") for code in part["languages"]
        ]
        mean = _cell(accuracy["mean"], note="at chance" if row["at_chance"]["mean"] else "", strong=True)
        rows.append((named(row), [*cells, mean, _cell(row["measures"]["macro_f1"]["mean"])]))
    return Table(
        "Accuracy", "Method", columns, rows, "Macro-F1 is of the same mean. 95 % intervals are over items and draws."
    )


def _generalized(part: Mapping[str, Any]) -> list[Table]:
    shown = ["accuracy_seen", "accuracy_unseen", "harmonic_mean", "ausuc", "macro_f1"]
    over, by_language = [], []
    for row in part["rows"]:
        measures = row["measures"]
        over.append((named(row), [_cell(measures[name]["mean"], strong=name == part["by"]) for name in shown]))
        by_language.append((named(row), [_cell(measures[part["by"]][code]) for code in part["languages"]]))
    note = "Every item is classified among all classes. " + mean_name(part) + "."
    tables_found = [Table("Seen and unseen classes", "Method", [MEASURES[name] for name in shown], over, note)]
    if len(part["languages"]) > 1:
        names = [language_name(code) for code in part["languages"]]
        tables_found.append(Table(f"{MEASURES[part['by']]} by language", "Method", names, by_language))
    return tables_found


def _differences(part: Mapping[str, Any]) -> Table:
    titles = {row["method"]: row["title"] for row in part["rows"]}
    rows = []
    for row in part["rows"]:
        cells = []
        for reference in part["against"]:
            found = row["differences"].get(reference)
            if found is None:
                cells.append(Cell("–"))
                continue
            points = {key: None if found[key] is None else 100 * found[key] for key in ("value", "low", "high")}
            clear = found["low"] > 0 or found["high"] < 0
            cells.append(Cell(_signed(points["value"]), _signed_bounds(points), significance(found["p_holm"]), clear))
        rows.append((named(row), cells))
    against = [f"against {titles[reference]}" for reference in part["against"]]
    title = f"Differences in {MEASURES[part['by']].lower()}, in points"
    note = f"{mean_name(part)}; paired over items and draws; p corrected within a column (Holm), intervals not." + (
        f" The best untrained prompt is {titles[part['best_untrained']]}." if part["best_untrained"] else ""
    )
    return Table(title, "Method", against, rows, note)


def named(row: Mapping[str, Any]) -> str:
    """A method's title, with what keeps it from being compared with the others."""
    marks = [mark for mark in ("control", "transductive") if row[mark]]
    return f"{row['title']} ({', '.join(marks)})" if marks else str(row["title"])


def _cell(interval: Mapping[str, Any], note: str = "", strong: bool = False) -> Cell:
    return Cell(written(interval, "percent"), bounds(interval, "percent"), note, strong)


def _value(interval: Mapping[str, Any]) -> str:
    return f"{written(interval, 'percent')} [{bounds(interval, 'percent')}]"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 1) + 0.0:+.1f}".replace("-", "−")


def _signed_bounds(points: Mapping[str, float | None]) -> str:
    return f"{_signed(points['low'])} to {_signed(points['high'])}"


def left_out(results: Mapping[str, Any]) -> dict[str, str]:
    """Methods and parts without results, with the reasons."""
    methods = {results["methods"][method]["title"]: reason for method, reason in results["skipped"].items()}
    return methods | {f"part {name}": reason for name, reason in results["absent"].items()}


def markdown(results: Mapping[str, Any]) -> str:
    """The results as GitHub's Markdown."""
    lines = [f"# {results['title']}", ""]
    for part in results["parts"]:
        lines += [f"## {part['title']}", "", f"{design(part)} {part['note']}", "", *_bullets(sentences(part)), ""]
        for table in tables(part):
            lines += [f"### {table.title}", "", *_markdown_table(table), "", *([table.note, ""] if table.note else [])]
    for name, reason in left_out(results).items():
        lines += [f"Left out: {name}. {reason}", ""]
    return "\n".join(lines).rstrip() + "\n"


def _bullets(said: Sequence[str]) -> list[str]:
    return [f"- {sentence}" for sentence in said]


def _markdown_table(table: Table) -> list[str]:
    def cell(value: Cell) -> str:
        text = f"**{value.value}**" if value.strong else value.value
        extra = "; ".join(filter(None, [value.bounds, value.note]))
        return f"{text} ({extra})" if extra else text

    head = [table.first, *table.columns]
    rows = [[name, *map(cell, cells)] for name, cells in table.rows]
    return [_line(head), _line(["---", *["---:"] * len(table.columns)]), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"
