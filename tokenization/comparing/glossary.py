"""What every column of the comparison means, and how its head is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.report import STATISTICS
from tokenization.measures.definitions import Definition

GROUPS = ("running text", "vocabulary", "parity", "entropy", "morphology", "robustness", "speed")
"""Of measures, in the order of the tables."""

PROBE = {
    "vocabulary_size": Definition(
        "Vocabulary", "number of ids, special tokens and byte pieces included", style="whole", group="probe"
    ),
    "parameters": Definition(
        "Parameters", "weights of the probe, the embedding (tied) included", style="whole", group="probe"
    ),
    "embedding_share": Definition(
        "Embedding share", "weights of the embedding / all weights of the probe", style="percent", group="probe"
    ),
    "training_characters": Definition(
        "Characters seen", "code points of the training text, times passes over it", style="whole", group="probe"
    ),
    "training_tokens": Definition(
        "Tokens seen", "tokens that the probe was trained on, over all passes", style="whole", group="probe"
    ),
    "flops": Definition("FLOPs", "floating-point operations of one training of the probe", group="probe"),
    "bits_per_character": Definition(
        "Bits per character",
        "Σ loss in nats / (ln 2 · code points of the text as it stands), the end of each text included; "
        "mean over seeds, interval over documents and seeds",
        better="lower",
        group="probe",
    ),
    "bits_per_akshara": Definition(
        "Bits per akshara",
        "the same bits / extended grapheme clusters (\\X) of the text",
        better="lower",
        group="probe",
    ),
    "difference": Definition(
        "Difference to the reference",
        "bits per character less those of the reference on the same documents and seeds (paired bootstrap); "
        "p after Holm's correction over the tokenizers of the text; below zero the tokenizer is better",
        source="S. Holm, A simple sequentially rejective multiple test procedure, 1979",
        better="lower",
        group="probe",
    ),
    "spearman": Definition(
        "Rank correlation",
        "Spearman's ρ of the measure and bits per character over the tokenizers that were probed; near ±1 the measure "
        "orders them as the probe does, near 0 it says nothing",
        group="probe",
    ),
    "scripts": Definition(
        "Pieces by script",
        "ids whose piece holds letters of that script; bytes: parts of a character; none: no letter; "
        "beneath: share of the vocabulary",
        group="vocabulary",
    ),
}
"""What the probe's columns are; the measures' own definitions stand in the comparison."""


def glossary(comparisons: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Every definition that a table's head links to, by measure."""
    found = {name: vars(definition) for name, definition in PROBE.items()}
    for comparison in comparisons:
        for entry in comparison["tokenizers"]:
            for name in entry["probe"].get("generation") or {}:
                title = STATISTICS[name][0] if name in STATISTICS else name
                formula = "text statistic of the stories that the probe writes, mean over them"
                found.setdefault(name, vars(Definition(title, formula, group="generation")))
    for comparison in comparisons:
        found |= comparison["definitions"]
    return found


def capital(title: str) -> str:
    """A title as it begins a line."""
    return title[:1].upper() + title[1:]


def head(title: str) -> str:
    """A title as it heads a column or a row of a figure: without what it explains in parentheses."""
    return capital(re.sub(r" \([^)]*\)", "", title))
