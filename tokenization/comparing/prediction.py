"""Whether the measures of a tokenizer by itself predict what a model trained on it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.intervals import rank_correlation

LEAST = 5
"""Tokenizers below which a rank correlation is not worth printing."""


def predict(
    measures: Mapping[str, Mapping[str, Mapping[str, float | None]]], bits: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Spearman's ρ between each measure and bits per character, over the tokenizers that have both.

    `measures`: tokenizer -> measure -> value with interval. Sorted by |ρ|, largest first; intervals resample the
    tokenizers. Measures that do not vary are left out.
    """
    found = []
    for measure in dict.fromkeys(name for values in measures.values() for name in values):
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
