"""Accuracy and macro-F1 with bootstrap intervals, and whether they are above chance."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from evaluation.intervals import Interval, bootstrap_mean


def accuracy(gold: Sequence[str], predicted: Sequence[str], groups: Sequence[Hashable]) -> Interval:
    """Share of items whose prediction is their label, with the bootstrap over groups of items."""
    right = [float(a == b) for a, b in zip(gold, predicted, strict=True)]
    return bootstrap_mean(right, clusters=groups)


def macro_f1(
    gold: Sequence[str],
    predicted: Sequence[str],
    groups: Sequence[Hashable],
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Unweighted mean of the classes' F1 = 2·tp / (labelled + predicted), with the percentile bootstrap over groups.

    The classes are those that occur among the labels or the predictions, of the data or of the resample.
    """
    classes = sorted(set(gold) | set(predicted))
    is_gold = np.array([[label == item for label in classes] for item in gold], dtype=float)
    is_predicted = np.array([[label == item for label in classes] for item in predicted], dtype=float)
    numbers: dict[Hashable, int] = {}
    members = np.array([numbers.setdefault(group, len(numbers)) for group in groups])
    count = len(numbers)
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    weights = np.concatenate([np.ones((1, count)), draws])[:, members]
    both = weights @ (is_gold * is_predicted)
    either = weights @ (is_gold + is_predicted)
    with np.errstate(invalid="ignore"):
        values = np.nanmean(2 * both / either, axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(values[1:], [tail, 1 - tail])
    return Interval(float(values[0]), float(low), float(high))


def measures(gold: Sequence[str], predicted: Sequence[str], groups: Sequence[Hashable]) -> dict[str, Any]:
    """`accuracy` and `macro_f1` as they stand in a scores file."""
    return {
        "accuracy": accuracy(gold, predicted, groups).as_dict(),
        "macro_f1": macro_f1(gold, predicted, groups).as_dict(),
    }
