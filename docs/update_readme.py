"""Write a study's tables of results into README.md: `python docs/update_readme.py results/quickstart`."""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

from evaluation import arms
from evaluation.intervals import seed_interval

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


if __name__ == "__main__":
    study = Path(sys.argv[1])
    text = README.read_text(encoding="utf-8")
    if f"<!-- {study.name} -->" not in text:
        sys.exit(f"README.md has no place marked <!-- {study.name} -->")
    kinds = {"scaling": training_table, "arms.json": arms_table}
    first = next((make for part, make in kinds.items() if (study / part).exists()), table)
    for name, make in {study.name: first, f"{study.name} katha72": katha_table}.items():
        mark = f"<!-- {name} -->"
        if mark in text:
            made = f"{mark}\n{make(study)}\n{mark}"
            text = re.sub(f"{mark}.*?{mark}", lambda _, made=made: made, text, flags=re.DOTALL)
            print(f"README.md has the table {name}.")
    README.write_text(text, encoding="utf-8")
