"""Where a text repeats itself word by word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Repeats(NamedTuple):
    """How a text repeats itself, in words."""

    loop: int
    """The longest stretch in which a phrase stands three times or more, one after the other; 0 if there is none."""
    phrase: str
    copied: int
    """The longest stretch that stood before, word by word."""


def repeats(tokens: Sequence[str]) -> Repeats:
    """The longest loop and the longest copy of a text.

    A stretch repeats with a lag if each of its runs of three words stood that many words before, and is a loop if it is
    at least twice as long as its lag.
    """
    runs = list(zip(tokens, tokens[1:], tokens[2:], strict=False))
    last: dict[tuple[str, ...], int] = {}
    loop, phrase, copied, lag, start = 0, "", 0, 0, 0
    for i, run in enumerate(runs):
        if not lag or runs[i - lag] != run:
            lag, start = i - last.get(run, i), i
        last[run] = i
        if lag:
            length = i - start + 3
            copied = max(copied, length)
            if length >= 2 * lag and length + lag > loop:
                loop, phrase = length + lag, " ".join(tokens[start : start + lag])
    return Repeats(loop, phrase, copied)
