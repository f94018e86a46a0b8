"""The measures of the old comparison, document by document; `running_text` takes their place."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import regex

from evaluation.token_bytes import token_bytes

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

RENYI_ALPHA = 2.5

DEFINITIONS = {
    "fertility": "tokens per whitespace-separated word of running text",
    "characters_per_token": "Unicode code points per token",
    "bytes_per_token": "UTF-8 bytes per token",
    "akshara_splitting_rate": "share of the token boundaries inside a text that cut an akshara "
    "(extended grapheme cluster, \\X), cuts inside a code point included",
    "single_token_word_rate": "share of whitespace-separated words (with their punctuation) that no boundary cuts",
    "renyi_efficiency": "Rényi entropy (α = 2.5) of the tokens divided by log2 of the vocabulary size",
    "renyi_efficiency_observed": "the same divided by log2 of the number of different tokens seen",
    "round_trip_rate": "share of documents that decode(encode(text)) gives back exactly",
    "vocabulary_use": "share of the vocabulary, special tokens and byte pieces included, that the text uses",
}
"""One line for every measure; its keys are those of `measure`."""

Measured = dict[str, float | None]
"""`{"value", "low", "high"}`; low and high are None where there is no interval."""


@dataclass(frozen=True)
class DocumentCounts:
    """What the measures need of one document; special tokens are not counted."""

    ids: list[int]
    characters: int
    bytes: int
    words: int
    whole_words: int
    """Words with no token boundary inside."""
    boundaries: int
    """Token boundaries strictly inside the text."""
    boundaries_in_aksharas: int
    round_trips: bool


class Instrument:
    """Counts documents with one tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        self.pieces, self.prepends_space = token_bytes(tokenizer)

    def count(self, text: str) -> DocumentCounts:
        """Encode one document without special tokens and count what the measures need."""
        ids = self.tokenizer.encode(text, add_special_tokens=False)
        surface = b"".join(self.pieces[number] for number in ids)
        prefix = 1 if self.prepends_space and surface.startswith(b" ") else 0
        ends = np.cumsum([len(self.pieces[number]) for number in ids], dtype=np.int64)
        inside = ends[(ends > prefix) & (ends < len(surface))]
        characters = surface.decode("utf-8", errors="replace")
        clusters = np.cumsum([len(cluster.encode()) for cluster in regex.findall(r"\X", characters)], dtype=np.int64)
        words = [(match.start(), match.end()) for match in re.finditer(rb"[^\s]+", _plain_spaces(characters))]
        cuts = [np.searchsorted(inside, end, "left") - np.searchsorted(inside, start, "right") for start, end in words]
        return DocumentCounts(
            ids=ids,
            characters=len(text),
            bytes=len(text.encode()),
            words=len(words),
            whole_words=sum(cut == 0 for cut in cuts),
            boundaries=len(inside),
            boundaries_in_aksharas=int((~np.isin(inside, clusters)).sum()),
            round_trips=self.tokenizer.decode(ids) == text,
        )


def _plain_spaces(text: str) -> bytes:
    """UTF-8 of `text` with every whitespace character as that many ASCII spaces, so that byte positions hold."""
    return re.sub(r"\s", lambda match: " " * len(match[0].encode()), text).encode()


def measure(
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    clusters: Sequence[Hashable] | None = None,
    resamples: int = 2000,
) -> dict[str, Measured]:
    """Every measure of `DEFINITIONS` on whole documents, each `{"value", "low", "high"}` (95 % over documents).

    `clusters` ties documents that are resampled together. A ratio with an empty denominator (no boundary at all) is
    None. Rényi efficiency and vocabulary use have no interval: resampling documents loses rare tokens and biases both.
    """
    from evaluation.intervals import bootstrap_ratio

    instrument = Instrument(tokenizer)
    documents = [instrument.count(text) for text in texts]
    tokens = [len(document.ids) for document in documents]

    def ratio(numerators: list[int], denominators: list[int]) -> Measured:
        if not sum(denominators):
            return {"value": None, "low": None, "high": None}
        return dict(bootstrap_ratio(numerators, denominators, clusters=clusters, resamples=resamples).as_dict())

    counts = np.bincount([number for document in documents for number in document.ids], minlength=len(tokenizer))
    return {
        "fertility": ratio(tokens, [document.words for document in documents]),
        "characters_per_token": ratio([document.characters for document in documents], tokens),
        "bytes_per_token": ratio([document.bytes for document in documents], tokens),
        "akshara_splitting_rate": ratio(
            [document.boundaries_in_aksharas for document in documents], [document.boundaries for document in documents]
        ),
        "single_token_word_rate": ratio(
            [document.whole_words for document in documents], [document.words for document in documents]
        ),
        "renyi_efficiency": _point(renyi_efficiency(counts, len(tokenizer))),
        "renyi_efficiency_observed": _point(renyi_efficiency(counts, int((counts > 0).sum()))),
        "round_trip_rate": ratio([int(document.round_trips) for document in documents], [1] * len(documents)),
        "vocabulary_use": _point(float((counts > 0).mean())),
    }


def _point(value: float | None) -> Measured:
    return {"value": value, "low": None, "high": None}


def renyi_efficiency(counts: np.ndarray, vocabulary_size: int, alpha: float = RENYI_ALPHA) -> float | None:
    """H_α(p) / log2 V with H_α = log2(Σ p^α) / (1 − α), p the unigram distribution of the tokens (Zouhar et al. 2023).

    `counts`: occurrences of each id, shape (ids,). None where log2 V is 0 or there are no tokens.
    """
    if vocabulary_size < 2 or not counts.sum():
        return None
    p = counts[counts > 0] / counts.sum()
    return float(np.log2((p**alpha).sum()) / (1 - alpha) / np.log2(vocabulary_size))
