"""Which stories are alike: candidates by locality-sensitive hashing of MinHash sketches, then exact similarities.

A sketch is cut into bands of a few rows; two stories that agree in a whole band are candidates. An estimate from the
whole sketches drops those that are surely not alike, and the exact Jaccard similarity of the word n-grams decides, so
that nothing is removed by an estimate. A pair at the threshold is found with a probability of at least 95 %, which
rises quickly above it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from corpora.building.signatures import PERMUTATIONS, Signatures, jaccard, shingles, sign

_WHOLE_BUCKET = 48
"""Buckets up to this size have all their pairs compared; in larger ones each meets its neighbour and the first."""
_MARGIN = 0.13
"""Three times the largest standard error (0.044) of a similarity estimated from 128 rows."""
_FACTORS = np.random.default_rng(0xBA4D).integers(1, 2**63, size=PERMUTATIONS, dtype=np.uint64) | np.uint64(1)


class Collection:
    """The signatures of many stories, of one part after the other; 136 bytes of memory a story."""

    def __init__(self, parts: Sequence[Signatures], length: int):
        self.parts = parts
        self.length = length
        """Words in an n-gram."""
        self.offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
        self.low = np.empty((len(self), PERMUTATIONS), np.uint8)
        """The lowest byte of each row of a sketch: enough for an estimate (two differing rows agree in 1 of 256)."""
        for part, start in zip(parts, self.offsets, strict=False):
            self.low[start : start + len(part)] = part.sketches.T.astype(np.uint8)

        @lru_cache(maxsize=20_000)
        def cached(number: int) -> np.ndarray:
            return shingles(self.words(number), length)

        self.shingles = cached
        """The distinct word n-grams of a story, sorted hashes."""

    def __len__(self) -> int:
        return int(self.offsets[-1])

    def words(self, number: int) -> np.ndarray:
        """The words of a story."""
        part = int(np.searchsorted(self.offsets, number, side="right")) - 1
        return np.asarray(self.parts[part].of(number - int(self.offsets[part])))

    def bands(self, rows: int) -> Iterator[np.ndarray]:
        """For each band of so many rows, one hash a story."""
        for start in range(0, PERMUTATIONS - rows + 1, rows):
            values = [np.asarray(part.sketches[start : start + rows]).astype(np.uint64) for part in self.parts]
            hashes = [((part + np.uint64(1)) * _FACTORS[start : start + rows, None]) for part in values]
            yield np.concatenate([np.bitwise_xor.reduce(part ^ (part >> np.uint64(31)), axis=0) for part in hashes])

    def estimate(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Estimated similarities of pairs."""
        result = np.empty(len(a), np.float32)
        for i in range(0, len(a), 32768):
            j = slice(i, i + 32768)
            result[j] = (self.low[a[j]] == self.low[b[j]]).mean(axis=1, dtype=np.float32)
        return result

    def jaccard(self, a: int, b: int) -> tuple[float, float]:
        """Exact similarity of two stories, and the share of the first one's n-grams that the second has."""
        return jaccard(self.shingles(a), self.shingles(b))


def similar_pairs(
    texts: Sequence[str], threshold: float, words: int = 3, seed: int = 0
) -> list[tuple[int, int, float]]:
    """Pairs (earlier, later, Jaccard similarity) of at least the threshold, sorted by (later, earlier)."""
    collection = Collection([sign(texts, words, seed)], words)
    a, b, similarity = find_pairs(collection, np.arange(len(texts)), threshold)
    return list(zip(a.tolist(), b.tolist(), similarity.tolist(), strict=True))


def find_pairs(
    collection: Collection, members: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs among some stories of a collection: earlier, later, and their Jaccard similarity of at least the threshold.

    They are sorted by (later, earlier): taken in this order, a story is removed only for an earlier one that stays.

    Args:
        collection: the stories' signatures.
        members: ascending numbers of the stories to compare.
        threshold: the lowest similarity.
    """
    size = np.int64(len(collection))
    codes = np.zeros(0, np.int64)
    for band in collection.bands(rows_per_band(threshold)):
        found = [codes]
        for a, b in _candidates(band[members]):
            a, b = members[a], members[b]
            near = collection.estimate(a, b) >= threshold - _MARGIN
            found.append(b[near] * size + a[near])
        codes = np.unique(np.concatenate(found))
    later, earlier = codes // size, codes % size
    similarity = np.fromiter(
        (collection.jaccard(a, b)[0] for a, b in zip(earlier.tolist(), later.tolist(), strict=True)), float, len(codes)
    )
    alike = similarity >= threshold
    return earlier[alike], later[alike], similarity[alike]


def rows_per_band(threshold: float) -> int:
    """The most rows per band that still find a pair at the threshold with a probability of 95 %."""
    for rows in range(16, 1, -1):
        if 1 - (1 - threshold**rows) ** (PERMUTATIONS // rows) >= 0.95:
            return rows
    return 1


def _candidates(band: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs (earlier, later) of places with one hash, in pieces; no pair twice but the first and its neighbour."""
    order = np.argsort(band, kind="stable")
    values = band[order]
    begins = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    sizes = np.diff(np.append(begins, len(values)))
    for large in (False, True):
        chosen = (sizes > _WHOLE_BUCKET) if large else (sizes > 1) & (sizes <= _WHOLE_BUCKET)
        begin, size = begins[chosen], sizes[chosen]
        if not len(begin):
            continue
        first = np.repeat(begin, size)
        place = np.arange(len(first)) - np.repeat(np.cumsum(size) - size, size) + first
        end = first + np.repeat(size, size)
        for distance in (1,) if large else range(1, int(size.max())):
            inside = place + distance < end
            place, end = place[inside], end[inside]
            yield order[place], order[place + distance]
            first = first[inside]
        if large:
            yield order[first], order[place + 1]
