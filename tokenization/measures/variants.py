"""Other ways to write the same text: Unicode's normal forms, nukta letters, joiners, punctuation, digits and spaces.

Each variant is a set of substitutions: every place outside them has one place in the text that comes out.
All but `joiners_removed` keep the reading; that one is what many normalisers do.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import regex

from corpora.languages import LANGUAGES


class Edit(NamedTuple):
    """A part of a text, in code points, and what takes its place."""

    start: int
    end: int
    replacement: str


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text with its parts replaced; the edits are in order and do not overlap."""
    pieces, at = [], 0
    for edit in edits:
        pieces += [text[at : edit.start], edit.replacement]
        at = edit.end
    return "".join([*pieces, text[at:]])


@dataclass(frozen=True)
class Variant:
    """One other way to write a text."""

    name: str
    title: str
    """What is done to the text."""
    languages: tuple[str, ...]
    """Languages (ISO 639-1) in whose texts it is met."""
    pattern: regex.Pattern[str]
    replace: Callable[[regex.Match[str]], str]
    """What takes the place of a match."""
    canonical: bool = False
    """Whether the texts are canonically equivalent: the same to Unicode, with one NFC."""

    def edits(self, text: str) -> list[Edit]:
        """The parts that it changes, in order."""
        found = (Edit(match.start(), match.end(), self.replace(match)) for match in self.pattern.finditer(text))
        return [edit for edit in found if edit.replacement != text[edit.start : edit.end]]

    def __call__(self, text: str) -> str:
        return apply_edits(text, self.edits(text))

    def applies(self, text: str) -> bool:
        """Whether it changes the text."""
        return bool(self.edits(text))


def variants(language: str) -> dict[str, Variant]:
    """The variants that are met in texts of a language (ISO 639-1), by name; none for a language that is not known."""
    return {variant.name: variant for variant in VARIANTS if language in variant.languages}


def _form(form: Literal["NFC", "NFD"]) -> Callable[[regex.Match[str]], str]:
    return lambda match: unicodedata.normalize(form, match[0])


def _always(replacement: str) -> Callable[[regex.Match[str]], str]:
    return lambda match: replacement


def _translate(source: str, target: str) -> Callable[[regex.Match[str]], str]:
    table = str.maketrans(source, target)
    return lambda match: match[0].translate(table)


def _curl(match: regex.Match[str]) -> str:
    return match[0].translate(str.maketrans("\"'", "“‘" if match["opening"] else "”’"))


_COMPOSED = {
    unicodedata.normalize("NFD", letter): letter
    for letter in "\u0958\u0959\u095a\u095b\u095c\u095d\u095e\u095f\u09dc\u09dd\u09df"
}
"""Nukta letters that NFC takes apart (Unicode's composition exclusions)."""
_DEVANAGARI, _BENGALI, _ASCII = LANGUAGES["hi"].digits, LANGUAGES["bn"].digits, "0123456789"
_NUMBER = regex.compile(r"(?<![A-Za-z0-9])[0-9]+(?![A-Za-z0-9])")
_INDIC, _EVERY = ("hi", "mr", "bn"), ("hi", "mr", "bn", "en")

VARIANTS = (
    Variant("nfc", "NFC (takes क़ and ড় apart, composes ऱ and ো)", _INDIC, regex.compile(r"\X"), _form("NFC"), True),
    Variant("nfd", "NFD (takes apart ऱ and ো too)", _INDIC, regex.compile(r"\X"), _form("NFD"), True),
    Variant(
        "nukta_composed",
        "letter + nukta as one code point (U+0958–095F, U+09DC, U+09DD, U+09DF)",
        _INDIC,
        regex.compile("|".join(_COMPOSED)),
        lambda match: _COMPOSED[match[0]],
        True,
    ),
    Variant(
        "vowel_signs_apart", "ো and ৌ as two vowel signs", ("bn",), regex.compile("[\u09cb\u09cc]"), _form("NFD"), True
    ),
    Variant(
        "joiners_removed",
        "ZWJ and ZWNJ removed (र्‍या becomes र्या, র‍্যা becomes র্যা)",
        _INDIC,
        regex.compile("[\u200c\u200d]"),
        _always(""),
    ),
    # A letter with a stem, not before र nor in a ligature.
    Variant(
        "half_forms",
        "ZWJ behind the virama where a half form is drawn anyway",
        ("hi", "mr"),
        regex.compile("(?<=([खगघचणथधनपबभमयलवषस])्)(?=[क-ह])(?!र|\\1|[टठ])"),
        _always("\u200d"),
    ),
    Variant("khanda_ta_spelled", "ৎ as ত + hasanta + ZWJ", ("bn",), regex.compile("ৎ"), _always("ত্\u200d")),
    Variant("khanda_ta_composed", "ত + hasanta + ZWJ as ৎ", ("bn",), regex.compile("ত্\u200d"), _always("ৎ")),
    Variant("full_stop", "full stop for danda", ("hi", "bn"), regex.compile("।"), _always(".")),
    # In mid-line a full stop may stand behind an abbreviation.
    Variant(
        "danda",
        "danda for the full stop that ends a line",
        ("hi", "bn"),
        regex.compile(r"(?<=[\p{Devanagari}\p{Bengali}]['\"’”]*)\.(?=['\"’”]*\s*$)", regex.MULTILINE),
        _always("।"),
    ),
    Variant(
        "ascii_digits",
        "ASCII digits for native ones",
        _INDIC,
        regex.compile(f"[{_DEVANAGARI}{_BENGALI}]+"),
        _translate(_DEVANAGARI + _BENGALI, _ASCII * 2),
    ),
    Variant("native_digits", "native digits for ASCII ones", ("hi", "mr"), _NUMBER, _translate(_ASCII, _DEVANAGARI)),
    Variant("native_digits", "native digits for ASCII ones", ("bn",), _NUMBER, _translate(_ASCII, _BENGALI)),
    Variant(
        "straight_quotes",
        "straight quotes for curly ones",
        _EVERY,
        regex.compile("[“”„‘’]"),
        _translate("“”„‘’", '"""\'\''),
    ),
    Variant(
        "curly_quotes",
        "curly quotes for straight ones",
        _EVERY,
        regex.compile(r"(?P<opening>(?<![^\s(\[{“‘—–-])[\"']+)|[\"']"),
        _curl,
    ),
    Variant(
        "double_space", "every space between words doubled", _EVERY, regex.compile(r"(?<=\S) (?=\S)"), _always("  ")
    ),
    Variant("no_break_space", "every space a no-break space", _EVERY, regex.compile(" "), _always("\u00a0")),
)
"""Every variant; a name stands once for each language."""
