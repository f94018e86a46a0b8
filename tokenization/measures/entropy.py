"""Rényi efficiency: how evenly a text uses the ids of a tokenizer."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from tokenization.measures.definitions import Definition, Measured, point

SOURCE = "Zouhar et al. 2023, Tokenization and the Noiseless Channel"
_NAMES = {
    2.5: "renyi_efficiency",
    1: "shannon_efficiency",
    2: "renyi_efficiency_alpha_2",
    3: "renyi_efficiency_alpha_3",
}


def _define(alpha: float, observed: bool) -> Definition:
    entropy = "Shannon" if alpha == 1 else f"Rényi α {alpha}"
    return Definition(
        f"{entropy} efficiency" + (", ids seen" if observed else ""),
        ("−Σ p log2 p" if alpha == 1 else f"log2(Σ p^{alpha}) / (1 − {alpha})")
        + (
            " / log2(ids seen), p the share of each id among the tokens; no interval, for resampling loses rare ids"
            if observed
            else " / log2(vocabulary size), p the share of each id among the tokens; interval by the infinitesimal "
            "jackknife over texts, since resampled texts repeat and so look less even than they are"
        ),
        SOURCE,
        group="entropy",
    )


DEFINITIONS = {
    name + suffix: _define(alpha, bool(suffix)) for alpha, name in _NAMES.items() for suffix in ("", "_observed")
}


def renyi_entropy(counts: np.ndarray, alpha: float) -> float:
    """H_α in bits: log2(Σ p^α) / (1 − α), and its limit −Σ p log2 p for α = 1. `counts`: shape (ids,), not all 0."""
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log2(p)).sum() if alpha == 1 else np.log2((p**alpha).sum()) / (1 - alpha))


def measure_efficiency(
    ids: np.ndarray, texts: np.ndarray, vocabulary_size: int, clusters: Sequence[Hashable] | None = None
) -> dict[str, Measured]:
    """The measures of `DEFINITIONS`; none has a value where there are no tokens or log2 of the denominator is 0.

    `ids`: all tokens, shape (tokens,); `texts`: number of the text that each stands in. The interval is ± 1.96 standard
    errors of the infinitesimal jackknife: the root of the sum over texts (or `clusters` of them) of each one's squared
    influence, times n / (n − 1) for n texts (Efron 1982, The Jackknife, the Bootstrap and Other Resampling Plans, ch.
    6).
    """
    if not len(ids):
        return {name: point(None) for name in DEFINITIONS}
    counts = np.bincount(ids, minlength=vocabulary_size)
    owners = texts
    if clusters is not None:
        numbers: dict[Hashable, int] = {}
        owners = np.array([numbers.setdefault(label, len(numbers)) for label in clusters], dtype=np.int64)[texts]
    seen = int((counts > 0).sum())
    found: dict[str, Measured] = {}
    for alpha, name in _NAMES.items():
        entropy = renyi_entropy(counts, alpha)
        error = _standard_error(ids, owners, counts, alpha)
        found[name] = point(None)
        if vocabulary_size > 1:
            value, half = entropy / np.log2(vocabulary_size), 1.959964 * error / np.log2(vocabulary_size)
            found[name] = {"value": float(value), "low": float(value - half), "high": float(value + half)}
        found[f"{name}_observed"] = point(entropy / float(np.log2(seen)) if seen > 1 else None)
    return found


def _standard_error(ids: np.ndarray, owners: np.ndarray, counts: np.ndarray, alpha: float) -> float:
    """Of H_α, over the owners of the tokens: each one's influence is the derivative of H_α by its weight."""
    total = counts.sum()
    p = counts / total
    if alpha == 1:
        gradient = -np.log2(p, where=p > 0, out=np.zeros(len(p)))
    else:
        gradient = alpha / (1 - alpha) / np.log(2) * p ** (alpha - 1) / (p**alpha).sum()
    gradient = gradient - (p * gradient).sum()
    influence = np.bincount(owners, weights=gradient[ids]) / total
    present = np.count_nonzero(np.bincount(owners))
    return float(np.sqrt((influence**2).sum() * present / (present - 1))) if present > 1 else 0.0
