"""What every tokenizer looks like to the lab, wherever it comes from: texts in, ids with their places out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend


@dataclass(frozen=True)
class Encoded:
    """The tokens of one text, special tokens left out."""

    ids: np.ndarray
    """int32, shape (tokens,)."""
    starts: np.ndarray
    """Code point of the text as it was given in which each token begins; int32, shape (tokens,)."""
    ends: np.ndarray
    """Code point behind the last one that each token touches. A token that begins inside a code point shares it with
    the one before: its start is smaller than that one's end. A token for nothing in the text has start = end."""


@dataclass(frozen=True)
class Tokenizer(ABC):
    """A tokenizer of any make."""

    name: str
    kind: str
    """The trainer's name for ours, else the format: `bytelevel-bpe`, `bpe`, `unigram`, `wordpiece`, …"""
    vocabulary_size: int
    """One more than the largest id, special tokens included: the rows of an embedding."""
    byte_level: bool
    """Whether pieces may hold a part of a code point (beside the pieces of a byte fallback)."""
    fingerprint: str
    """SHA-256 of the artefact."""
    license: str = ""
    published: bool = False
    """Made by others."""
    unknown_id: int | None = None
    """Id that stands for text outside the vocabulary; none if there is no such id."""
    byte_ids: frozenset[int] = field(default_factory=frozenset, repr=False)
    """Ids of the byte fallback's pieces."""

    @abstractmethod
    def encode_batch(self, texts: Sequence[str]) -> list[Encoded]:
        """The tokens of each text."""

    @abstractmethod
    def decode(self, ids: Sequence[int]) -> str:
        """The text of these ids; special tokens that stand among them are left out."""

    @abstractmethod
    def pieces(self) -> list[bytes]:
        """The UTF-8 that each id stands for (its name, for a special token), a leading space included.

        The index is the id; empty where a vocabulary has no such id.
        """


@dataclass(frozen=True, kw_only=True)
class FastTokenizer(Tokenizer):
    """A tokenizer of Hugging Face's `tokenizers`: ours and most of the world's."""

    backend: Backend = field(repr=False)

    def encode_batch(self, texts: Sequence[str]) -> list[Encoded]:
        found = []
        for text, encoding in zip(texts, self.backend.encode_batch(list(texts), add_special_tokens=False), strict=True):
            ids = np.array(encoding.ids, dtype=np.int32)
            starts, ends = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2).T.copy()
            ends = np.where(self._prefixes(ids, starts), starts, ends)
            found.append(Encoded(ids, *self._bytes_in_place(text, ids, starts, ends)))
        return found

    def decode(self, ids: Sequence[int]) -> str:
        return self.backend.decode(list(ids), skip_special_tokens=True)

    def pieces(self) -> list[bytes]:
        from tokenization.opening.pieces import pieces_of

        return pieces_of(self.backend)

    @cached_property
    def _is_space(self) -> np.ndarray:
        """Whether each id is a piece of one space."""
        spaces = [number for name in ("▁", "Ġ") if (number := self.backend.token_to_id(name)) is not None]
        return self._among(spaces)

    @cached_property
    def _is_byte(self) -> np.ndarray:
        """Whether each id is a byte fallback's piece."""
        return self._among(self.byte_ids)

    def _among(self, ids: Iterable[int]) -> np.ndarray:
        table = np.zeros(self.vocabulary_size, dtype=bool)
        table[list(ids)] = True
        return table

    def _prefixes(self, ids: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Which tokens are a space that the tokenizer put before a text: `tokenizers` lends it the next one's place."""
        return self._is_space[ids] & (starts == np.append(starts[1:], -1))

    def _bytes_in_place(
        self, text: str, ids: np.ndarray, starts: np.ndarray, ends: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Starts and ends where Unigram's byte fallback gives every byte of several characters the span of them all."""
        several = self._is_byte[ids] & (ends - starts > 1)
        at = 0
        places = np.flatnonzero(several)
        while at < len(places):
            first = places[at]
            start, end = starts[first], ends[first]
            owners = np.repeat(np.arange(start, end), [len(letter.encode()) for letter in text[start:end]])
            run = slice(first, first + len(owners))
            if several[run].all() and (starts[run] == start).all() and (ends[run] == end).all():
                starts[run], ends[run] = owners, owners + 1
                at += len(owners)
            else:  # a normaliser stood between the text and its bytes
                at += 1
        return starts, ends
