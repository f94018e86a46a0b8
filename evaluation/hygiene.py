"""Is the text written as its script is written? Stray letters of other scripts, and sequences no word can have.

The rules are stated in Unicode's Indic syllabic categories, so they hold for any script of the Brahmi family; a Latin
text has no such characters and so no such mistakes. They are read on NFC text: ো may be stored as ে + া.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import regex

from corpora.languages import get_language
from evaluation.words import words

_JOINERS = r"[\u200c\u200d]*"
_VOWEL_SIGN = r"\p{InSC=Vowel_Dependent}"
_INDEPENDENT = r"\p{InSC=Vowel_Independent}"
_CONSONANT = r"[\p{InSC=Consonant}\p{InSC=Consonant_Dead}\p{InSC=Consonant_Placeholder}]"
_VIRAMA = r"\p{InSC=Virama}"
_NUKTA = r"\p{InSC=Nukta}"
_AFTER_VOWEL = r"[\p{InSC=Bindu}\p{InSC=Visarga}]"
_MARK = r"[\p{InSC=Vowel_Dependent}\p{InSC=Virama}\p{InSC=Nukta}\p{InSC=Bindu}\p{InSC=Visarga}]"

IMPOSSIBLE = {
    "mark_at_word_start": rf"(?<![\p{{L}}\p{{M}}\u200c\u200d\u25cc]){_MARK}",
    "double_virama": rf"{_VIRAMA}{_JOINERS}{_VIRAMA}",
    "two_vowel_signs": rf"{_VOWEL_SIGN}{_JOINERS}{_VOWEL_SIGN}",
    # अॅ is how many write Marathi ॲ.
    "vowel_sign_on_independent_vowel": rf"{_INDEPENDENT}{_NUKTA}?{_JOINERS}{_VOWEL_SIGN}(?<!अ{_JOINERS}ॅ)",
    "vowel_sign_without_consonant": rf"(?:{_VIRAMA}|{_AFTER_VOWEL}|ऽ|ঽ){_JOINERS}{_VOWEL_SIGN}",
    # Bengali writes অ্যা and এ্যা: ya-phala on an independent vowel (আ্যা is met too).
    "virama_without_consonant": rf"(?:{_VOWEL_SIGN}|{_AFTER_VOWEL}|{_INDEPENDENT}){_JOINERS}{_VIRAMA}"
    rf"(?<![অআএ]{_JOINERS}্(?={_JOINERS}য))",
    # After a vowel sign (गाडि़याँ) a nukta is out of order, yet typed so often that it counts as spelling.
    "nukta_without_consonant": rf"(?:{_VIRAMA}|{_AFTER_VOWEL}|{_NUKTA}|{_INDEPENDENT}){_NUKTA}",
    # Half a character from a tokenizer of bytes.
    "broken_bytes": "\ufffd",
    "doubled_sign_after_vowel": rf"{_AFTER_VOWEL}{_JOINERS}(?:{_AFTER_VOWEL}|{_VIRAMA})",
}
"""What cannot stand in a word, by name, as regular expressions."""

_IMPOSSIBLE = {name: regex.compile(pattern) for name, pattern in IMPOSSIBLE.items()}
_LETTER = regex.compile(r"[\p{L}\p{M}]")


@dataclass(frozen=True)
class Hygiene:
    """Counts from one text."""

    letters: int
    """Letters and marks of any script."""
    own_letters: int
    """Those of the language's script, and marks common to many scripts."""
    words: int
    stray_words: int
    """Words with a letter of another script."""
    impossible: dict[str, int]
    """How often each impossible sequence occurs."""


def inspect(text: str, language: str) -> Hygiene:
    """Count letters by script and impossible sequences in a text of the language (ISO 639-1)."""
    text = unicodedata.normalize("NFC", text)
    stray = _stray_letter(get_language(language).script_property)
    tokens = words(text, language)
    letters = len(_LETTER.findall(text))
    return Hygiene(
        letters=letters,
        own_letters=letters - len(stray.findall(text)),
        words=len(tokens),
        stray_words=sum(1 for token in tokens if stray.search(token)),
        impossible=impossible_sequences(text),
    )


def impossible_sequences(text: str) -> dict[str, int]:
    """How often each kind of impossible sequence occurs in NFC text."""
    return {name: sum(1 for _ in pattern.finditer(text, overlapped=True)) for name, pattern in _IMPOSSIBLE.items()}


@lru_cache
def _stray_letter(script: str) -> regex.Pattern[str]:
    return regex.compile(
        rf"[[\p{{L}}\p{{M}}]--[\p{{Script={script}}}\p{{Script=Common}}\p{{Script=Inherited}}]]", regex.V1
    )
