"""Where a tokenizer cuts words, counted against their morpheme boundaries at code points and between aksharas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import regex

from tokenization.measures.gold import Word
from tokenization.opening.tokenizer import Tokenizer

_AKSHARA = regex.compile(r"\X")

_CARRIER = "। "
"""Stands before a word so that it is encoded as in running text, whatever a tokenizer makes of a text's first space."""


@dataclass(frozen=True)
class Counts:
    """What the scores need of each word: float64 arrays of shape (words,)."""

    gold: np.ndarray
    """Morpheme boundaries."""
    places: np.ndarray
    """Places where a cut can hit: code points (aksharas) - 1."""
    cuts: np.ndarray
    """All cuts inside the word, those inside a code point included, as many as there are."""
    different: np.ndarray
    """Different places among them that are cut."""
    hits: np.ndarray
    """Morpheme boundaries that are cut."""

    @cached_property
    def chance(self) -> np.ndarray:
        """Expected hits of `different` random cuts: the share of places that is cut, for each boundary."""
        return self.gold * self.different / self.places

    def any_chance(self) -> np.ndarray:
        """Probability that `different` random cuts hit at least one boundary (hypergeometric)."""
        missed = np.ones(len(self.gold))
        for number in range(int(self.gold.max(initial=0))):
            left = np.clip(self.places - self.different - number, 0, None) / np.maximum(self.places - number, 1)
            missed *= np.where(number < self.gold, left, 1.0)
        return 1 - missed


@dataclass(frozen=True)
class Cuts:
    """Where a tokenizer cuts words, flat: `word[i]` is the word that `place[i]` belongs to."""

    words: Sequence[Word]
    word: np.ndarray
    """int, shape (cuts,)."""
    place: np.ndarray
    """Code points of the word before the cut; for a cut inside a code point those before that. int, shape (cuts,)."""
    inside: np.ndarray
    """Whether the cut lies inside a code point. bool, shape (cuts,)."""

    @classmethod
    def of(cls, tokenizer: Tokenizer, words: Sequence[Word], leading_space: bool = True) -> Cuts:
        """The cuts strictly inside each word."""
        carrier = _CARRIER if leading_space else ""
        encoded = tokenizer.encode_batch([carrier + word.word for word in words])
        if not encoded:
            empty = np.zeros(0, dtype=np.int64)
            return cls(words, empty, empty, empty.astype(bool))
        word = np.repeat(np.arange(len(words)), [max(len(tokens.ids) - 1, 0) for tokens in encoded])
        ends = np.concatenate([tokens.ends[:-1] for tokens in encoded]).astype(np.int64) - len(carrier)
        starts = np.concatenate([tokens.starts[1:] for tokens in encoded]).astype(np.int64) - len(carrier)
        inside = starts < ends
        place = np.where(inside, starts, ends)
        lengths = np.array([len(item.word) for item in words])[word]
        kept = np.where(inside, place >= 0, place > 0) & (place < lengths)
        return cls(words, word[kept], place[kept], inside[kept])

    @cached_property
    def _gold(self) -> tuple[np.ndarray, np.ndarray]:
        """Word and place of every morpheme boundary."""
        numbers = [number for number, word in enumerate(self.words) for _ in word.boundaries]
        places = [place for word in self.words for place in word.boundaries]
        return np.array(numbers, dtype=np.int64), np.array(places, dtype=np.int64)

    @cached_property
    def _aksharas(self) -> tuple[np.ndarray, np.ndarray]:
        """For each word its offset in a flat table, and that table: aksharas that end at or before each code point."""
        offsets = np.cumsum([0, *(len(word.word) + 1 for word in self.words)])
        ends = [
            offset + match.end()
            for word, offset in zip(self.words, offsets.tolist(), strict=False)
            for match in _AKSHARA.finditer(word.word)
        ]
        table = np.cumsum(np.bincount(np.array(ends, dtype=np.int64), minlength=offsets[-1]))
        table -= np.repeat(table[offsets[:-1]], np.diff(offsets))
        return offsets, table

    def by_code_point(self) -> Counts:
        """Counts at code points."""
        numbers, places = self._gold
        lengths = np.array([len(word.word) for word in self.words], dtype=np.int64)
        return self._count(numbers, places, self.place, ~self.inside, lengths - 1)

    def by_akshara(self) -> Counts:
        """Counts between aksharas with snapped gold; all zero for a word that has no boundary there."""
        offsets, table = self._aksharas
        numbers, places = self._gold
        snapped = np.unique(np.stack([numbers, table[offsets[numbers] + places]]), axis=1)
        snapped = snapped[:, snapped[1] > 0]
        at = offsets[self.word] + self.place
        between = ~self.inside & (table[at] > table[at - 1])
        lengths = table[offsets[1:] - 1]
        counts = self._count(snapped[0], snapped[1], table[at], between, lengths - 1)
        kept = counts.gold > 0
        return Counts(counts.gold, counts.places, counts.cuts * kept, counts.different * kept, counts.hits)

    @property
    def safe_gold(self) -> np.ndarray:
        """Morpheme boundaries of each word that lie between aksharas; float64, shape (words,)."""
        offsets, table = self._aksharas
        numbers, places = self._gold
        at = offsets[numbers] + places
        return np.bincount(numbers, weights=table[at] > table[at - 1], minlength=len(self.words))

    def _count(
        self, numbers: np.ndarray, places: np.ndarray, cut_places: np.ndarray, can_hit: np.ndarray, room: np.ndarray
    ) -> Counts:
        """Count gold boundaries (`numbers`, `places`) and cuts by word; only cuts that `can_hit` stand for a place."""
        count = len(self.words)
        width = int(max(room.max(initial=0), 0)) + 2
        different = np.unique(self.word[can_hit] * width + cut_places[can_hit])
        gold = numbers * width + places
        return Counts(
            gold=np.bincount(numbers, minlength=count).astype(float),
            places=np.maximum(room, 1).astype(float),
            cuts=np.bincount(self.word, minlength=count).astype(float),
            different=np.bincount(different // width, minlength=count).astype(float),
            hits=np.bincount(numbers, weights=np.isin(gold, different), minlength=count),
        )
