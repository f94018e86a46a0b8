"""Texts made ready for measuring: what no tokenizer changes is found once and shared by all of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import regex

_AKSHARA = regex.compile(r"\X")
_RUN = regex.compile(r"\S+")
# A run without the punctuation at its edges: joiners may end it (র্‍ in a list of letters), not begin it.
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}](?:\S*[\p{L}\p{M}\p{N}\u200c\u200d])?")


@dataclass(frozen=True)
class PreparedTexts:
    """Texts laid end to end, each followed by one place for its end; positions are code points of that row."""

    texts: tuple[str, ...]
    clusters: tuple[Hashable, ...] | None
    """Label of each text; texts of one label are resampled together (a story and its translation)."""
    offsets: np.ndarray
    """Position of each text's first code point, and behind the last text; shape (texts + 1,)."""
    characters: np.ndarray
    """Code points of each text, shape (texts,); so `bytes` (of UTF-8), `aksharas` and `runs`."""
    bytes: np.ndarray
    aksharas: np.ndarray
    runs: np.ndarray
    """Whitespace-separated words of each text: those of fertility."""
    words: np.ndarray
    """Words without the punctuation at their edges, of each text; a run of punctuation alone is none."""
    before: np.ndarray
    """Akshara starts before each position, shape (positions + 1,): whether a stretch holds one is a subtraction."""
    word_at: np.ndarray
    """Number of the word that each position lies in, or -1; shape (positions,)."""
    word_starts: np.ndarray
    """Position of each word's first code point, shape (words in all,)."""
    word_texts: np.ndarray
    """Number of the text that each word stands in, shape (words in all,)."""
    spaced: np.ndarray
    """Whether each word stands behind one U+0020 or at its text's beginning, where a tokenizer may set one."""

    def __len__(self) -> int:
        return len(self.texts)


def prepare(texts: Sequence[str], clusters: Sequence[Hashable] | None = None) -> PreparedTexts:
    """Find the words and aksharas of `texts`; empty texts and texts without words are as good as others."""
    if clusters is not None and len(clusters) != len(texts):
        raise ValueError(f"{len(texts)} texts but {len(clusters)} cluster labels")
    characters = np.array([len(text) for text in texts], dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(characters + 1)])
    aksharas = [_spans(_AKSHARA, text) for text in texts]
    words = [_spans(_WORD, text) for text in texts]
    begins = np.zeros(offsets[-1] + 1, dtype=np.int32)
    for offset, found in zip(offsets, aksharas, strict=False):
        begins[offset + found[:, 0] + 1] = 1
    counts = np.array([len(found) for found in words], dtype=np.int64)
    spans = np.concatenate([np.empty((0, 2), dtype=np.int64), *words])
    word_texts = np.repeat(np.arange(len(texts)), counts)
    spans += offsets[word_texts, None]
    word_at = np.full(offsets[-1], -1, dtype=np.int32)
    lengths = spans[:, 1] - spans[:, 0]
    word_at[np.repeat(spans[:, 0] - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())] = np.repeat(
        np.arange(len(spans)), lengths
    )
    row = np.frombuffer("\n".join([*texts, ""]).encode("utf-32-le"), dtype=np.uint32)
    return PreparedTexts(
        texts=tuple(texts),
        clusters=None if clusters is None else tuple(clusters),
        offsets=offsets,
        characters=characters,
        bytes=np.array([len(text.encode()) for text in texts], dtype=np.int64),
        aksharas=np.array([len(found) for found in aksharas], dtype=np.int64),
        runs=np.array([len(_RUN.findall(text)) for text in texts], dtype=np.int64),
        words=counts,
        before=np.cumsum(begins),
        word_at=word_at,
        word_starts=spans[:, 0],
        word_texts=word_texts,
        spaced=np.isin(spans[:, 0], offsets) | (row[spans[:, 0] - 1] == ord(" ")),
    )


def _spans(pattern: regex.Pattern[str], text: str) -> np.ndarray:
    """Where a pattern's matches begin and end, shape (matches, 2)."""
    return np.array([match.span() for match in pattern.finditer(text)], dtype=np.int64).reshape(-1, 2)
