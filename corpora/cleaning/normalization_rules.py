"""The rules of the normaliser, in the order in which they are applied. See `normalize.py` for what they promise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any

import regex

from corpora.cleaning.rules import Flag, Rule, WordRule

ZWNJ, ZWJ = "\u200c", "\u200d"
VIRAMAS = "\u094d\u09cd"

_SPLIT_VOWELS = {
    # The Unicode Standard, chapter 12, vowel letters of Devanagari and Bengali: the sequences not to be used.
    "अॅ": "ॲ",
    "अा": "आ",
    "अॉ": "ऑ",
    "आॅ": "ऑ",
    "अो": "ओ",
    "आे": "ओ",
    "अौ": "औ",
    "आै": "औ",
    "उु": "ऊ",
    "एॅ": "ऍ",
    "एे": "ऐ",
    "অা": "আ",
    # A vowel sign in two pieces, in either order; fonts draw it like the whole one, and a syllable has but one vowel.
    "ाॅ": "ॉ",
    "ाे": "ो",
    "ाै": "ौ",
    "ॅा": "ॉ",
    "ेा": "ो",
    "ैा": "ौ",
}
SIGN = "\u093a\u093b\u093e-\u094c\u094e\u094f\u0955-\u0957\u09be-\u09c4\u09c7-\u09cc\u09d7\u0962\u0963\u09e2\u09e3"
"""Dependent vowel signs (inside a character class, like the four below)."""
ANUSVARA = "\u0901\u0902\u0981"
_OVERPRINTING = "\u0901\u0902\u093c\u0941-\u0948\u0962\u0963\u0981\u09bc\u09c1-\u09c4\u09e2\u09e3"
MARK = (
    "\u0900-\u0903\u093a-\u093c\u093e-\u094f\u0955-\u0957\u0962\u0963"
    "\u0981-\u0983\u09bc\u09be-\u09cd\u09d7\u09e2\u09e3\u09fe"
)
LETTER = (
    "\u0904-\u0939\u093d\u0950\u0958-\u0961\u0971-\u097f\u0980\u0985-\u09b9\u09bd\u09ce\u09dc-\u09e1\u09f0\u09f1\u09fc"
)
CONSONANT = "\u0915-\u0939\u0958-\u095f\u0978-\u097f\u0995-\u09b9\u09dc-\u09df\u09f0\u09f1"
NUKTAS = "\u093c\u09bc"
INDIC = r"\p{Script=Devanagari}\p{Script=Bengali}"


def _joiners(match: Any) -> str:
    """A run of ZWJ and ZWNJ: the one joiner that changes the shape in this place, or nothing.

    Checked against HarfBuzz with Noto Sans Devanagari and Hind Siliguri (`tests/benchmarks/bench_cleaning.py`).
    """
    text, run = match.string, match[0]
    start, end = match.span()
    before, after = text[max(start - 1, 0) : start], text[end : end + 2]
    if before and before in VIRAMAS:
        return ZWJ if run[0] == ZWJ else ZWNJ if after[:1].isalpha() else ""
    if _ENDS_CONSONANT.match(before):
        if before == "র" and after == "্য":
            return ZWJ
        if after[:1] and after[0] in VIRAMAS:
            return "" if after == "্য" else run[0]
        if after[:1] and after[0] in "ुूृ":
            return run[0]
        if after[:1] and after[0] in "ুূৃ" and run[0] == ZWNJ:
            return ZWNJ
    if run == ZWJ and _BEFORE_EMOJI_JOINER.match(before) and _EMOJI.match(after):
        return ZWJ
    return ""


_ENDS_CONSONANT = re.compile(f"[{CONSONANT}{NUKTAS}]")
_EMOJI = regex.compile(r"\p{Extended_Pictographic}")
_BEFORE_EMOJI_JOINER = regex.compile(r"[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]")


def _before_punctuation(match: Any) -> str:
    """Spaces before a punctuation mark: nothing if the mark closes what stands before it."""
    text, (start, end) = match.string, match.span()
    before, mark, after = text[max(start - 1, 0) : start], text[end], text[end + 1 : end + 2]
    follows_word = before.isalnum() or unicodedata.category(before or " ").startswith("M")
    if mark in "।॥":
        return "" if follows_word or (before and before in "'\"’”)…") else match[0]
    return "" if follows_word and (not after or after.isspace() or after in "'\"’”)") else match[0]


def _pattern(pattern: str) -> Any:
    return regex.compile(pattern, regex.VERSION1) if r"\p" in pattern else re.compile(pattern)


def rule(
    name: str,
    pattern: str,
    replacement: str | Callable[[Any], str],
    purpose: str,
    languages: str | None = None,
) -> Rule:
    """A rule from a pattern in the syntax of `re`, or of `regex` if it names Unicode properties."""
    return Rule(name, _pattern(pattern), replacement, purpose, frozenset(languages.split()) if languages else None)


UNICODE_FORM = WordRule(
    "Unicode form",
    None,
    "",
    "NFC: one spelling for nukta letters, ऱ, ो and ৌ (counted in words).",
    function=partial(unicodedata.normalize, "NFC"),
)

CHARACTER_RULES: tuple[Rule, ...] = (
    # Applied once, in this order.
    rule("line end", r"\r\n?|[\v\f\x85\u2028]", "\n", "Windows, old Mac and Unicode line ends become a line feed."),
    rule("paragraph separator", r"\u2029", "\n\n", "U+2029 becomes an empty line."),
    rule(
        "invisible character",
        r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]",
        "",
        "Controls, zero-width spaces, byte order marks, soft hyphens and directional marks are removed.",
    ),
    rule(
        "odd space",
        r"[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]",
        " ",
        "Tabs and no-break, em, hair and other spaces become a space.",
    ),
)

LETTER_RULES: tuple[Rule, ...] = (
    # Applied again and again until nothing changes, since one can make room for another.
    rule("khanda ta", f"ত্{ZWJ}+", "ৎ", "The legacy spelling of ৎ, ত with virama and ZWJ, becomes the letter."),
    rule(
        "joiner",
        f"[{ZWNJ}{ZWJ}]+",
        _joiners,
        "ZWJ and ZWNJ go unless they change the shape: ZWJ after a virama, ZWNJ between virama and letter, either "
        "before a virama or a sign that would ligate, ZWJ in র‍্য (also where ZWNJ stands for it), and in emoji.",
    ),
    rule(
        "doubled mark",
        rf"([{_OVERPRINTING}])\1+",
        r"\1",
        "A mark typed twice that overprints itself (ेे, ুু, ंं) is written once.",
    ),
    rule("doubled virama", rf"([{VIRAMAS}])\1+", r"\1", "A virama typed twice is written once."),
    rule(
        "anusvara before vowel sign",
        f"[{ANUSVARA}][{SIGN}]",
        lambda match: match[0][::-1],
        "Candrabindu and anusvara stand after the vowel sign.",
    ),
    rule(
        "nukta after vowel sign",
        f"(?<=[कखगजडढफডঢয])[{SIGN}][़়]",
        lambda match: match[0][::-1],
        "Nukta stands before the vowel sign (ड + ि + ़ becomes ड़ि).",
    ),
    rule(
        "split vowel",
        "|".join(_SPLIT_VOWELS),
        lambda match: _SPLIT_VOWELS[match[0]],
        "A vowel typed in two pieces (अ+ा, ा+े, অ+া) becomes one character.",
    ),
)

LAYOUT_RULES: tuple[Rule, ...] = (
    # Applied once, in this order.
    rule(
        "vertical bar",
        rf"(?<=[{INDIC}]['\"’”)!?.…]*[ ]*)(?<!\|)\|(?=$|[\s'\"’”){INDIC}])",
        "।",
        "A vertical bar after Indic text is the danda it was typed for.",
        languages="hi bn",
    ),
    rule(
        "space before punctuation",
        " +(?=[।॥,;!?])",
        _before_punctuation,
        "No space before danda, comma, semicolon, exclamation and question mark.",
    ),
    rule("space after danda", r"।(?=\p{L})", "। ", "A space between a danda and the next sentence."),
    rule("space at an end", r"\A[ \n]+|[ \n]+\Z", "", "No space or empty line before the text and after it."),
    rule(
        "white space",
        r" [ \n]+|\n(?=\n* |\n\n)[ \n]+",
        lambda match: "\n" * min(match[0].count("\n"), 2) or " ",
        "Runs of spaces become one, exactly one empty line parts paragraphs, and lines have no space at their ends.",
    ),
)

FLAGS: tuple[Flag, ...] = (
    # Counted in the text as it is at the end.
    Flag(
        "flag: mark without letter",
        re.compile(f"(?<![{LETTER}{MARK}{ZWNJ}{ZWJ}])[{MARK}]"),
        "",
        "A vowel sign, virama, nukta or anusvara at the beginning of a word or after a foreign letter.",
    ),
    Flag(
        "flag: two vowel signs",
        re.compile(f"[{SIGN}{VIRAMAS}][{ZWNJ}{ZWJ}]?[{SIGN}]"),
        "",
        "A vowel sign after another one, or after a virama.",
    ),
    Flag(
        "flag: replacement character",
        re.compile("[\ue000-\uf8ff\ufffd]"),
        "",
        "U+FFFD, left by a failed decoding, or a character for private use.",
    ),
)

RULES = (*CHARACTER_RULES, UNICODE_FORM, *LETTER_RULES, *LAYOUT_RULES)
