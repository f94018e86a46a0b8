"""The bootstrap of `evaluation.intervals` for many ratios over the same items at once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from tokenization.measures.definitions import Measured

_DRAWS_AT_ONCE = 4_000_000


def bootstrap_ratios(
    ratios: Mapping[str, tuple[np.ndarray, np.ndarray]],
    clusters: Sequence[Hashable] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Measured]:
    """Sum of numerators / sum of denominators of each ratio, with the 95 % percentile bootstrap over items.

    `ratios`: name -> (numerators, denominators), one number per item, shape (items,). Every ratio is taken on the same
    draws, which are those of `bootstrap_ratio` with the same seed. A ratio whose denominators sum to 0 has no value.
    """
    names = list(ratios)
    table = np.array([column for name in names for column in ratios[name]], dtype=np.float64)
    if clusters is not None:
        numbers: dict[Hashable, int] = {}
        labels = np.array([numbers.setdefault(label, len(numbers)) for label in clusters], dtype=np.int64)
        table = np.array([np.bincount(labels, weights=column) for column in table])
    count = table.shape[1]
    if not count:
        return {name: {"value": None, "low": None, "high": None} for name in names}
    generator = np.random.default_rng(seed)
    sums = []
    for start in range(0, resamples, chunk := max(1, _DRAWS_AT_ONCE // count)):
        draws = generator.integers(count, size=(min(chunk, resamples - start), count))
        rows = np.arange(len(draws))[:, None] * count
        drawn = np.bincount((draws + rows).ravel(), minlength=draws.size).reshape(draws.shape)
        sums.append(drawn @ table.T)
    resampled = np.concatenate(sums)
    found: dict[str, Measured] = {}
    for number, name in enumerate(names):
        top, bottom = resampled[:, 2 * number], resampled[:, 2 * number + 1]
        whole = table[2 * number : 2 * number + 2].sum(axis=1)
        if not whole[1] > 1e-9:
            found[name] = {"value": None, "low": None, "high": None}
            continue
        low, high = np.quantile(top[bottom > 0] / bottom[bottom > 0], [0.025, 0.975])
        found[name] = {"value": float(whole[0] / whole[1]), "low": float(low), "high": float(high)}
    return found
