"""Which language a sentence is in: Hindi, Marathi or Nepali by its words, Bengali or Assamese by its letters.

The script decides first. Bengali script is Assamese where ৰ and ৱ, letters Bengali has not, outnumber র. Devanagari is
told apart by a linear model (multinomial logistic regression) over the n-grams of 2 to 4 code points within each word
and its borders, and whole words, which makes function words (है, आहे, छ) weigh by themselves. Its weights lie in
`models/identification.tsv`; `tests/benchmarks/fit_identification.py` says what they were fitted on and makes them.

A word's score is remembered, so that running text costs little more than one look-up per word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import regex

from corpora.scripts import count_letters

LANGUAGES = ("hi", "mr", "ne", "bn", "as", "en")
"""ISO 639-1 codes of what can be told apart."""
UNKNOWN = "und"
"""ISO 639-3 code of undetermined: no letters, or a script of none of these languages."""

MODEL = Path(__file__).parent / "models" / "identification.tsv"
ORDERS = (2, 3, 4)
_NOT_LETTERS = regex.compile(r"[^\p{L}\p{M}]+")
_ASSAMESE, _BENGALI = re.compile("[ৰৱ]"), re.compile("র")


_BETWEEN_SENTENCES = re.compile(r"(?<=[।॥.?!])[\"'”’)]*\s+|\n+")


class Scores(NamedTuple):
    """Log-odds against Hindi, in nats (Hindi is 0)."""

    marathi: float
    nepali: float

    @classmethod
    def of(cls, number: complex) -> Scores:
        """From the complex number in which words keep both, so that they add up at once."""
        return cls(number.real, number.imag)

    @property
    def language(self) -> str:
        """The likeliest language."""
        best = max(0.0, *self)
        return "hi" if best == 0.0 else "mr" if best == self.marathi else "ne"

    def margin(self, language: str) -> float:
        """How far the likeliest language is above this one, in nats; 0 if it is this one."""
        own = {"hi": 0.0, "mr": self.marathi, "ne": self.nepali}[language]
        return max(0.0, *self) - own


def identify(text: str, characters: int = 1000) -> str:
    """The language of a text, one of LANGUAGES or UNKNOWN.

    Args:
        text: a sentence or more; a mixed text is what most of it is.
        characters: how many characters are read, from the beginning.
    """
    text = text[:characters]
    letters = count_letters(text)
    script = letters.main()
    if 2 * letters.share(script) < 1:
        return UNKNOWN
    if script == "Devanagari":
        return devanagari_scores(text.split()).language
    if script == "Bengali":
        return "as" if len(_ASSAMESE.findall(text)) > len(_BENGALI.findall(text)) else "bn"
    return "en"


def sentences(text: str) -> list[str]:
    """A text cut roughly at full stops, dandas, question and exclamation marks, and line ends: what is identified."""
    return [sentence for sentence in _BETWEEN_SENTENCES.split(text) if sentence]


def devanagari_scores(tokens: Sequence[str]) -> Scores:
    """The sums of the words' scores; tokens are split at white space and may carry punctuation."""
    return Scores.of(sum(map(words().__getitem__, tokens), 0j))


def features(word: str) -> Iterable[str]:
    """The n-grams of a word with its borders `<` and `>`, and the word itself if it is longer than they are."""
    bordered = f"<{word}>"
    for order in ORDERS:
        yield from (bordered[i : i + order] for i in range(len(bordered) - order + 1))
    if len(bordered) > max(ORDERS):
        yield bordered


def letters_of(token: str) -> str:
    """A token without punctuation, digits and joiners."""
    return _NOT_LETTERS.sub("", token)


class _Words(dict[str, complex]):
    """Token -> its score for Marathi + its score for Nepali x i, computed when first asked for; 0 without letters."""

    LIMIT = 200_000

    def __init__(self, weights: dict[str, complex]):
        super().__init__()
        self.weights = weights

    def __missing__(self, token: str) -> complex:
        if len(self) >= self.LIMIT:
            self.clear()
        word = letters_of(token)
        self[token] = score = sum((self.weights.get(gram, 0j) for gram in features(word)), 0j) if word else 0j
        return score


@cache
def words() -> _Words:
    """The scores of tokens under the packaged model."""
    weights = {}
    for line in MODEL.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            gram, marathi, nepali = line.split("\t")
            weights[gram] = complex(int(marathi), int(nepali)) / 100
    return _Words(weights)
