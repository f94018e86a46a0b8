"""What stories are compared by: their words as numbers, the word n-grams of these, and MinHash sketches.

A word is what stands between white space and punctuation, in small letters, with all its vowel signs and joiners: फल,
फूल and फैल are three words. It is known by 32 bits of its BLAKE2b hash, the same in every process and on every machine,
so that shards of a corpus can be prepared apart and compared.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from corpora.folders import write_array

_WORD = re.compile(r"[^\s!-/:-@\[-`{-~।॥‘’“”«»–—…•]+")
PERMUTATIONS = 128
_RAYON = "RAYON_NUM_THREADS"
_FACTORS = np.random.default_rng(0x5EED).integers(1, 2**63, size=64, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def words(text: str) -> list[str]:
    """The words of a text as they are compared, but with their capitals."""
    return _WORD.findall(text)


@dataclass(frozen=True)
class Signatures:
    """Of a number of stories in a row."""

    words: np.ndarray
    """The words of all stories, one after the other, uint32."""
    starts: np.ndarray
    """Where each story's words begin, and at last where they end: (stories + 1,) of int64."""
    sketches: np.ndarray
    """MinHash over word n-grams, (PERMUTATIONS, stories) of uint32."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of(self, number: int) -> np.ndarray:
        """The words of one story."""
        return self.words[self.starts[number] : self.starts[number + 1]]

    def save(self, folder: Path) -> None:
        """Write one `.npy` file for each array."""
        for name in ("words", "starts", "sketches"):
            write_array(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Signatures:
        """What `save` wrote; the arrays stay on the disk until they are looked at."""
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("words", "starts", "sketches")))


def sign(texts: Sequence[str], length: int, seed: int = 0) -> Signatures:
    """The signatures of stories, sketched by word n-grams of this length."""
    numbers, starts = number_words(texts)
    hashes, bounds = ngrams(numbers, starts, length)
    return Signatures(numbers, starts, _sketches(hashes, bounds, seed))


def number_words(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The words of all texts as uint32, and where each text's begin and the last one's end.

    Each string between white space is looked at once and not each time it stands in a text, for speed.
    """
    seen = _Numbering()
    strings = [np.fromiter(map(seen.__getitem__, text.split()), np.int64) for text in texts]
    hashes = [[_hash(word) for word in _WORD.findall(string.lower())] for string in seen]
    count = np.array([len(found) for found in hashes], np.int64)
    first = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.int64) if len(count) else count
    flat = np.array([value for found in hashes for value in found], np.uint32)
    every = np.concatenate(strings) if strings else np.zeros(0, np.int64)
    repeated = count[every]
    ends = np.cumsum(repeated)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - repeated, repeated)
    numbers = flat[np.repeat(first[every], repeated) + within]
    lengths = [int(count[row].sum()) for row in strings]
    return numbers, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def ngrams(numbers: np.ndarray, starts: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """64-bit hashes of the word n-grams of every story, in order, and where each story's begin and the last one's end.

    A story shorter than the n-gram has one, of all its words.
    """
    counts = np.diff(starts)
    windows = np.maximum(1, counts - length + 1)
    bounds = np.concatenate([[0], np.cumsum(windows)]).astype(np.int64)
    place = np.arange(bounds[-1]) + np.repeat(starts[:-1] - bounds[:-1], windows)
    padded = np.append(numbers, np.zeros(length + 1, np.uint32))
    hashes = np.zeros(bounds[-1], np.uint64)
    end = np.repeat(starts[1:], windows) if counts.min(initial=length) < length else None
    for offset in range(length):
        part = (padded[place + offset].astype(np.uint64) + np.uint64(1)) * _FACTORS[offset]
        part ^= part >> np.uint64(29)
        hashes += part if end is None else np.where(place + offset < end, part, np.uint64(0))
    return _mixed(hashes), bounds


def shingles(numbers: np.ndarray, length: int) -> np.ndarray:
    """The distinct hashes of one story's word n-grams, sorted."""
    return np.unique(ngrams(numbers, np.array([0, len(numbers)]), length)[0])


def jaccard(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Jaccard similarity of two stories' shingles, and the share of the first one's that the second has."""
    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / (len(a) + len(b) - both), both / len(a)


class _Numbering(dict[str, int]):
    """Numbers new strings in the order they come."""

    def __missing__(self, string: str) -> int:
        number = self[string] = len(self)
        return number


def _hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "little")


def _mixed(hashes: np.ndarray) -> np.ndarray:
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xFF51AFD7ED558CCD)
    hashes ^= hashes >> np.uint64(33)
    return hashes


def _sketches(hashes: np.ndarray, bounds: np.ndarray, seed: int) -> np.ndarray:
    from rensa import RMinHash

    if len(bounds) < 2:
        return np.zeros((PERMUTATIONS, 0), np.uint32)
    with _without_threads():
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, bounds.astype(np.uint64), PERMUTATIONS, seed)
    return np.ascontiguousarray(np.array(matrix.to_rows(), dtype=np.uint32).T)


@contextmanager
def _without_threads() -> Iterator[None]:
    """Keep rensa from making its pool of threads, which a fork of this process would not have and wait for without end.

    The pool is made at the first large call. The work is spread over processes, so nothing is lost.
    """
    before = os.environ.get(_RAYON)
    os.environ[_RAYON] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_RAYON]
        else:
            os.environ[_RAYON] = before
