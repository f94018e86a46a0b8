"""A first normaliser for stories: one form for what looks the same, and nothing that carries meaning is lost.

Each rule has a name, is counted, and changes only what is surely wrong. What it promises, and the tests hold it to:

- Applying it twice changes nothing more.
- Letters and marks stay, apart from canonical equivalents (NFC), vowels typed in two pieces that become one character,
  and a mark typed twice that overprints itself.
- ZWJ and ZWNJ stay where they carry meaning: after a virama (Marathi eyelash र्‍या, explicit half forms and visible
  viramas), in Bengali র‍্য, and within emoji.
- Quotes, dashes, digits, colons (a colon is never made a visarga), ॲ, and ळ are left as they are.

One Unicode form means NFC for every language. NFC *de*composes U+0958-095F (क़ … य़) and U+09DC, 09DD, 09DF (ড় ঢ় য়),
which are composition exclusions, and composes ऱ, ো and ৌ: whatever came in, each of them has one spelling afterwards.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import regex

ZWNJ, ZWJ = "\u200c", "\u200d"
VIRAMA, VIRAMA_BN = "\u094d", "\u09cd"

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
_SIGN = "\u093a\u093b\u093e-\u094c\u094e\u094f\u0955-\u0957\u09be-\u09c4\u09c7-\u09cc\u09d7"
_OVERPRINTING = "\u0901\u0902\u093c\u0941-\u0948\u0962\u0963\u0981\u09bc\u09c1-\u09c4\u09e2\u09e3"
_INDIC = r"\p{Script=Devanagari}\p{Script=Bengali}"


@dataclass(frozen=True)
class Rule:
    """One change: every match of the pattern is replaced, and counted where that changes the text."""

    name: str
    pattern: Any
    """A compiled pattern of `re`, or of `regex` where Unicode properties are needed (it is slower)."""
    replacement: str | Callable[[Any], str]
    purpose: str
    languages: frozenset[str] | None = None
    """ISO 639-1 codes the rule is for; all if None."""

    def apply(self, text: str, counts: Counter[str]) -> str:
        """The text after this rule; `counts[name]` grows by the number of places changed."""
        if isinstance(self.replacement, str):
            text, changed = self.pattern.subn(self.replacement, text)
        else:
            replacement = self.replacement
            changed = sum(replacement(match) != match[0] for match in self.pattern.finditer(text))
            if changed:
                text = self.pattern.sub(replacement, text)
        if changed:
            counts[self.name] += changed
        return text


class UnicodeForm(Rule):
    """NFC for the whole text, counted in words."""

    def apply(self, text: str, counts: Counter[str]) -> str:
        new = unicodedata.normalize("NFC", text)
        if new != text:
            counts[self.name] += sum(map(operator.ne, text.split(" "), new.split(" ")))
        return new


class WhiteSpace(Rule):
    """Runs of spaces and line feeds; those at the ends of the text go."""

    def apply(self, text: str, counts: Counter[str]) -> str:
        stripped = text.strip(" \n")
        if stripped != text:
            counts[self.name] += 1
        return super().apply(stripped, counts)


def _joiners(match: Any) -> str:
    """A run of ZWJ and ZWNJ: the one joiner that carries meaning in this place, or nothing."""
    text, run = match.string, match[0]
    before, after = text[: match.start()][-1:], text[match.end() : match.end() + 2]
    if before in (VIRAMA, VIRAMA_BN):
        return run[0]
    if before == "র" and after == "্য":
        return ZWJ
    if run == ZWJ and _BEFORE_EMOJI_JOINER.match(before) and _EMOJI.match(after):
        return ZWJ
    return ""


_EMOJI = regex.compile(r"\p{Extended_Pictographic}")
_BEFORE_EMOJI_JOINER = regex.compile(r"[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]")


def _before_punctuation(match: Any) -> str:
    """Spaces before a punctuation mark: nothing if the mark closes what stands before it."""
    text = match.string
    before, mark, after = text[: match.start()][-1:], text[match.end()], text[match.end() + 1 : match.end() + 2]
    follows_word = before.isalnum() or unicodedata.category(before or " ").startswith("M")
    if mark in "।॥":
        return "" if follows_word or (before and before in "'\"’”)…") else match[0]
    return "" if follows_word and (not after or after.isspace() or after in "'\"’”)") else match[0]


def _rule(
    name: str,
    pattern: str,
    replacement: str | Callable[[Any], str],
    purpose: str,
    languages: str | None = None,
) -> Rule:
    codes = frozenset(languages.split()) if languages else None
    compiled = regex.compile(pattern, regex.VERSION1) if r"\p" in pattern else re.compile(pattern)
    return Rule(name, compiled, replacement, purpose, codes)


_UNICODE_FORM = UnicodeForm(
    "Unicode form", re.compile(""), "", "NFC: one spelling for nukta letters, ऱ, ো and ৌ (counted in words)."
)

CHARACTER_RULES: tuple[Rule, ...] = (
    # Applied once, in this order.
    _rule("line end", r"\r\n?|[\v\f\x85\u2028]", "\n", "Windows, old Mac and Unicode line ends become a line feed."),
    _rule("paragraph separator", r"\u2029", "\n\n", "U+2029 becomes an empty line."),
    _rule(
        "invisible character",
        r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]",
        "",
        "Controls, zero-width spaces, byte order marks, soft hyphens and directional marks are removed.",
    ),
    _rule(
        "odd space",
        r"[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]",
        " ",
        "Tabs and no-break, em, hair and other spaces become a space.",
    ),
    _UNICODE_FORM,
)

LETTER_RULES: tuple[Rule, ...] = (
    # Applied again and again until nothing changes, since one can make room for another.
    _rule("khanda ta", "ত্\u200d+", "ৎ", "The legacy spelling of ৎ, ত with virama and ZWJ, becomes the letter."),
    _rule(
        "joiner",
        f"[{ZWNJ}{ZWJ}]+",
        _joiners,
        "ZWJ and ZWNJ go, except one after a virama, the ZWJ in র‍্য (also where ZWNJ stands for it), and within emoji.",
    ),
    _rule(
        "doubled mark",
        rf"([{_OVERPRINTING}])\1+",
        r"\1",
        "A mark typed twice that overprints itself (ेे, ুু, ंं) is written once.",
    ),
    _rule(
        "anusvara before vowel sign",
        f"[ँंঁ][{_SIGN}]",
        lambda match: match[0][::-1],
        "Candrabindu and anusvara stand after the vowel sign.",
    ),
    _rule(
        "nukta after vowel sign",
        f"(?<=[कखगजडढफডঢয])[{_SIGN}][़়]",
        lambda match: match[0][::-1],
        "Nukta stands before the vowel sign (ड + ि + ़ becomes ड़ि).",
    ),
    _rule(
        "split vowel",
        "|".join(_SPLIT_VOWELS),
        lambda match: _SPLIT_VOWELS[match[0]],
        "A vowel typed in two pieces (अ+ा, ा+े, অ+া) becomes one character.",
    ),
)

LAYOUT_RULES: tuple[Rule, ...] = (
    # Applied once, in this order.
    _rule(
        "vertical bar",
        rf"(?<=[{_INDIC}]['\"’”)!?.…]*[ ]*)(?<!\|)\|(?=$|[\s'\"’”){_INDIC}])",
        "।",
        "A vertical bar after Indic text is the danda it was typed for.",
        languages="hi bn",
    ),
    _rule(
        "space before punctuation",
        " +(?=[।॥,;!?])",
        _before_punctuation,
        "No space before danda, comma, semicolon, exclamation and question mark.",
    ),
    _rule("space after danda", r"।(?=\p{L})", "। ", "A space between a danda and the next sentence."),
    WhiteSpace(
        "white space",
        re.compile(r" [ \n]+|\n(?=\n* |\n\n)[ \n]+"),
        lambda match: "\n" * min(match[0].count("\n"), 2) or " ",
        "Runs of spaces become one, exactly one empty line parts paragraphs, and lines have no space at their ends.",
    ),
)

RULES = CHARACTER_RULES + LETTER_RULES + LAYOUT_RULES


def normalize(text: str, language: str, counts: Counter[str] | None = None) -> str:
    """The text in the one form described above.

    Args:
        text: a story, paragraphs parted by empty lines.
        language: ISO 639-1 code; a few rules are for some languages only.
        counts: grows by the number of places each rule changed.
    """
    counts = Counter() if counts is None else counts
    characters, letters, layout = _rules_for(language)
    for rule in characters:
        text = rule.apply(text, counts)
    before = ""
    while text != before:
        before = text
        for rule in letters:
            text = rule.apply(text, counts)
        if text != before:
            text = _UNICODE_FORM.apply(text, counts)
    for rule in layout:
        text = rule.apply(text, counts)
    return text


@cache
def _rules_for(language: str) -> tuple[tuple[Rule, ...], ...]:
    return tuple(
        tuple(rule for rule in rules if rule.languages is None or language in rule.languages)
        for rules in (CHARACTER_RULES, LETTER_RULES, LAYOUT_RULES)
    )
