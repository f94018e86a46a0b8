"""Whether words stand in an order that the language has: a small model of which kinds of words are neighbours.

A kind is one of the 300 most frequent words, or the last two code points of any other word, or a number, comma, or end
of sentence. For pairs of neighbours, and of words with one between them, `models/wordorder-LANGUAGE.tsv` holds how much
more often they occur in text than in the same text with its words shuffled: log2 ((seen + 1) / (seen shuffled + 1)), in
bits, where it is worth telling. Lines of verse end without a stop; nothing is paired across such an end.

A text's score is the sum of both over its pairs of neighbours, less the threshold that few shuffled texts reach, which
was found by cross-validation. So text is above 0 and shuffled text below. `tests/benchmarks/fit_wordorder.py` fits the
tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import chain, islice, pairwise, repeat
from pathlib import Path

import regex

MODELS = Path(__file__).parent / "models"
END, BREAK, COMMA, NUMBER, OTHER = "</s>", "\n", ",", "#", "-"
Weights = dict[tuple[str, str], float]
SUFFIX = 2
"""Code points of a word's ending."""
_NOT_LETTERS = regex.compile(r"[^\p{L}\p{M}\u200c\u200d]+")
_TAIL = regex.compile(r"[^\p{L}\p{M}\p{N}]*\Z")


def parts(token: str) -> list[str]:
    """What a token, split at white space, holds: a word or number, and the punctuation that ends it or its clause."""
    word = _NOT_LETTERS.sub("", token)
    found = [word] if word else [NUMBER] if any(char.isdigit() for char in token) else []
    tail = set(_TAIL.search(token)[0])
    if tail & set("।॥.?!…"):
        found.append(END)
    elif tail & set(",;:–—-"):
        found.append(COMMA)
    return found


class Kinds(dict[str, tuple[str, ...]]):
    """Token -> the kinds of its parts, found when first asked for."""

    LIMIT = 200_000

    def __init__(self, known: Iterable[str]):
        super().__init__()
        self.known = {*known, END, COMMA, NUMBER}

    def kind(self, part: str) -> str:
        """The kind of a word or of punctuation."""
        if part in self.known:
            return part
        ending = OTHER + part[-SUFFIX:]
        return ending if ending in self.known else OTHER

    def of(self, text: str) -> list[str]:
        """The kinds of a text's parts, from a sentence's end on, with a break where only a line ends."""
        kinds = [END]
        for line in text.split("\n"):
            if line:
                if kinds[-1] != END:
                    kinds.append(BREAK)
                kinds.extend(chain.from_iterable(map(self.__getitem__, line.split())))
        return kinds

    def __missing__(self, token: str) -> tuple[str, ...]:
        if len(self) >= self.LIMIT:
            self.clear()
        self[token] = kinds = tuple(map(self.kind, parts(token)))
        return kinds


class WordOrder:
    """The model of one language."""

    def __init__(self, known: Iterable[str], near: Weights, far: Weights, threshold: float):
        self.kinds = Kinds(known)
        self.near = near
        """Weights of neighbours, in bits."""
        self.far = far
        """Weights of words with one between them, in bits."""
        self.threshold = threshold

    def score(self, text: str) -> float:
        """Mean weight by which words stand in order, in bits, above the threshold; 0 for a text of one word."""
        kinds = self.kinds.of(text)
        if len(kinds) < 3:
            return 0.0
        total = sum(map(self.near.get, pairwise(kinds), repeat(0.0)))
        total += sum(map(self.far.get, zip(kinds, islice(kinds, 2, None), strict=False), repeat(0.0)))
        return total / (len(kinds) - 1) - self.threshold

    def may_end(self, token: str) -> bool:
        """Whether a sentence may end after this token: any word may that is not a frequent one seldom seen there."""
        kinds = [kind for kind in self.kinds[token] if kind != END]
        return not kinds or kinds[-1].startswith(OTHER) or self.near.get((kinds[-1], END), 0.0) > -2.5


@cache
def word_order(language: str) -> WordOrder | None:
    """The model of a language (ISO 639-1 code); None if there is none."""
    path = MODELS / f"wordorder-{language}.tsv"
    if not path.exists():
        return None
    lines = [line.split("\t") for line in path.read_text("utf-8").splitlines() if not line.startswith("# ")]
    threshold, known = float(lines[0][1]), lines[1]
    weights: dict[str, Weights] = {"near": {}, "far": {}}
    for distance, first, *pairs in lines[2:]:
        for second, _, weight in (pair.rpartition(":") for pair in pairs):
            weights[distance][first, second] = int(weight) / 10
    return WordOrder(known, weights["near"], weights["far"], threshold)
