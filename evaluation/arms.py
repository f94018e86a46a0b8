"""Models trained on different corpora, compared on the same held-out stories."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.folders import write_json
from corpora.languages import get_language
from evaluation.intervals import Interval, bootstrap_ratio, paired_difference

_BITS = 1.4426950408889634
"""Bits in a nat."""
_SETS = {"held_out": "documents.jsonl", "katha72": "katha72.jsonl"}


def compare_arms(
    folder: str | os.PathLike[str], arms: Sequence[str], languages: Sequence[str], output: str | os.PathLike[str]
) -> str:
    """Bits per character of every arm and the paired differences, from `FOLDER/ARM/scores/LANGUAGE`; returns a table.

    Intervals are 95 % bootstrap over stories; a difference resamples the stories that both models were measured on.
    Writes JSON: language -> set -> `bits_per_character` by arm, and `differences` (`a - b`; below 0, a is better).
    """
    found: dict[str, Any] = {}
    for language in languages:
        found[language] = {}
        for name, file in _SETS.items():
            costs = {arm: _costs(Path(folder) / arm / "scores" / language / file) for arm in arms}
            if len({tuple(stories) for stories in costs.values()}) > 1:
                raise UserError(f"the arms were measured on different {name} stories in {language}; score them again.")
            found[language][name] = _summary(costs)
    write_json(output, found)
    return table(found, arms)


def table(found: dict[str, Any], arms: Sequence[str]) -> str:
    """One row for each language and set, in Markdown."""
    lines = [f"| language | measured on | {' | '.join(arms)} |", "|---|---|" + "---|" * len(arms)]
    for language, sets in found.items():
        for name, one in sets.items():
            values = [Interval(**one["bits_per_character"][arm]) for arm in arms]
            cells = [f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]" for value in values]
            what = "Katha-72" if name == "katha72" else f"{one['stories']} held-out stories"
            lines.append(f"| {get_language(language).name} | {what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _costs(file: Path) -> dict[str, tuple[float, int]]:
    """Story -> bits, characters."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    texts = [row for row in rows if row.get("task", "text") == "text"]
    return {row["id"]: (row["nats"] * _BITS, row["characters"]) for row in texts}


def _summary(costs: dict[str, dict[str, tuple[float, int]]]) -> dict[str, Any]:
    bits = {arm: [cost for cost, _ in stories.values()] for arm, stories in costs.items()}
    characters = [size for _, size in next(iter(costs.values())).values()]
    return {
        "stories": len(characters),
        "bits_per_character": {arm: bootstrap_ratio(one, characters).as_dict() for arm, one in bits.items()},
        "differences": {
            f"{a} - {b}": paired_difference(bits[a], bits[b], characters).as_dict() for a, b in combinations(bits, 2)
        },
    }
