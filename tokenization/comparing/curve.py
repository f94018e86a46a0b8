"""Bits per character against the size of the vocabulary when the parameters are fixed: embedding or blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

RESAMPLES = 2000
EDGE = 1.02
"""An optimum within this ratio of the smallest or largest size tried is called one at the edge."""


def vocabulary_curve(
    kind: str,
    sizes: Mapping[str, int],
    shares: Mapping[str, float],
    intervals: Mapping[str, Mapping[str, float]],
    bits: Mapping[str, np.ndarray],
    characters: Sequence[int],
    groups: Sequence[str],
    seed: int = 0,
) -> dict[str, Any] | None:
    """The points of one kind of tokenizer and the size where a parabola in log2 V is lowest.

    Args:
        sizes: tokenizer -> number of ids.
        shares: tokenizer -> share of the parameters in the embedding table.
        intervals: tokenizer -> bits per character.
        bits: tokenizer -> bits of every story, shape (seeds, stories).
        characters: of every story.
        groups: of every story; those of one are resampled together, and so are the seeds.

    None for fewer than three sizes. The optimum's interval is the percentile bootstrap over groups and seeds, the
    parabola fitted anew each time; it is held inside the sizes that were tried.
    """
    names = sorted(sizes, key=lambda name: sizes[name])
    if len({sizes[name] for name in names}) < 3:
        return None
    x = np.log2([sizes[name] for name in names])
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    labels = np.array([numbers[group] for group in groups])
    table = np.array([[np.bincount(labels, weights=row) for row in bits[name]] for name in names])
    lengths = np.bincount(labels, weights=characters)
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(RESAMPLES):
        drawn = generator.integers(len(lengths), size=len(lengths))
        seeds = generator.integers(table.shape[1], size=table.shape[1])
        found.append(_lowest(x, table[:, seeds][:, :, drawn].sum(axis=2).mean(axis=1) / lengths[drawn].sum()))
    value = _lowest(x, table.sum(axis=2).mean(axis=1) / lengths.sum())
    low, high = np.quantile(found, [0.025, 0.975])
    optimum = {"value": float(2**value), "low": float(2**low), "high": float(2**high)}
    return {
        "kind": kind,
        "points": [
            {
                "name": name,
                "vocabulary_size": sizes[name],
                "embedding_share": shares[name],
                "bits_per_character": dict(intervals[name]),
            }
            for name in names
        ],
        "optimum": {"vocabulary_size": optimum, "sentence": _sentence(optimum, 2 ** x[0], 2 ** x[-1])},
    }


def _lowest(x: np.ndarray, y: np.ndarray) -> float:
    """Where the parabola through the points is lowest between the first and the last."""
    bend, slope, _ = np.polyfit(x - x.mean(), y, 2)
    if bend <= 0:
        return float(x[np.argmin(y)])
    return float(np.clip(x.mean() - slope / (2 * bend), x[0], x[-1]))


def _sentence(optimum: Mapping[str, float], smallest: float, largest: float) -> str:
    value, low, high = (round(optimum[key]) for key in ("value", "low", "high"))
    if value <= smallest * EDGE:
        return f"Fewest bits at the smallest vocabulary tried ({round(smallest):,}); the optimum may lie below."
    if value * EDGE >= largest:
        return f"Fewest bits at the largest vocabulary tried ({round(largest):,}); the optimum may lie above."
    cut = " or fewer" if low <= smallest * EDGE else " or more" if high * EDGE >= largest else ""
    return f"Fewest bits at about {value:,} ids [{low:,}, {high:,}{cut}]."
