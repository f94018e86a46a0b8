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

from corpora.processes import spread
from corpora.signatures import Signatures
from corpora.similarity import Collection

SHORTEST = 5
"""Words in the shortest run that is looked for."""
_BASE = np.uint64(0x9E3779B97F4A7C15)
_FEW = 1_000_000
"""Places left in the training stories, from which on one process goes on without files."""

State = tuple[np.ndarray, np.ndarray]
"""Places in the words of a part, and the hash of the n-gram that begins there."""


@dataclass
class Runs:
    """For each held-out story, (stories,) of int64."""

    words: np.ndarray
    """Length of the longest run; 0 if it is below SHORTEST."""
    begin: np.ndarray
    """The first word of the run in the held-out story."""
    story: np.ndarray
    """Number of the first training story that has it; -1 for none."""


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
    mine = _begin(words, starts, np.ones(len(held), bool), SHORTEST)
    bounds = zip(collection.offsets[:-1], collection.offsets[1:], strict=True)
    parts = [number for number, (begin, end) in enumerate(bounds) if training[begin:end].any()]
    few: dict[int, State] = {}
    length = SHORTEST
    while len(mine[0]) and parts:
        table, which = np.unique(mine[1], return_inverse=True)
        story = np.full(len(table), len(collection), np.int64)
        left = {}
        tasks = ((number, few.get(number)) for number in parts)
        first = (collection.parts, collection.offsets, training, table, _bitmap(table), length, scratch)
        for number, hits, stories, count, state in spread(_pass, tasks, 1 if few else workers, first):
            np.minimum.at(story, hits, stories)
            left[number] = count
            if state is not None:
                few[number] = state
        shared = story[which] < len(collection)
        places = mine[0][shared]
        owner, at = np.unique(np.searchsorted(starts, places, side="right") - 1, return_index=True)
        result.words[owner] = length
        result.begin[owner] = places[at] - starts[owner]
        result.story[owner] = story[which][shared][at]
        mine = _grow(words, starts, (places, mine[1][shared]), length)
        parts = sorted(number for number, count in left.items() if count)
        if not few and sum(left.values()) <= _FEW:
            few = {number: _load(scratch, number) for number in parts}
        length += 1
    return result


def _pass(
    parts: Sequence[Signatures],
    offsets: np.ndarray,
    training: np.ndarray,
    table: np.ndarray,
    bitmap: np.ndarray,
    length: int,
    scratch: Path,
    number: int,
    state: State | None,
) -> tuple[int, np.ndarray, np.ndarray, int, State | None]:
    """Of one part: which n-grams of the table it has, the first story that has each, and the places that go on."""
    part = parts[number]
    starts, kept = np.asarray(part.starts), state is not None
    words = np.asarray(part.words)
    if state is None:
        chosen = training[offsets[number] : offsets[number] + len(part)]
        state = _begin(words, starts, chosen, length) if length == SHORTEST else _load(scratch, number)
    places, hashes = state
    maybe = np.flatnonzero(bitmap[_slot(hashes, bitmap)])
    maybe = maybe[np.argsort(hashes[maybe])]
    found = np.minimum(np.searchsorted(table, hashes[maybe]), len(table) - 1)
    same = table[found] == hashes[maybe]
    found, maybe = found[same], maybe[same]
    stories = np.searchsorted(starts, places[maybe], side="right") - 1 + offsets[number]
    begins = np.flatnonzero(np.concatenate([[True], found[1:] != found[:-1]])) if len(found) else np.zeros(0, np.int64)
    first = np.minimum.reduceat(stories, begins) if len(found) else stories
    maybe.sort()
    state = _grow(words, starts, (places[maybe], hashes[maybe]), length)
    if not kept:
        np.save(scratch / f"places-{number}.npy", state[0])
        np.save(scratch / f"hashes-{number}.npy", state[1])
    return number, found[begins], first, len(state[0]), state if kept else None


def _spread_out(words: np.ndarray) -> np.ndarray:
    """Word numbers as odd-looking 64-bit numbers."""
    numbers = (words.astype(np.uint64) + np.uint64(1)) * np.uint64(0xD6E8FEB86659FD93)
    return numbers ^ (numbers >> np.uint64(32))


def _begin(words: np.ndarray, starts: np.ndarray, chosen: np.ndarray, length: int) -> State:
    """All n-grams of some stories: hash = Σ word[place + k] · base^k mod 2^64."""
    last = np.repeat(starts[1:], np.diff(starts)) - length
    place = np.arange(len(words))
    place = place[(place <= last) & np.repeat(chosen, np.diff(starts))]
    hashes = np.zeros(len(place), np.uint64)
    numbers = _spread_out(words)
    for offset in range(length):
        hashes += numbers[place + offset] * _power(offset)
    return place, hashes


def _grow(words: np.ndarray, starts: np.ndarray, state: State, length: int) -> State:
    """The n-grams one word longer, where the story goes on."""
    place, hashes = state
    inside = place + length < starts[np.searchsorted(starts, place, side="right")]
    place, hashes = place[inside], hashes[inside]
    return place, hashes + _spread_out(words[place + length]) * _power(length)


def _power(exponent: int) -> np.uint64:
    return np.uint64(pow(int(_BASE), exponent, 2**64))


def _bitmap(table: np.ndarray) -> np.ndarray:
    """A table of 2^n bytes that says which hashes are surely not in `table`."""
    bits = min(28, max(10, len(table).bit_length() + 3))
    bitmap = np.zeros(1 << bits, bool)
    bitmap[_slot(table, bitmap)] = True
    return bitmap


def _slot(hashes: np.ndarray, bitmap: np.ndarray) -> np.ndarray:
    return (hashes * _BASE) >> np.uint64(64 - (len(bitmap) - 1).bit_length())


def _load(scratch: Path, number: int) -> State:
    return np.load(scratch / f"places-{number}.npy"), np.load(scratch / f"hashes-{number}.npy")
