"""The longest run of words that a story shares with any training story.

Runs of one length are found at once, as hashes of word n-grams that both sides have; then the length grows by one word,
and only what was shared goes on, until nothing is. So the result is exact up to the chance of two 64-bit hashes being
equal, and natural text, whose shared runs are short, costs little more than the first pass over the training stories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpora.building.processes import spread
from corpora.building.signatures import Signatures
from corpora.building.similarity import Collection

SHORTEST = 8
"""Words in the shortest run that is looked for."""
_BASE = np.uint64(0x9E3779B97F4A7C15)
_FEW = 1_000_000
"""Places left in the training stories, from which on one process goes on without files."""


@dataclass
class Runs:
    """For each held-out story, (stories,) of int64."""

    words: np.ndarray
    """Length of the longest run; 0 if it is below SHORTEST."""
    begin: np.ndarray
    """The first word of the run in the held-out story."""
    story: np.ndarray
    """Number of the first training story that has it; -1 for none."""


@dataclass
class Grams:
    """Word n-grams of one length in the words of some stories."""

    place: np.ndarray
    """Where each begins, ascending int32."""
    end: np.ndarray
    """Where its story ends, int32."""
    hashes: np.ndarray
    """Σ word[place + k] · base^k mod 2^64."""

    @classmethod
    def all(cls, words: np.ndarray, starts: np.ndarray, chosen: np.ndarray, length: int) -> Grams:
        """Those of the chosen stories."""
        counts = np.diff(starts)
        end = np.repeat(starts[1:], counts).astype(np.int32)
        place = np.flatnonzero((np.arange(len(words)) + length <= end) & np.repeat(chosen, counts)).astype(np.int32)
        hashes, numbers = np.zeros(len(place), np.uint64), _spread_out(words)
        for offset in range(length):
            hashes += numbers[place + offset] * _power(offset)
        return cls(place, end[place], hashes)

    def only(self, chosen: np.ndarray) -> Grams:
        """Some of them."""
        return Grams(self.place[chosen], self.end[chosen], self.hashes[chosen])

    def longer(self, words: np.ndarray, length: int) -> Grams:
        """Those of this length grown by a word, where the story goes on."""
        grown = self.only(self.place + length < self.end)
        grown.hashes += _spread_out(words[grown.place + length]) * _power(length)
        return grown

    def save(self, folder: Path, number: int) -> None:
        """Keep them until the next pass."""
        for name, array in vars(self).items():
            np.save(folder / f"{name}-{number}.npy", array)

    @classmethod
    def load(cls, folder: Path, number: int) -> Grams:
        """What `save` kept."""
        return cls(*(np.load(folder / f"{name}-{number}.npy") for name in ("place", "end", "hashes")))


@dataclass
class Table:
    """Distinct hashes, found by their highest bits."""

    keys: np.ndarray
    """The hashes times an odd number, sorted."""
    starts: np.ndarray
    """For each value of the highest bits, where the keys that have it begin; and where the last ones end."""

    @classmethod
    def of(cls, hashes: np.ndarray) -> tuple[Table, np.ndarray]:
        """A table, and the number of each hash in it."""
        keys, numbers = np.unique(hashes * _BASE, return_inverse=True)
        bits = max(4, len(keys).bit_length())
        counts = np.bincount((keys >> np.uint64(64 - bits)).astype(np.int64), minlength=1 << bits)
        return cls(keys, np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)), numbers

    def find(self, hashes: np.ndarray) -> np.ndarray:
        """The number of each hash, -1 for one that is not there."""
        keys = hashes * _BASE
        highest = (keys >> np.uint64(64 - (len(self.starts) - 1).bit_length() + 1)).astype(np.int64)
        number, end = self.starts[highest], self.starts[highest + 1]
        found = np.full(len(keys), -1, np.int32)
        rows = np.flatnonzero(number < end)
        number, end, keys = number[rows], end[rows], keys[rows]
        while len(rows):
            same = self.keys[number] == keys
            found[rows[same]] = number[same]
            more = ~same & (number + 1 < end)
            rows, number, end, keys = rows[more], number[more] + 1, end[more], keys[more]
        return found


def longest_runs(collection: Collection, training: np.ndarray, held: np.ndarray, scratch: Path, workers: int) -> Runs:
    """The longest run of words each held-out story shares with a training story.

    Args:
        collection: the signatures of both.
        training: whether a story is a training story, (stories,) of bool.
        held: numbers of the held-out stories.
        scratch: a folder for what is left between passes.
        workers: processes.
    """
    result = Runs(*(np.full(len(held), value, np.int64) for value in (0, 0, -1)))
    texts = [collection.words(story) for story in held.tolist()]
    starts = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    words = np.concatenate(texts) if texts else np.zeros(0, np.uint32)
    mine = Grams.all(words, starts, np.ones(len(held), bool), SHORTEST)
    bounds = zip(collection.offsets[:-1], collection.offsets[1:], strict=True)
    parts = [number for number, (begin, end) in enumerate(bounds) if training[begin:end].any()]
    few: dict[int, Grams] = {}
    length = SHORTEST
    while len(mine.place) and parts:
        table, which = Table.of(mine.hashes)
        story = np.full(len(table.keys), len(collection), np.int64)
        left = {}
        tasks = ((number, few.get(number)) for number in parts)
        first = (collection.parts, collection.offsets, training, table, length, scratch)
        for number, hits, stories, count, grams in spread(_pass, tasks, 1 if few else workers, first):
            story[hits] = np.minimum(story[hits], stories)
            left[number] = count
            if grams is not None:
                few[number] = grams
        shared = story[which] < len(collection)
        places = mine.place[shared]
        owner, at = np.unique(np.searchsorted(starts, places, side="right") - 1, return_index=True)
        result.words[owner] = length
        result.begin[owner] = places[at] - starts[owner]
        result.story[owner] = story[which][shared][at]
        mine = mine.only(shared).longer(words, length)
        parts = sorted(number for number, count in left.items() if count)
        if not few and sum(left.values()) <= _FEW:
            few = {number: Grams.load(scratch, number) for number in parts}
        length += 1
    return result


def _pass(
    parts: Sequence[Signatures],
    offsets: np.ndarray,
    training: np.ndarray,
    table: Table,
    length: int,
    scratch: Path,
    number: int,
    grams: Grams | None,
) -> tuple[int, np.ndarray, np.ndarray, int, Grams | None]:
    """Of one part: which n-grams of the table it has, the first story that has each, and the places that go on."""
    part, kept = parts[number], grams is not None
    starts, words = np.asarray(part.starts), np.asarray(part.words)
    if grams is None and length == SHORTEST:
        grams = Grams.all(words, starts, training[offsets[number] : offsets[number] + len(part)], length)
    elif grams is None:
        grams = Grams.load(scratch, number)
    found = table.find(grams.hashes)
    grams, found = grams.only(found >= 0), found[found >= 0]
    hits, place = _first(found, grams.place, len(table.keys))
    stories = np.searchsorted(starts, place, side="right") - 1 + offsets[number]
    grams = grams.longer(words, length)
    if not kept:
        grams.save(scratch, number)
    return number, hits, stories, len(grams.place), grams if kept else None


def _first(found: np.ndarray, place: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The different numbers below `size` in `found`, and the first place of each."""
    if 8 * len(found) < size:
        hits, at = np.unique(found, return_index=True)
        return hits, place[at]
    first = np.full(size, -1, np.int32)
    first[found[::-1]] = place[::-1]
    hits = np.flatnonzero(first >= 0)
    return hits, first[hits]


def _spread_out(words: np.ndarray) -> np.ndarray:
    """Word numbers as odd-looking 64-bit numbers."""
    numbers = (words.astype(np.uint64) + np.uint64(1)) * np.uint64(0xD6E8FEB86659FD93)
    return numbers ^ (numbers >> np.uint64(32))


def _power(exponent: int) -> np.uint64:
    return np.uint64(pow(int(_BASE), exponent, 2**64))
