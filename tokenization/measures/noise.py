"""Typing noise: misspellings of Hindi, Marathi and Bengali that a typist could have made.

A word is hit with the stated probability and gets one mistake: a letter or sign for one that sounds alike, a sign left
out, or an akshara swapped with its neighbour, left out or doubled. Short words have fewer kinds: those of two aksharas
keep their aksharas, those of one their vowel sign too; the akshara that begins a word stays where it is. The weights
are judged by eye, not counted. Nothing is made that the script cannot write (`evaluation.hygiene`).
"""

from __future__ import annotations

import random
import unicodedata
from functools import lru_cache
from itertools import pairwise

import regex

from evaluation.hygiene import impossible_sequences
from tokenization.measures.variants import Edit, apply_edits

RATE = 0.1
"""Share of the words that are hit."""

WEIGHTS = {"sound-alike": 5, "sign left out": 2, "akshara swapped": 1, "akshara left out": 1, "akshara doubled": 1}
"""How often each kind of mistake is tried first, of 10."""

# ण and न after र or ष: where the rule that turns n into ण is remembered or forgotten. क्ष, ক্ষ and স্ত stay whole.
_DEVANAGARI = {
    **{"ि": "ी", "ी": "ि", "ु": "ू", "ू": "ु", "इ": "ई", "ई": "इ", "उ": "ऊ", "ऊ": "उ"},
    **{"ण": "न", "(?<=[रष]\\p{M}*)न(?!\\p{M})": "ण", "(?<!क्)ष": "श"},
}
SOUND_ALIKE = {
    "hi": {**_DEVANAGARI, "श(?!्)": "स", "ँ": "ं", "(?<![िीेैोौ])ं(?=[कगचजटडतदपबस])": "ँ"},
    "mr": {**_DEVANAGARI, "श(?!्)": "ष", "ळ": "ल"},
    "bn": {
        **{"ি": "ী", "ী": "ি", "ু": "ূ", "ূ": "ু", r"\bই": "ঈ", "ঈ": "ই", r"\bউ": "ঊ", "ঊ": "উ"},
        **{"ণ": "ন", r"(?<=[রষ]\p{M}*)ন": "ণ", "শ(?!্)": "স", "(?<!ক্)ষ": "শ", "স(?!্)": "শ"},
        **{"ড\u09bc": "র", "\u09dc": "র", "(?<!্)য(?!\u09bc)": "জ"},
    },
}
"""What is mistaken for what, by language: regular expression -> replacement."""

_SIGN = regex.compile(r"[\p{InSC=Vowel_Dependent}\p{InSC=Bindu}\p{InSC=Nukta}]")
_BINDU = regex.compile(r"\p{InSC=Bindu}")
_AKSHARA = regex.compile(r"\X")
_WORD = regex.compile(r"\S+")


def noisy(text: str, language: str, rate: float = RATE, seed: int = 0) -> str:
    """The text with each word misspelt with probability `rate`; the same for the same text, rate and seed.

    A word that can have no mistake (digits, Latin letters, some of one akshara) stays, and so does every text of a
    language that is not in `SOUND_ALIKE`, such as English. ValueError for a rate outside 0 to 1.
    """
    return apply_edits(text, noise_edits(text, language, rate, seed))


def noise_edits(text: str, language: str, rate: float = RATE, seed: int = 0) -> list[Edit]:
    """The mistakes of `noisy`, in order. At a higher rate the mistakes of a lower one are made too."""
    if not 0 <= rate <= 1:
        raise ValueError(f"the share of words that are hit lies between 0 and 1, not at {rate}")
    if language not in SOUND_ALIKE:
        return []
    chance = random.Random(f"{seed} {text}")  # gives one number to each word: a word hit at 5 % is hit at 10 % too
    edits = []
    for match in _WORD.finditer(text):
        if chance.random() < rate:
            edit = _mistake(match[0], language, random.Random(f"{seed} {match.start()} {match[0]}"))
            if edit is not None:
                edits.append(Edit(edit.start + match.start(), edit.end + match.start(), edit.replacement))
    return edits


def _mistake(word: str, language: str, chance: random.Random) -> Edit | None:
    """A mistake in a word that leaves it possible to write; None if there is none."""
    candidates = _candidates(word, language)
    while candidates:
        kind = chance.choices([*candidates], [WEIGHTS[kind] for kind in candidates])[0]
        edits = candidates.pop(kind)
        chance.shuffle(edits)
        for edit in edits:
            if _can_be_written(word, apply_edits(word, [edit])):
                return edit
    return None


def _candidates(word: str, language: str) -> dict[str, list[Edit]]:
    """Every mistake of each kind that has one in this word."""
    aksharas = [match for match in _AKSHARA.finditer(word) if _letter(language).match(match[0])]
    inner = aksharas[1:] if len(aksharas) > 2 else []
    neighbours = [pair for pair in pairwise(inner) if pair[0].end() == pair[1].start()]
    sign = _SIGN if len(aksharas) > 1 else _BINDU
    found = {
        "sound-alike": [
            Edit(match.start(), match.end(), replacement)
            for pattern, replacement in _sound_alike(language)
            for match in pattern.finditer(word)
        ],
        "sign left out": [Edit(match.start(), match.end(), "") for match in sign.finditer(word)],
        "akshara swapped": [Edit(one.start(), two.end(), two[0] + one[0]) for one, two in neighbours],
        "akshara left out": [Edit(match.start(), match.end(), "") for match in inner],
        "akshara doubled": [Edit(match.end(), match.end(), match[0]) for match in inner],
    }
    return {kind: edits for kind, edits in found.items() if edits}


def _can_be_written(before: str, after: str) -> bool:
    """Whether a mistake changes the word and brings in no impossible sequence that was not there before it."""
    before, after = unicodedata.normalize("NFC", before), unicodedata.normalize("NFC", after)
    had = impossible_sequences(before)
    return before != after and all(count <= had[name] for name, count in impossible_sequences(after).items())


@lru_cache
def _sound_alike(language: str) -> list[tuple[regex.Pattern[str], str]]:
    return [(regex.compile(pattern), replacement) for pattern, replacement in SOUND_ALIKE[language].items()]


@lru_cache
def _letter(language: str) -> regex.Pattern[str]:
    """The beginning of an akshara of the language's script."""
    from corpora.languages import get_language

    return regex.compile(rf"[\p{{L}}&&\p{{Script={get_language(language).script_property}}}]", regex.V1)
