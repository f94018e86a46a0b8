"""How many more tokens a language costs than English, on parallel text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tokenization.measures.definitions import Definition, Measured, point
from tokenization.opening.tokenizer import Tokenizer

PIVOT = "en"

DEFINITIONS = {
    "parity": Definition(
        "Parity with English",
        "tokens in the language / tokens in English, same sentences (below 1 where English was not learnt and is spelt "
        "out); paired bootstrap over sentences",
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
    """For each language every measure of `DEFINITIONS`; the Gini coefficient is the same for all of them.

    `parallel`: language -> sentences, the same in every language and in the same order, English among them (ValueError
    if not). Without any token in English there is no value.
    """
    numbers = {len(sentences) for sentences in parallel.values()}
    if PIVOT not in parallel or len(numbers) != 1:
        raise ValueError(f"parallel text needs {PIVOT!r} and equally many sentences in each language, not {numbers}")
    counts = np.array(
        [[len(one.ids) for one in tokenizer.encode_batch(sentences)] for sentences in parallel.values()], dtype=float
    )
    sums, pivot = counts.sum(axis=1), list(parallel).index(PIVOT)
    if not sums[pivot]:
        return {language: {name: point(None) for name in DEFINITIONS} for language in parallel}
    sentences = counts.shape[1]
    draws = np.random.default_rng(seed).multinomial(sentences, np.full(sentences, 1 / sentences), size=resamples)
    resampled = draws @ counts.T
    resampled = resampled[resampled[:, pivot] > 0]
    spread = _interval(gini(sums), gini(resampled))
    found = {}
    for number, language in enumerate(parallel):
        value, values = sums[number] / sums[pivot], resampled[:, number] / resampled[:, pivot]
        found[language] = {
            "parity": _interval(value, values),
            "premium": _interval(value - 1, values - 1),
            "gini": spread,
        }
    return found


def gini(values: np.ndarray) -> np.ndarray:
    """Gini coefficient over the last axis, whose mean is not 0."""
    differences = np.abs(values[..., :, None] - values[..., None, :]).sum(axis=(-1, -2))
    return differences / (2 * values.shape[-1] ** 2 * values.mean(axis=-1))


def _interval(value: float | np.ndarray, resampled: np.ndarray) -> Measured:
    low, high = np.quantile(resampled, [0.025, 0.975])
    return {"value": float(value), "low": float(low), "high": float(high)}
