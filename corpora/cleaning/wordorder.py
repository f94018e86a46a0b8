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
from itertools import chain
from pathlib import Path

import numpy as np
import regex

MODELS = Path(__file__).parent / "models"
END, BREAK, COMMA, NUMBER, OTHER = "</s>", "\n", ",", "#", "-"
DISTANCES = ("near", "far")
Weights = dict[tuple[str, str, str], float]
"""(distance, kind, kind) -> bits."""
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


class Kinds:
    """Which kind each word is; kinds are numbered, and those of a token are remembered."""

    def __init__(self, known: Iterable[str]):
        self.names = [BREAK, END, COMMA, NUMBER, OTHER]
        self.names += sorted(set(known) - set(self.names))
        self.numbers = {name: number for number, name in enumerate(self.names)}
        self.tokens = _Tokens(self)

    def kind(self, part: str) -> int:
        """The kind of a word or of punctuation."""
        if part in self.numbers:
            return self.numbers[part]
        return self.numbers.get(OTHER + part[-SUFFIX:], self.numbers[OTHER])

    def of(self, text: str) -> list[int]:
        """The kinds of a text's parts, from a sentence's end on, with a break where only a line ends."""
        end = self.numbers[END]
        kinds = [end]
        for line in text.split("\n"):
            if line:
                if kinds[-1] != end:
                    kinds.append(self.numbers[BREAK])
                kinds.extend(chain.from_iterable(map(self.tokens.__getitem__, line.split())))
        return kinds


class _Tokens(dict[str, tuple[int, ...]]):
    """Token -> the kinds of its parts."""

    LIMIT = 200_000

    def __init__(self, kinds: Kinds):
        super().__init__()
        self.kinds = kinds

    def __missing__(self, token: str) -> tuple[int, ...]:
        if len(self) >= self.LIMIT:
            self.clear()
        self[token] = found = tuple(map(self.kinds.kind, parts(token)))
        return found


class WordOrder:
    """The model of one language."""

    def __init__(self, known: Iterable[str], weights: Weights, threshold: float):
        self.kinds = Kinds(known)
        self.weights = weights
        self.threshold = threshold
        numbers = self.kinds.numbers
        self.table = np.zeros((2, len(numbers), len(numbers)), dtype=np.float32)
        """Weights in bits, shape (2, kinds, kinds): of neighbours, and of words with one between them."""
        for (distance, first, second), weight in weights.items():
            self.table[DISTANCES.index(distance), numbers[first], numbers[second]] = weight

    def score(self, text: str) -> float:
        """Mean weight by which words stand in order, in bits, above the threshold; 0 for a text of one word."""
        kinds = np.array(self.kinds.of(text))
        if len(kinds) < 3:
            return 0.0
        total = self.table[0, kinds[:-1], kinds[1:]].sum() + self.table[1, kinds[:-2], kinds[2:]].sum()
        return float(total) / (len(kinds) - 1) - self.threshold

    def may_end(self, token: str) -> bool:
        """Whether a sentence may end after this token: any word may that is not a frequent one seldom seen there."""
        kinds = [self.kinds.names[kind] for kind in self.kinds.tokens[token]]
        last = next((kind for kind in reversed(kinds) if kind != END), OTHER)
        return last.startswith(OTHER) or self.weights.get(("near", last, END), 0.0) > -2.5


@cache
def word_order(language: str) -> WordOrder | None:
    """The model of a language (ISO 639-1 code); None if there is none."""
    path = MODELS / f"wordorder-{language}.tsv"
    if not path.exists():
        return None
    lines = [line.split("\t") for line in path.read_text("utf-8").splitlines() if not line.startswith("# ")]
    threshold, known = float(lines[0][1]), lines[1]
    weights = {
        (distance, first, second): int(weight) / 10
        for distance, first, *pairs in lines[2:]
        for second, _, weight in (pair.rpartition(":") for pair in pairs)
    }
    return WordOrder(known, weights, threshold)
