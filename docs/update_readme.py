"""Write a study's tables of results into README.md: `python docs/update_readme.py results/quickstart`."""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

from evaluation import arms
from evaluation.intervals import seed_interval
from prompts.harness.tables import MEASURES, design, named

README = Path(__file__).parent.parent / "README.md"


def interval(value: dict[str, float], digits: int = 3) -> str:
    """`0.108 [0.105, 0.111]`"""
    if value["low"] is None:
        return f"{value['value']:.{digits}f}"
    return f"{value['value']:.{digits}f} [{value['low']:.{digits}f}, {value['high']:.{digits}f}]"


def table(study: Path) -> str:
    """One row per language out of the scores files."""
    rows = [
        "| language | parameters (outside the embedding) | test stories | bits per character | character n-grams | xz "
        "| stories finished |",
        "|---|---|---|---|---|---|---|",
    ]
    for path in sorted(study.glob("scores/*/scores.json")):
        scores = json.loads(path.read_text(encoding="utf-8"))
        floors, parameters = scores["floors"], scores["parameters"]
        rows.append(
            f"| {path.parent.name} | {parameters['total']:,} ({parameters['non_embedding']:,}) | {scores['documents']} "
            f"| **{interval(scores['bits_per_character'])}** "
            f"| {interval(floors['character_ngram']['bits_per_character'])} "
            f"| {interval(floors['compressor']['bits_per_character'])} "
            f"| {scores['generation']['statistics']['finished']['value']:.0%} |"
        )
    return "\n".join(rows)


def katha_table(study: Path) -> str:
    """One row per language: Katha-72 under the model of that language."""
    rows = [
        "| language | bits per character | character n-grams | right ending of two | without the story "
        "| word frequency | right sentence of two |",
        "|---|---|---|---|---|---|---|",
    ]
    for path in sorted(study.glob("scores/*/scores.json")):
        found = json.loads(path.read_text(encoding="utf-8"))["katha72"]["languages"][path.parent.name]
        cloze, pairs = found["cloze"], found["minimal_pairs"]
        shares = (cloze["accuracy"], cloze["without_story"], cloze["unigram"], pairs["accuracy"])
        rows.append(
            f"| {path.parent.name} | {interval(found['bits_per_character'], 2)} "
            f"| {interval(found['character_ngram'], 2)} | {' | '.join(interval(share, 2) for share in shares)} |"
        )
    return "\n".join(rows)


def training_table(study: Path) -> str:
    """One row per size, one column per length of training: bits per character on validation, over seeds."""
    (path,) = study.glob("scaling/*/scaling.json")
    bits: dict[tuple[int, int, int], list[float]] = defaultdict(list)
    for run in json.loads(path.read_text(encoding="utf-8"))["runs"]:
        size = (run["parameters"], run["non_embedding_parameters"])
        bits[*size, run["tokens"]].append(run["bits_per_character"])
    lengths = sorted({length for *_, length in bits})
    rows = [
        "| parameters (outside the embedding) | " + " | ".join(f"{length:,} tokens" for length in lengths) + " |",
        "|---|" + "---|" * len(lengths),
    ]
    for total, outside in sorted({key[:2] for key in bits}):
        cells = [interval(seed_interval(bits[total, outside, length]).as_dict()) for length in lengths]
        rows.append(f"| {total:,} ({outside:,}) | {' | '.join(cells)} |")
    return "\n".join(rows)


def arms_table(study: Path) -> str:
    """One row per language and set of stories, one column per arm, and what each arm was trained on."""
    return arms.table(json.loads((study / "arms.json").read_text(encoding="utf-8")))


def tokenizers_tables(study: Path) -> str:
    """What to use, by corpus and language; bits per character less those of the reference; what predicts them; and the
    published vocabularies beside ours."""
    found: dict[tuple[str, str], dict] = {}
    for path in sorted(study.glob("*/comparisons/*/comparison.json")):
        found[path.parts[-4], path.parent.name] = json.loads(path.read_text(encoding="utf-8"))
    keys = sorted(found, key=lambda key: (key[0], ("hi", "mr", "bn").index(key[1])))
    by_name = {key: {entry["name"]: entry for entry in found[key]["tokenizers"]} for key in keys}
    lines = [f"- {place}: {found[place, code]['ranking']['sentence']}" for place, code in keys]
    lines += ["", "| tokenizer | " + " | ".join(f"{place}, {code}" for place, code in keys) + " |"]
    lines += ["|---|" + "---|" * len(keys)]
    probed = [name for name, entry in by_name[keys[0]].items() if "texts" in entry["probe"]]
    for name in sorted(probed, key=lambda name: probe_mean(by_name, name)):
        lines.append(f"| {name} | " + " | ".join(probe_cell(by_name[key].get(name)) for key in keys) + " |")
    lines += [
        "",
        "| what predicts bits per character | " + " | ".join(f"{place}, {code}" for place, code in keys) + " |",
    ]
    lines += ["|---|" + "---|" * len(keys)]
    correlations = {key: {row["measure"]: row["spearman"] for row in found[key]["prediction"]} for key in keys}
    for measure in dict.fromkeys(name for key in keys for name in correlations[key]):
        title = next(found[key]["definitions"][measure]["title"] for key in keys if measure in correlations[key])
        cells = [correlations[key].get(measure) for key in keys]
        lines.append(f"| {title} | " + " | ".join(interval(cell, 2) if cell else "–" for cell in cells) + " |")
    human = [key for key in keys if key[0] == "pratham"]
    shown = {
        "fertility_flores": "tokens per word",
        "akshara_splitting_rate_flores": "aksharas split",
        "parity_flores": "tokens for one of English",
        "boundary_f1_corrected": "morpheme F1 above chance",
        "round_trip_rate": "exact",
    }
    lines += [
        "",
        "| hi / mr / bn | vocabulary | " + " | ".join(shown.values()) + " |",
        "|---|---|" + "---|" * len(shown),
    ]
    names = [name for name in by_name[human[0]] if all(name in by_name[key] for key in human)]
    for name in sorted(names, key=lambda name: by_name[human[0]][name]["measures"]["fertility_flores"]["value"]):
        sizes = {f"{by_name[key][name]['vocabulary_size']:,}": None for key in human}
        cells = [measure_cell([by_name[key][name]["measures"][measure] for key in human], measure) for measure in shown]
        mark = "*" if by_name[human[0]][name]["published"] else ""
        lines.append(f"| {mark}{name}{mark} | {' / '.join(sizes)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def probe_mean(by_name: dict, name: str) -> float:
    """Mean bits per character over the comparisons that have the tokenizer."""
    values = [
        next(iter(entries[name]["probe"]["texts"].values()))["bits_per_character"]["value"]
        for entries in by_name.values()
        if "texts" in entries.get(name, {"probe": {}})["probe"]
    ]
    return sum(values) / len(values)


def probe_cell(entry: dict | None) -> str:
    """The difference to the reference with its interval, bold where it is proven less; the reference's own bits."""
    if not entry or "texts" not in entry["probe"]:
        return "–"
    text, scored = next(iter(entry["probe"]["texts"].items()))
    lossy = "" if entry["measures"]["round_trip_rate"]["value"] == 1 else " (lossy)"
    if entry["probe"]["difference"] is None:
        return f"{scored['bits_per_character']['value']:.3f}"
    difference = entry["probe"]["difference"][text]
    written = f"{difference['value']:+.3f} [{difference['low']:+.3f}, {difference['high']:+.3f}]".replace("-", "−")
    proven = difference["p_holm"] < 0.05 and difference["value"] < 0 and not lossy
    return (f"**{written}**" if proven else written) + lossy


def measure_cell(values: list[dict], measure: str) -> str:
    """`1.40 / 2.02 / 1.69`, shares in percent."""
    share = measure in ("akshara_splitting_rate_flores", "round_trip_rate")
    return " / ".join(f"{value['value']:.0%}" if share else f"{value['value']:.2f}" for value in values)


def prompts_tables(study: Path) -> str:
    """One table per finished part of a study of prompts that trains on English, and one per labels of all the others;
    all but the first folded away."""
    parts = json.loads((study / "prompts" / "results.json").read_text(encoding="utf-8"))["parts"]
    parts = [part for part in parts if not part["unfinished"]]
    from_english = [part for part in parts if part["source"] == "en" and any(row["learns"] for row in part["rows"])]
    tables = {part["title"]: prompts_table(part) for part in from_english}
    others: dict[str, list[dict]] = defaultdict(list)
    for part in parts:
        if part["source"] != "en":
            others[part["labels"]].append(part)
    tables |= {group[0]["title"]: own_table(group) for group in others.values()}
    first, *folded = tables.items()
    return "\n\n".join([first[1], *(fold(title, made) for title, made in folded)])


def fold(title: str, content: str) -> str:
    """Markdown that opens when its title is clicked."""
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"


def prompts_table(part: dict) -> str:
    """The measure of comparison per language and in the mean, and the paired difference from the best untrained prompt
    (from the first method that all are compared with, where there is none)."""
    measure = part["by"]
    against = part["best_untrained"] or part["against"][0]
    extra = [("accuracy_seen", "seen"), ("accuracy_unseen", "unseen"), ("ausuc", "area")] if part["splits"] else []
    titles = {row["method"]: row["title"] for row in part["rows"]}
    head = [
        part["title"] + (f", {MEASURES[measure].lower()}" if measure != "accuracy" else ""),
        *part["languages"],
        f"mean of {', '.join(part['mean_over'])}",
        *(f"{title}, mean" for _, title in extra),
        f"less {titles[against]}",
    ]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---|" * (len(head) - 1)]
    for row in sorted(part["rows"], key=lambda row: -(row["measures"][measure]["mean"]["value"] or 0)):
        found, differences = row["measures"][measure], row["differences"]
        cells = [f"{100 * found[code]['value']:.1f}" for code in part["languages"]]
        cells.append(percent(found["mean"]) + (" at chance" if row["at_chance"]["mean"] else ""))
        cells += [f"{100 * row['measures'][name]['mean']['value']:.1f}" for name, _ in extra]
        cells.append(points(differences[against]) if against in differences else "–")
        lines.append(f"| {named(row)} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"{design(part)} What needs no text reaches {100 * part['chance']['mean']:.1f}."])


def own_table(parts: list[dict]) -> str:
    """One row per method, one column per part and language; a dash behind what is at chance."""
    columns = [(part, code) for part in parts for code in part["languages"]]
    title = parts[0]["title"]
    heads = [", ".join(filter(None, [code, part["title"].removeprefix(title).strip(", ")])) for part, code in columns]
    lines = ["| " + " | ".join([title, *heads]) + " |"]
    lines.append("|---|" + "---|" * len(columns))
    rows = {(part["name"], row["method"]): row for part in parts for row in part["rows"]}
    for method in dict.fromkeys(method for _, method in rows):
        cells = []
        for part, code in columns:
            row = rows.get((part["name"], method))
            if row is None:
                cells.append("")
                continue
            found = row["measures"]["accuracy"][code]
            cells.append(percent(found) + (" –" if row["at_chance"][code] else ""))
        name = next(named(row) for (_, other), row in rows.items() if other == method)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    levels = dict.fromkeys(f"{100 * part['chance'][code]:.1f} ({code})" for part, code in columns)
    said = dict.fromkeys(design(part) for part in parts)
    return "\n".join([*lines, "", f"–: not above what needs no text, {', '.join(levels)}. {' '.join(said)}"])


def percent(value: dict[str, float]) -> str:
    """`68.8 [62.1, 75.0]` of a share."""
    return interval({name: 100 * of for name, of in value.items()}, 1)


def points(difference: dict[str, float]) -> str:
    """A difference of shares in points, bold where its interval leaves out zero."""
    written = "{value:+.1f} [{low:+.1f}, {high:+.1f}]".format(**{name: 100 * of for name, of in difference.items()})
    written = written.replace("-", "−")
    return f"**{written}**" if difference["low"] > 0 or difference["high"] < 0 else written


if __name__ == "__main__":
    study = Path(sys.argv[1])
    text = README.read_text(encoding="utf-8")
    if f"<!-- {study.name} -->" not in text:
        sys.exit(f"README.md has no place marked <!-- {study.name} -->")
    kinds = {
        "scaling": training_table,
        "arms.json": arms_table,
        "tokenizers.html": tokenizers_tables,
        "prompts": prompts_tables,
    }
    first = next((make for part, make in kinds.items() if (study / part).exists()), table)
    for name, make in {study.name: first, f"{study.name} katha72": katha_table}.items():
        mark = f"<!-- {name} -->"
        if mark in text:
            made = f"{mark}\n{make(study)}\n{mark}"
            text = re.sub(f"{mark}.*?{mark}", lambda _, made=made: made, text, flags=re.DOTALL)
            print(f"README.md has the table {name}.")
    README.write_text(text, encoding="utf-8")
