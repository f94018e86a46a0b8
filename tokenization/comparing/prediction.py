"""Whether the measures of a tokenizer by itself predict what a model trained on it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.intervals import rank_correlation

LEAST = 6
"""Tokenizers below which a rank correlation is not worth printing."""

PREDICTORS = (
    "fertility",
    "single_token_word_rate",
    "akshara_splitting_rate",
    "vocabulary_use",
    "renyi_efficiency",
    "renyi_efficiency_observed",
    "shannon_efficiency",
    "parity_katha72",
    "boundary_f1",
    "boundary_f1_corrected",
    "morphscore_v1",
    "typing_noise_recut",
)
"""The measures that are proposed as predictors; those left out are another one upside down or with another constant."""


def predict(
    measures: Mapping[str, Mapping[str, Mapping[str, float | None]]], bits: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Spearman's ρ between each of `PREDICTORS` and bits per character, over the tokenizers that have both.

    `measures`: tokenizer -> measure -> value with interval. Sorted by |ρ|, largest first; intervals resample the
    tokenizers. Measures that do not vary are left out.
    """
    found = []
    for measure in PREDICTORS:
        pairs = [
            (values[measure]["value"], bits[name])
            for name, values in measures.items()
            if name in bits and measure in values and values[measure]["value"] is not None
        ]
        if len(pairs) < LEAST or len({value for value, _ in pairs}) < 2:
            continue
        rho = rank_correlation(*zip(*pairs, strict=True))
        found.append({"measure": measure, "spearman": rho.as_dict(), "tokenizers": len(pairs)})
    return sorted(found, key=lambda row: -abs(row["spearman"]["value"]))
