"""Levenshtein distance, fast enough for whole stories."""

from __future__ import annotations

from os.path import commonprefix


def distance(first: str, second: str) -> int:
    """Fewest insertions, deletions and replacements of code points that make one text the other.

    Myers's bit-parallel algorithm (JACM 46(3), 1999, in Hyyrö's form of 2003), one column of the table in one integer.
    """
    if first == second:
        return 0
    skip = len(commonprefix([first, second]))
    first, second = first[skip:], second[skip:]
    skip = len(commonprefix([first[::-1], second[::-1]]))
    first, second = first[: len(first) - skip], second[: len(second) - skip]
    if not first or not second:
        return len(first) + len(second)
    places: dict[str, int] = {}
    for place, letter in enumerate(first):
        places[letter] = places.get(letter, 0) | 1 << place
    full, last = (1 << len(first)) - 1, 1 << (len(first) - 1)
    plus, minus, found = full, 0, len(first)
    for letter in second:
        equal = places.get(letter, 0)
        zero = (((equal & plus) + plus) ^ plus) | equal | minus
        up, down = minus | (full & ~(zero | plus)), plus & zero
        found += bool(up & last) - bool(down & last)
        up, down = (up << 1 | 1) & full, (down << 1) & full
        plus, minus = down | (full & ~(zero | up)), up & zero
    return found
