"""Models trained on different corpora, compared on the same held-out stories."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from corpora.errors import UserError
from corpora.folders import read_manifest, write_json
from corpora.languages import get_language
from evaluation.intervals import Interval, crossed_interval

_BITS = 1.4426950408889634
"""Bits in a nat."""
_SETS = {"held_out": "documents.jsonl", "katha72": "katha72.jsonl"}


def compare_arms(
    folder: str | os.PathLike[str],
    arms: Sequence[str],
    languages: Sequence[str],
    seeds: Sequence[int],
    output: str | os.PathLike[str],
) -> str:
    """Bits per character of every arm and the paired differences; returns a table.

    Reads `FOLDER/ARM/scores/LANGUAGE-SEED`. Values are means over seeds, intervals 95 % over stories and seeds (see
    `crossed_interval`); a difference pairs the models of one seed, story by story. Writes JSON: language -> set ->
    `bits_per_character` by arm, `by_seed`, and `differences` (`a - b`; below 0, a is better); and under `trained_on`
    what every arm's models were given.
    """
    found: dict[str, Any] = {}
    for language in languages:
        found[language] = {"trained_on": {arm: _given(Path(folder) / arm, language, seeds[0]) for arm in arms}}
        for name, file in _SETS.items():
            costs = {
                arm: [_costs(Path(folder) / arm / "scores" / f"{language}-{seed}" / file) for seed in seeds]
                for arm in arms
            }
            if len({tuple(stories) for runs in costs.values() for stories in runs}) > 1:
                raise UserError(f"the arms were measured on different {name} stories in {language}; score them again.")
            found[language][name] = _summary(costs)
    write_json(output, found)
    return table(found)


def table(found: dict[str, Any]) -> str:
    """One row for each language and set, and what the models were given, in Markdown."""
    arms = list(next(iter(found.values()))["trained_on"])
    lines = [f"| language | measured on | {' | '.join(arms)} |", "|---|---|" + "---|" * len(arms)]
    for language, sets in found.items():
        name = get_language(language).name
        given = [sets["trained_on"][arm] for arm in arms]
        cells = [f"{one['stories']:,} stories, {one['characters']:,} characters" for one in given]
        lines.append(f"| {name} | (trained on) | {' | '.join(cells)} |")
        for key in _SETS:
            one = sets[key]
            values = [Interval(**one["bits_per_character"][arm]) for arm in arms]
            cells = [f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]" for value in values]
            what = "Katha-72" if key == "katha72" else f"{one['stories']} held-out stories"
            lines.append(f"| {name} | {what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _given(arm: Path, language: str, seed: int) -> dict[str, int]:
    text = read_manifest(arm / "corpus", "corpus")["statistics"][language]["train"]
    run = read_manifest(arm / "runs" / f"{language}-{seed}", "run")
    return {
        "stories": text["stories"],
        "characters": text["characters"],
        "parameters": run["parameters"],
        "tokens_seen": run["tokens"],
    }


def _costs(file: Path) -> dict[str, tuple[float, int]]:
    """Story -> bits, characters."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    texts = [row for row in rows if row.get("task", "text") == "text"]
    return {row["id"]: (row["nats"] * _BITS, row["characters"]) for row in texts}


def _summary(costs: dict[str, list[dict[str, tuple[float, int]]]]) -> dict[str, Any]:
    bits = {arm: np.array([[cost for cost, _ in run.values()] for run in runs]) for arm, runs in costs.items()}
    characters = np.array([size for _, size in next(iter(costs.values()))[0].values()])
    return {
        "stories": len(characters),
        "bits_per_character": {arm: crossed_interval(one, characters).as_dict() for arm, one in bits.items()},
        "by_seed": {arm: (one.sum(axis=1) / characters.sum()).tolist() for arm, one in bits.items()},
        "differences": {
            f"{a} - {b}": crossed_interval(bits[a] - bits[b], characters).as_dict() for a, b in combinations(bits, 2)
        },
    }
