"""Many ratios on the same items with one set of bootstrap draws: what `bootstrap_ratio` gives for each, in one go."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from tokenization.measures.definitions import Measured, point

Ratio = tuple[np.ndarray, np.ndarray]
"""Numerators and denominators, one per item."""


def resample(ratios: Mapping[str, Ratio], clusters: Sequence[Hashable], resamples: int = 2000) -> dict[str, Measured]:
    """Sum of numerators / sum of denominators of each ratio, with its 95 % percentile bootstrap interval.

    `clusters`: one label per item; items of equal label are drawn together. All ratios share the draws, which are those
    of `evaluation.intervals.bootstrap_ratio`; the intervals equal its. A ratio without a positive denominator is None.
    """
    measured = {name: point(None) for name in ratios}
    names = [name for name, (_, bottom) in ratios.items() if len(bottom) and bottom.sum() > 1e-9]
    if not names:
        return measured
    numbers: dict[Hashable, int] = {}
    labels = np.array([numbers.setdefault(label, len(numbers)) for label in clusters])
    sums = np.array([[np.bincount(labels, weights=side) for side in ratios[name]] for name in names])
    drawn = np.einsum("rc,nsc->nsr", _times_drawn(len(numbers), resamples), sums, optimize=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.nanquantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975], axis=1)
    totals = sums.sum(axis=2)
    for number, name in enumerate(names):
        value = float(totals[number, 0] / totals[number, 1])
        measured[name] = {"value": value, "low": float(low[number]), "high": float(high[number])}
    return measured


@lru_cache(maxsize=4)
def _times_drawn(count: int, resamples: int) -> np.ndarray:
    """How often each of `count` clusters is drawn in each resample; float64, shape (resamples, count)."""
    draws = np.random.default_rng(0).integers(count, size=(resamples, count))
    draws += np.arange(resamples)[:, None] * count
    return np.bincount(draws.ravel(), minlength=resamples * count).reshape(resamples, count).astype(float)
