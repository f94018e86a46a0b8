"""The tables of a comparison, the same for the page and the paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from evaluation.report import STATISTICS, bounds, significance, written
from tokenization.comparing.glossary import GROUPS, PROBE, glossary, head

WIDEST = 8
"""Measures in one table; a group of more is parted."""

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Column:
    """Head of a column; `definition` is its key in the glossary."""

    title: str
    definition: str = ""


@dataclass(frozen=True)
class Cell:
    """A number as it is read, what stands small beneath it, and the number that it is sorted by."""

    text: str
    under: str = ""
    order: float | None = None
    best: bool = False


@dataclass(frozen=True)
class Row:
    """One tokenizer; `instead` is the sentence that stands in place of its numbers."""

    name: str
    kind: str
    published: bool
    cells: list[Cell] = field(default_factory=list)
    instead: str = ""


@dataclass(frozen=True)
class Table:
    """One row per tokenizer."""

    title: str
    columns: list[Column]
    rows: list[Row]


def summary(comparison: Mapping[str, Any]) -> Table:
    """The probed tokenizers from the best on, with what a choice needs most."""
    ranking = comparison["ranking"]
    if not ranking:
        return Table("Ranked", [], [])
    entries = {entry["name"]: entry for entry in comparison["tokenizers"]}
    named = [name for name in ("fertility", "akshara_splitting_rate") if name in comparison["definitions"]]
    above = ranking.get("against_best", {})
    columns = [
        Column("Rank"),
        Column("Vocabulary", "vocabulary_size"),
        Column(f"Bits per character, {ranking['text']}", "bits_per_character"),
        *([Column("Above the best", "difference")] if above else []),
        *(Column(head(comparison["definitions"][name]["title"]), name) for name in named),
    ]
    rows = []
    for rank, name in enumerate(ranking["order"], start=1):
        entry = entries[name]
        bits = entry["probe"]["texts"][ranking["text"]]["bits_per_character"]
        tied = "" if name == ranking["best"] or name not in ranking["tied"] else "tied with the best"
        cells = [
            Cell(str(rank), tied, rank),
            _whole(entry["vocabulary_size"]),
            _measured(bits, "three", best=name == ranking["best"]),
            *([_difference(above.get(name))] if above else []),
            *(_measured(entry["measures"].get(key), comparison["definitions"][key]["style"]) for key in named),
        ]
        rows.append(_row(entry, cells))
    return Table("Ranked", columns, rows)


def verdict(comparison: Mapping[str, Any]) -> str:
    """Which tokenizer to use, in one sentence."""
    if not comparison["ranking"]:
        return "No tokenizer was probed, so none can be recommended."
    return str(comparison["ranking"]["sentence"])


def unranked(comparison: Mapping[str, Any]) -> list[str]:
    """Tokenizers that were probed but do not give the text back, so that their bits leave something out."""
    order = (comparison["ranking"] or {"order": []})["order"]
    probed = [entry["name"] for entry in comparison["tokenizers"] if "skipped" not in entry["probe"]]
    return [name for name in probed if name not in order]


def budget(comparison: Mapping[str, Any]) -> Table:
    """What each probe was given: parameters, text, tokens, compute."""
    keys = ("vocabulary_size", "parameters", "embedding_share", "training_characters", "training_tokens", "flops")

    def cells(entry: Mapping[str, Any]) -> list[Cell]:
        probe = entry["probe"]
        share = probe["embedding_parameters"] / probe["parameters"]
        flops = probe.get("flops")
        return [
            _whole(entry["vocabulary_size"]),
            _whole(probe["parameters"]),
            Cell(written(share, "percent"), order=share),
            _whole(probe["training_characters"]),
            _whole(probe["training_tokens"]),
            Cell("–" if flops is None else _power(flops), order=flops),
        ]

    return Table("What each was given", [Column(PROBE[key].title, key) for key in keys], _probed(comparison, cells))


def bits(comparison: Mapping[str, Any]) -> Table:
    """Bits per character and the difference to the reference on each text, then bits per akshara."""
    texts = _scored(comparison)
    columns = []
    for text in texts:
        columns.append(Column(f"Bits per character, {text}", "bits_per_character"))
        columns.append(Column(f"Difference, {text}", "difference"))
    columns += [Column(f"Bits per akshara, {text}", "bits_per_akshara") for text in texts]

    def cells(entry: Mapping[str, Any]) -> list[Cell]:
        found, aksharas = [], []
        for text in texts:
            scored = entry["probe"]["texts"].get(text, {})
            found.append(_measured(scored.get("bits_per_character"), "three"))
            if entry["probe"]["difference"] is None:
                found.append(Cell("reference", order=0.0))
            else:
                found.append(_difference(entry["probe"]["difference"].get(text)))
            aksharas.append(_measured(scored.get("bits_per_akshara"), "three"))
        return found + aksharas

    rows = _probed(comparison, cells)
    for at, column in enumerate(columns):
        if column.definition != "difference":
            rows = _mark_best(rows, at, "lower", among=(comparison["ranking"] or {"order": []})["order"])
    return Table("Bits", columns, rows)


def generation(comparison: Mapping[str, Any]) -> Table | None:
    """Text statistics of what the probes write; none if none wrote."""
    found = {name for entry in comparison["tokenizers"] for name in entry["probe"].get("generation") or {}}
    names = [name for name in STATISTICS if name in found] + sorted(found - set(STATISTICS))
    if not names:
        return None
    definitions = glossary([comparison])

    def cells(entry: Mapping[str, Any]) -> list[Cell]:
        written_by = entry["probe"].get("generation") or {}
        return [
            _measured(written_by.get(name), STATISTICS[name][1] if name in STATISTICS else "number") for name in names
        ]

    columns = [Column(definitions[name]["title"], name) for name in names]
    rows = [row for row in _probed(comparison, cells) if row.cells]
    return Table("Stories that the probes write", columns, rows)


def intrinsic(comparison: Mapping[str, Any]) -> list[Table]:
    """The tables of each group of measures; a measure that has no value for any tokenizer is left out."""
    definitions = comparison["definitions"]
    measured = {
        name
        for entry in comparison["tokenizers"]
        for name, found in entry["measures"].items()
        if found["value"] is not None
    }
    groups = [*GROUPS, *sorted({definition["group"] for definition in definitions.values()} - set(GROUPS))]
    tables = []
    for group in groups:
        names = [name for name in definitions if definitions[name]["group"] == group and name in measured]
        for kind, part in _parted(names, {name: definitions[name]["title"] for name in names}):
            rows = [
                _row(entry, [_measured(entry["measures"].get(name), definitions[name]["style"]) for name in part])
                for entry in comparison["tokenizers"]
            ]
            for at, name in enumerate(part):
                rows = _mark_best(rows, at, definitions[name]["better"])
            columns = [Column(head(definitions[name]["title"]).removesuffix(f": {kind}"), name) for name in part]
            tables.append(Table(f"{group.capitalize()}: {kind}" if kind else group.capitalize(), columns, rows))
    return tables


def _parted(names: Sequence[str], titles: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """The measures of one group in tables of at most `WIDEST`; those of `variant: what changes` go by the latter."""
    if len(names) <= WIDEST:
        return [("", list(names))] if names else []
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(titles[name].rpartition(": ")[2] if ": " in titles[name] else "", []).append(name)
    parts = []
    for kind, members in kinds.items():
        width = -(-len(members) // -(-len(members) // WIDEST))
        parts += [(kind, members[at : at + width]) for at in range(0, len(members), width)]
    return parts


def scripts(comparison: Mapping[str, Any]) -> Table | None:
    """How each vocabulary is shared out among scripts; none if that was not counted."""
    names = list(dict.fromkeys(name for entry in comparison["tokenizers"] for name in entry.get("scripts") or {}))
    if not names:
        return None
    rows = []
    for entry in comparison["tokenizers"]:
        counts = entry.get("scripts") or {}
        shares = {name: count / entry["vocabulary_size"] for name, count in counts.items()}
        cells = [
            Cell(written(counts[name], "whole"), written(shares[name], "percent"), counts[name])
            if name in counts
            else Cell("–")
            for name in names
        ]
        rows.append(_row(entry, cells))
    return Table("Pieces by script", [Column(name, "scripts") for name in names], rows)


def _scored(comparison: Mapping[str, Any]) -> list[str]:
    """Names of the texts that some probe was scored on, in the set-up's order."""
    found = {text for entry in comparison["tokenizers"] for text in entry["probe"].get("texts") or {}}
    order = [text["name"] for text in comparison["setup"]["texts"]]
    return [name for name in order if name in found] + sorted(found - set(order))


def _probed(comparison: Mapping[str, Any], cells: Callable[[Mapping[str, Any]], list[Cell]]) -> list[Row]:
    rows = []
    for entry in comparison["tokenizers"]:
        if "skipped" in entry["probe"]:
            rows.append(_row(entry, [], f"Not probed: {entry['probe']['skipped']}"))
        else:
            rows.append(_row(entry, cells(entry)))
    return rows


def _row(entry: Mapping[str, Any], cells: list[Cell], instead: str = "") -> Row:
    return Row(entry["name"], entry["kind"], bool(entry["published"]), cells, instead)


def _mark_best(rows: list[Row], at: int, better: str, among: Sequence[str] | None = None) -> list[Row]:
    """Marks the best value of a column (of these tokenizers) where one end is better and the values differ."""
    orders = [row.cells[at].order for row in rows if row.cells and (among is None or row.name in among)]
    values = [order for order in orders if order is not None]
    if not better or len(set(values)) < 2:
        return rows
    names = [row.name for row in rows] if among is None else among
    best = min(values) if better == "lower" else max(values)

    def marked(row: Row) -> Row:
        cells = list(row.cells)
        if row.name in names and cells and cells[at].order == best:
            cells[at] = replace(cells[at], best=True)
        return replace(row, cells=cells)

    return [marked(row) for row in rows]


def _measured(measured: Mapping[str, Any] | None, style: str, best: bool = False) -> Cell:
    if not measured or measured.get("value") is None:
        return Cell("–")
    return Cell(written(measured, style), bounds(measured, style), measured["value"], best)


def _difference(measured: Mapping[str, Any] | None) -> Cell:
    """A difference with its interval and its corrected p."""
    cell = _measured(measured, "signed")
    under = (cell.under, significance((measured or {}).get("p_holm")))
    return Cell(cell.text, "; ".join(part for part in under if part), cell.order)


def _whole(value: float) -> Cell:
    return Cell(written(value, "whole"), order=value)


def _power(value: float) -> str:
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits} · 10{str(int(exponent)).translate(_SUPERSCRIPT)}"
