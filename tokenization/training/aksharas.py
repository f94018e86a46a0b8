"""Aksharas as BPE pieces: which merges build each one so that, in any text, it comes out in one piece.

An akshara is an extended grapheme cluster (Unicode UAX 29, `\\X`). It is built of *units*: a head, which is no mark,
and suffix units, each one mark or joiner, or a virama with the consonant behind it (with a ZWJ between them, if there
is one). Merges stand in two tiers. The first joins virama and consonant (virama and ZWJ, then the consonant): this
depends on no neighbour, for in every text a virama's unit is settled by what follows it. The second builds each
akshara from the left, head and first suffix unit, then the second, …: the left side of such a merge always starts
with a head, which stands at the start of an akshara, and its right side never does, so that no merge of the tier
leaves an akshara. BPE applies merges in the order of their rank, so that after both tiers each akshara of the
vocabulary is one piece, whatever stands beside it. Clusters of other make (emoji joined by ZWJ, flags, marks without
a letter) are spelt in characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import regex

_LINKER, _CONSONANT = r"\p{InCB=Linker}", r"\p{InCB=Consonant}"  # as in UAX 29's rule GB9c
_EXTENDS = r"\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}"
_SUFFIX = rf"(?:{_LINKER}\u200d?{_CONSONANT}|{_LINKER}\u200d|[[{_EXTENDS}]&&[\p{{M}}\u200c\u200d]])"
_UNITS = regex.compile(rf"([^{_EXTENDS}])({_SUFFIX})*", regex.V1 | regex.DOTALL)
_ENDS_OPEN = regex.compile(rf"{_LINKER}\u200d?$")
_CLUSTER = regex.compile(r"\X")


def aksharas(text: str) -> list[str]:
    """The extended grapheme clusters of a text."""
    return _CLUSTER.findall(text)


@cache
def units(akshara: str) -> tuple[str, ...] | None:
    """Head and suffix units of an akshara; None for a cluster of another make.

    None too for one that ends in a virama which does not hold a following consonant in the same cluster (a virama
    behind a Latin letter, say), for there the first tier would take the virama away from it.
    """
    match = _UNITS.fullmatch(akshara)
    if match is None or (_ENDS_OPEN.search(akshara) and len(aksharas(akshara + "क")) > 1):
        return None
    return (match[1], *match.captures(2))


@dataclass(frozen=True)
class AksharaPieces:
    """The pieces that build aksharas, and the merges that make them."""

    characters: list[str]
    merges: list[tuple[str, str]]
    """Of the first tier, then of the second."""
    kept: frozenset[str]
    """The aksharas that are one piece."""

    def __len__(self) -> int:
        return len(self.characters) + len(self.merges)

    def pieces(self) -> list[str]:
        """The characters, sorted, and what each merge gives."""
        return [*sorted(self.characters), *(left + right for left, right in self.merges)]


def akshara_pieces(frequent: Iterable[str], limit: int | None = None) -> AksharaPieces:
    """The first `limit` pieces needed for clusters given in the order of their importance; all if it is None."""
    clusters = list(frequent)
    made: dict[str, tuple[str, str] | None] = {}
    for cluster in clusters:
        for piece, parts in _steps(cluster):
            if limit is None or len(made) < limit:
                made.setdefault(piece, parts)
    merges = [parts for parts in made.values() if parts]
    linker = regex.compile(_LINKER)
    return AksharaPieces(
        characters=[piece for piece, parts in made.items() if parts is None],
        merges=sorted(merges, key=lambda parts: linker.match(parts[0]) is None),  # stable: tier by tier
        kept=frozenset(cluster for cluster in clusters if cluster in made and units(cluster)),
    )


def _steps(cluster: str) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """Each piece on the way to a cluster with the two that it is merged from (None for a character), in that order."""
    yield from ((character, None) for character in cluster)
    parts = units(cluster) or ()
    for unit in parts[1:]:
        yield from ((unit[: cut + 1], (unit[:cut], unit[cut])) for cut in range(1, len(unit)))
    for number in range(1, len(parts)):
        prefix = "".join(parts[:number])
        yield prefix + parts[number], (prefix, parts[number])
