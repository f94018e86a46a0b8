"""How much of a text was copied from the training stories, measured in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_FIRST_WORD = 2
_SEPARATOR, _UNKNOWN = 0, 1


class TrainingIndex:
    """A suffix array over the words of the training stories: the longest match of any text, in a few comparisons.

    Words become characters of a private alphabet, so that comparing two runs of words is comparing two strings. The
    array is built by prefix doubling (Manber & Myers 1993) and orders suffixes by their first 512 words.
    """

    _DEPTH = 512

    def __init__(self, training: Sequence[Sequence[str]]) -> None:
        """`training`: the words of each story. No match crosses the border of two stories."""
        self._numbers: dict[str, int] = {}
        stream: list[int] = []
        for story in training:
            stream += [self._numbers.setdefault(word, len(self._numbers) + _FIRST_WORD) for word in story]
            stream.append(_SEPARATOR)
        self._text = _letters(stream)
        self._suffixes = _suffix_array(np.array(stream, dtype=np.int64), self._DEPTH)
        self._whole = {tuple(story) for story in training}

    def matches(self, words: Sequence[str]) -> list[int]:
        """For each position, the length of the longest run of words from there on that stands in a training story."""
        text = _letters([self._numbers.get(word, _UNKNOWN) for word in words])
        return [self._longest(text[start : start + self._DEPTH]) for start in range(len(text))]

    def contains(self, words: Sequence[str]) -> bool:
        """Whether these words are, from first to last, one of the training stories."""
        return tuple(words) in self._whole

    def _longest(self, wanted: str) -> int:
        low, high = 0, len(self._suffixes)
        while low < high:
            middle = (low + high) // 2
            start = self._suffixes[middle]
            if self._text[start : start + len(wanted)] < wanted:
                low = middle + 1
            else:
                high = middle
        return max(
            (
                _common_prefix(self._text, self._suffixes[i], wanted)
                for i in (low - 1, low)
                if 0 <= i < len(self._suffixes)
            ),
            default=0,
        )


def _letters(numbers: Sequence[int]) -> str:
    """One character per number, ordered as the numbers are; surrogates are passed over."""
    return "".join(chr(number if number < 0xD800 else number + 0x800) for number in numbers)


def _common_prefix(text: str, start: int, wanted: str) -> int:
    length = 0
    for character, other in zip(text[start : start + len(wanted)], wanted, strict=False):
        if character != other:
            break
        length += 1
    return length


def _suffix_array(stream: np.ndarray, depth: int) -> list[int]:
    """Starts of the suffixes in order of their first `depth` symbols (a power of two)."""
    rank, length = stream, 1
    while True:
        following = np.zeros_like(rank)
        following[: max(0, len(rank) - length)] = rank[length:] + 1
        key = rank * (int(following.max(initial=0)) + 1) + following
        order = np.argsort(key, kind="stable")
        changed = np.diff(key[order], prepend=key[order[:1]]) != 0
        rank = np.empty_like(rank)
        rank[order] = np.cumsum(changed)
        length *= 2
        if length >= depth or not len(rank) or rank.max() == len(rank) - 1:
            return order.tolist()
