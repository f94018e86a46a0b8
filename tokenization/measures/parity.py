"""How many more tokens a language costs than English, on parallel text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tokenization.measures.definitions import Definition, Measured
from tokenization.opening.tokenizer import Tokenizer

PIVOT = "en"

DEFINITIONS = {
    "parity": Definition(
        "Parity with English",
        "tokens in the language / tokens in English, same sentences; paired bootstrap over sentences",
        "Petrov et al. 2023, Language Model Tokenizers Introduce Unfairness Between Languages",
        "lower",
        group="parity",
    ),
    "premium": Definition(
        "Premium over English",
        "parity − 1; paired bootstrap over sentences",
        "Petrov et al. 2023, Language Model Tokenizers Introduce Unfairness Between Languages",
        "lower",
        "percent",
        group="parity",
    ),
    "gini": Definition(
        "Gini across languages",
        "Σ|cᵢ − cⱼ| / (2 n² μ), c the tokens of each of n languages for the same sentences, English among them, μ "
        "their mean; paired bootstrap over sentences",
        "Gini 1912; over languages: Foroutan et al. 2025, Parity-Aware Byte-Pair Encoding",
        "lower",
        group="parity",
    ),
}


def measure_parity(
    tokenizer: Tokenizer, parallel: Mapping[str, Sequence[str]], resamples: int = 2000, seed: int = 0
) -> dict[str, dict[str, Measured]]:
    """For each language but English, every measure of `DEFINITIONS`; the Gini coefficient is the same for all of them.

    `parallel`: language -> sentences, the same in every language and in the same order, English among them (ValueError
    if not). Without sentences or tokens in English there is no value.
    """
    lengths = {len(sentences) for sentences in parallel.values()}
    if PIVOT not in parallel or len(lengths) != 1:
        raise ValueError(f"parallel text needs {PIVOT!r} and equally many sentences in each language, not {lengths}")
    languages = list(parallel)
    counts = np.array(
        [[len(one.ids) for one in tokenizer.encode_batch(parallel[name])] for name in languages], dtype=float
    )
    sentences, sums = lengths.pop(), counts.sum(axis=1)
    if not sums[languages.index(PIVOT)]:
        return {name: _all(None, None) for name in languages if name != PIVOT}
    draws = np.random.default_rng(seed).multinomial(sentences, np.full(sentences, 1 / sentences), size=resamples)
    resampled = draws @ counts.T
    resampled = resampled[resampled[:, languages.index(PIVOT)] > 0]
    spread = _interval(gini(sums), gini(resampled))
    found = {}
    for number, name in enumerate(languages):
        if name != PIVOT:
            pivot = languages.index(PIVOT)
            found[name] = _all(
                _interval(sums[number] / sums[pivot], resampled[:, number] / resampled[:, pivot]), spread
            )
    return found


def gini(values: np.ndarray) -> np.ndarray:
    """Gini coefficient over the last axis, whose mean is not 0."""
    differences = np.abs(values[..., :, None] - values[..., None, :]).sum(axis=(-1, -2))
    return differences / (2 * values.shape[-1] ** 2 * values.mean(axis=-1))


def _interval(value: float | np.ndarray, resampled: np.ndarray) -> Measured:
    low, high = np.quantile(resampled, [0.025, 0.975])
    return {"value": float(value), "low": float(low), "high": float(high)}


def _all(parity: Measured | None, spread: Measured | None) -> dict[str, Measured]:
    none: Measured = {"value": None, "low": None, "high": None}
    if parity is None or spread is None:
        return {"parity": none, "premium": none, "gini": none}
    return {
        "parity": parity,
        "premium": {key: value - 1 for key, value in parity.items() if value is not None},
        "gini": spread,
    }
