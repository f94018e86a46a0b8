"""Words whose morpheme boundaries are known, and the list of them with an account of what was left out."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import regex

_WORD = regex.compile(r"[\p{L}\p{M}\u200c\u200d]{2,}")
_VIRAMA = ("\u094d", "\u09cd")
_VOWEL_SIGN = regex.compile(r"[\u093a\u093b\u093e-\u094c\u094e\u094f\u0955-\u0957\u09be-\u09cc\u09d7]")
_CONSONANT = regex.compile(r"[\u0915-\u0939\u093c\u0958-\u095f\u0978-\u097f\u0995-\u09b9\u09bc\u09dc-\u09df]")


class UnclearError(ValueError):
    """Why a word cannot serve as gold; the message is the reason it is counted under."""


@dataclass(frozen=True)
class Word:
    """A word of running text (NFC) and where its morphemes meet."""

    word: str
    boundaries: tuple[int, ...]
    """Code points of `word` before each boundary, ascending, each between 1 and len(word) - 1."""
    source: str
    language: str
    lemma: str = ""
    """Dictionary form; words of one lemma are resampled together. Empty where the source gives none."""

    @property
    def parts(self) -> list[str]:
        """The morphemes, in order."""
        edges = [0, *self.boundaries, len(self.word)]
        return [self.word[start:end] for start, end in zip(edges, edges[1:], strict=False)]


@dataclass
class Gold:
    """The words of one language."""

    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(source, reason) -> rows left out."""
    _readings: dict[str, Word | None] = field(default_factory=dict, repr=False)
    """Spelling -> its word; None where readings contradict each other."""

    @property
    def items(self) -> list[Word]:
        """The words, in the order in which they were found."""
        return [word for word in self._readings.values() if word is not None]

    @property
    def sources(self) -> Counter[str]:
        """Source -> words kept."""
        return Counter(word.source for word in self.items)

    def add(self, word: Word) -> None:
        """Keep a word. One spelling counts once, and not at all if it has two readings (खाते: खा-ते, खात-े)."""
        if word.word not in self._readings:
            self._readings[word.word] = word
            return
        known = self._readings[word.word]
        if known is None or known.boundaries != word.boundaries:
            self.drop(word.source, "two readings")
            if known is not None:
                self.drop(known.source, "two readings")
                self._readings[word.word] = None
        else:
            self.drop(word.source, "known already")

    def drop(self, source: str, reason: str) -> None:
        """Count a row that is left out."""
        self.dropped[source, reason] += 1


def nfc(text: str) -> str:
    """`text` without space at its ends, in Unicode's NFC."""
    return unicodedata.normalize("NFC", text.strip())


def boundaries(parts: Sequence[str], word: str) -> tuple[int, ...]:
    """Where `parts` (NFC) meet in `word`; UnclearError if they cannot be its morphemes in writing."""
    if not word or not all(parts):
        raise UnclearError("an empty part")
    if any(len(text.split()) > 1 for text in (word, *parts)):
        raise UnclearError("more than one word")
    if not _WORD.fullmatch(word):
        raise UnclearError("not a word of letters")
    if "".join(parts) != word:
        raise UnclearError("the parts do not make the word")
    if len(parts) < 2:
        raise UnclearError("no ending")
    return tuple(_running_total(map(len, parts[:-1])))


def check_spelling(word: Word) -> None:
    """UnclearError if a boundary lies before a virama, inside a conjunct, or parts a vowel sign from no consonant.

    A boundary before a vowel sign is possible (कर + े), for the consonant before it has a vowel of its own once the
    sign is off; before a virama it is not, for a consonant without its vowel is written with the virama.
    """
    for place in word.boundaries:
        if word.word[place].startswith(_VIRAMA):
            raise UnclearError("the boundary lies inside a conjunct")
        if _VOWEL_SIGN.match(word.word[place]) and not _CONSONANT.match(word.word[place - 1]):
            raise UnclearError("a vowel sign without a consonant")


def _running_total(lengths: Iterable[int]) -> Iterable[int]:
    total = 0
    for length in lengths:
        total += length
        yield total
