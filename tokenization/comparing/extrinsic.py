"""What the probes say: bits per character and per akshara on every text, differences with their tests, and what the
trained models write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from corpora.stories import Story
from evaluation.intervals import crossed_interval, crossed_test, holm, proportion
from evaluation.overlap import TrainingIndex
from evaluation.text_statistics import equal_pools, measure, summarise
from evaluation.words import count_aksharas, words
from tokenization.probe.sizes import Size

if TYPE_CHECKING:
    from tokenization.probe.training import ProbeRun

Runs = Mapping[str, Sequence["ProbeRun"]]
"""Tokenizer -> one run per seed."""


def bits(runs: Sequence[ProbeRun], text: str) -> np.ndarray:
    """Bits of every story of a text, shape (seeds, stories)."""
    return np.array([run.nats[text] for run in runs]) / np.log(2)


def clusters(stories: Sequence[Story]) -> list[str]:
    """What is resampled together: stories of one group."""
    return [story.group or story.id for story in stories]


def summarise_runs(runs: Sequence[ProbeRun], size: Size, texts: Mapping[str, Sequence[Story]]) -> dict[str, Any]:
    """One tokenizer's probes in numbers; intervals are over stories and seeds together."""
    found: dict[str, Any] = {}
    for name, stories in texts.items():
        table, groups = bits(runs, name), clusters(stories)
        characters = np.array([len(story.text) for story in stories])
        aksharas = np.array([count_aksharas(story.text) for story in stories])
        found[name] = {
            "bits_per_character": crossed_interval(table, characters, clusters=groups).as_dict(),
            "bits_per_akshara": crossed_interval(table, aksharas, clusters=groups).as_dict(),
            "by_seed": (table.sum(axis=1) / characters.sum()).tolist(),
        }
    first = runs[0]
    return {
        "parameters": size.parameters,
        "embedding_parameters": size.embedding_parameters,
        "other_parameters": size.other_parameters,
        "feed_forward_width": size.feed_forward,
        "training_characters": first.characters,
        "training_tokens": first.tokens,
        "flops": first.operations,
        "steps": first.steps,
        "texts": found,
    }


def compare_with(runs: Runs, yardstick: str, text: str, stories: Sequence[Story]) -> dict[str, dict[str, float]]:
    """Every other tokenizer's bits per character less the yardstick's, paired by story and seed.

    `value`, `low`, `high` and `p` (see `crossed_test`), and `p_holm`, corrected for all of these comparisons.
    """
    characters = [len(story.text) for story in stories]
    base = bits(runs[yardstick], text)
    others = [name for name in runs if name != yardstick]
    tests = [crossed_test(bits(runs[name], text) - base, characters, clusters=clusters(stories)) for name in others]
    corrected = holm([test.p for test in tests])
    return {
        name: {**test.difference.as_dict(), "p": test.p, "p_holm": p}
        for name, test, p in zip(others, tests, corrected, strict=True)
    }


def judge_generation(runs: Runs, training: Sequence[Story]) -> dict[str, dict[str, Any]]:
    """Text statistics of the stories that the models of each tokenizer wrote, all seeds together.

    Beside those of `evaluation.text_statistics`, `finished`: the share that the model itself ended.
    """
    language = training[0].language
    index = TrainingIndex([words(story.text, story.language) for story in training])
    measured = {
        name: [measure(str(story["text"]), language, index) for run in done for story in run.stories]
        for name, done in runs.items()
    }
    if not all(measured.values()):
        return {}
    pool = equal_pools(*measured.values())
    found: dict[str, dict[str, Any]] = {}
    for name, stories in measured.items():
        ended = [float(bool(story["finished"])) for run in runs[name] for story in run.stories]
        statistics = {key: value.as_dict() for key, value in summarise(stories, pool_words=pool).items()}
        found[name] = {"finished": proportion(ended).as_dict(), **statistics}
    return found
