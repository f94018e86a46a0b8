"""What every tokenizer looks like to the lab, wherever it comes from: texts in, ids with their places out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    """Number of ids, special tokens included."""
    byte_level: bool
    """Whether pieces may hold a part of a code point (beside the pieces of a byte fallback)."""
    fingerprint: str
    """SHA-256 of the artefact."""
    license: str = ""
    published: bool = False
    """Made by others."""
    unknown_id: int | None = None
    """Id that stands for text outside the vocabulary; none if there is no such id."""
    byte_ids: frozenset[int] = field(default_factory=frozenset)
    """Ids of the byte fallback's pieces."""

    @abstractmethod
    def encode_batch(self, texts: Sequence[str]) -> list[Encoded]:
        """The tokens of each text."""

    @abstractmethod
    def decode(self, ids: Sequence[int]) -> str:
        """The text of these ids; special tokens that stand among them are left out."""

    @abstractmethod
    def pieces(self) -> list[bytes]:
        """The UTF-8 that each id stands for (its name, for a special token), a leading space included."""


@dataclass(frozen=True, kw_only=True)
class FastTokenizer(Tokenizer):
    """A tokenizer of Hugging Face's `tokenizers`: ours and most of the world's."""

    backend: Backend

    def encode_batch(self, texts: Sequence[str]) -> list[Encoded]:
        found = []
        for encoding in self.backend.encode_batch(list(texts), add_special_tokens=False):
            spans = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
            found.append(Encoded(np.array(encoding.ids, dtype=np.int32), spans[:, 0], spans[:, 1]))
        return found

    def decode(self, ids: Sequence[int]) -> str:
        return self.backend.decode(list(ids), skip_special_tokens=True)

    def pieces(self) -> list[bytes]:
        from evaluation.token_bytes import piece_bytes

        return piece_bytes(self.backend)[0]
