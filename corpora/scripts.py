"""How many letters of each script a text holds: one table look-up per character."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import regex

SCRIPTS = ("Devanagari", "Bengali", "Latin")
"""Values of Unicode's Script property, in the order of `Letters`."""


class Letters(NamedTuple):
    """Letters and marks of a text by script (joiners, digits and punctuation are none)."""

    devanagari: int
    bengali: int
    latin: int
    other: int

    @property
    def total(self) -> int:
        return sum(self)

    def share(self, script: str) -> float:
        """Of all letters and marks, those of a script; 0 if there are none."""
        return self[SCRIPTS.index(script)] / (self.total or 1) if script in SCRIPTS else 0.0

    def main(self) -> str:
        """The script of most letters; "" if none of ours has any."""
        counts = self[: len(SCRIPTS)]
        return SCRIPTS[counts.index(max(counts))] if max(counts) else ""


def count_letters(text: str) -> Letters:
    """The letters and marks of a text by script; those outside the Basic Multilingual Plane are not counted."""
    codes = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), dtype="<u2")
    counts = np.bincount(letter_table()[codes], minlength=5)
    return Letters(*counts[1:].tolist())


@cache
def letter_table() -> np.ndarray:
    """Code unit -> 0: no letter, 1 to 3: a script of ours, 4: another script. uint8, shape (65536,)."""
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x10000)]))
    table = np.zeros(0x10000, dtype=np.uint8)
    patterns = [r"[\p{L}\p{M}]", *(rf"[\p{{Script={script}}}&&[\p{{L}}\p{{M}}]]" for script in SCRIPTS)]
    for value, pattern in zip((4, 1, 2, 3), patterns, strict=True):
        table[[ord(char) for char in regex.findall(pattern, every, regex.V1)]] = value
    # Marks of all scripts: U+0300-036F overlay letters of any, U+FE00-FE0F vary symbols, U+0951 and others are Vedic.
    table[0x300:0x370] = table[0xFE00:0xFE10] = 0
    table[0x951:0x955] = 1
    return table
