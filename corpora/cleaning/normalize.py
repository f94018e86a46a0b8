"""The normaliser for stories: one form for what looks the same, and nothing that carries meaning is lost.

Each rule (`normalization_rules.py`) has a name, is counted, and changes only what is surely wrong. What it promises,
and the tests hold it to:

- Applying it twice changes nothing more.
- With the log of its edits, the original is restored exactly.
- Letters and marks stay, apart from canonical equivalents (NFC), vowels typed in two pieces that become one character,
  and a mark typed twice that overprints itself.
- ZWJ and ZWNJ stay where they change the shape: after a virama (Marathi eyelash र्‍या, explicit half forms and visible
  viramas), in Bengali র‍্য, and within emoji.
- Quotes, digits and full stops are left as they are unless chosen otherwise; dashes, colons (a colon is never made a
  visarga), ॲ, and ळ always are.
- What is broken and cannot be mended for sure is counted (`flag: …`) and left.

One Unicode form means NFC for every language, for corpora and tokenizers alike. NFC *de*composes U+0958-095F (क़ … य़)
and U+09DC, 09DD, 09DF (ড় ঢ় য়), which are composition exclusions, and composes ऱ, ো and ৌ: whatever came in, each of
them has one spelling afterwards.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

from corpora.cleaning.normalization_choices import NATIVE_STOPS, STRAIGHT_QUOTES, digits
from corpora.cleaning.normalization_rules import (
    ANUSVARA,
    CHARACTER_RULES,
    FLAGS,
    LAYOUT_RULES,
    LETTER,
    LETTER_RULES,
    MARK,
    NUKTAS,
    RULES,
    SIGN,
    UNICODE_FORM,
    VIRAMAS,
)
from corpora.cleaning.rules import Edit, Flag, Rule, WordRule, restore

__all__ = ["FLAGS", "RULES", "Edit", "Flag", "Normalization", "Rule", "normalize", "restore"]


@dataclass(frozen=True)
class Normalization:
    """What is normalised beyond what is surely wrong.

    Args:
        digits: keep them, or write numbers in the language's own digits or in ASCII.
        quotes: keep quotation marks, or make them all straight.
        stops: keep full stops and dandas, or end sentences as the language does (hi, bn: danda; mr: full stop).
        indic_nlp: run the normaliser of indic-nlp-library first. It loses meaning: it deletes every joiner (Marathi
            र्‍या, Bengali র‍্য), makes ॲ an ए, and makes a visarga of a colon.
    """

    digits: Literal["keep", "native", "ascii"] = "keep"
    quotes: Literal["keep", "straight"] = "keep"
    stops: Literal["keep", "native"] = "keep"
    indic_nlp: bool = False


_DEFAULT = Normalization()


def normalize(
    text: str,
    language: str,
    counts: Counter[str] | None = None,
    options: Normalization = _DEFAULT,
    edits: list[Edit] | None = None,
) -> str:
    """The text in the one form described above.

    Args:
        text: a story, paragraphs parted by empty lines.
        language: ISO 639-1 code; a few rules are for some languages only.
        counts: grows by the number of places each rule changed or flagged.
        options: what is normalised on request.
        edits: grows by every change, in order; `restore(result, edits)` gives the text back.
    """
    counts = Counter() if counts is None else counts
    rules = _rules_for(language, options)
    for rule in rules.first:
        text = rule.apply(text, counts, edits)
    if _ODD_CHARACTER.search(text):
        for rule in rules.characters:
            text = rule.apply(text, counts, edits)
    if _is_odd(text):
        text = UNICODE_FORM.apply(text, counts, edits)
        if _is_odd(text):
            text = _mend(text, rules.letters, counts, edits)
    for rule in rules.chosen:
        text = rule.apply(text, counts, edits)
    if _ODD_LAYOUT.search(text) or text[:1] in _SPACES or text[-1:] in _SPACES:
        for rule in rules.layout:
            text = rule.apply(text, counts, edits)
    for rule in rules.stops:
        text = rule.apply(text, counts, edits)
    return text


class _Rules(NamedTuple):
    """The rules for one language under some options, in order."""

    first: tuple[Rule, ...]
    characters: tuple[Rule, ...]
    letters: tuple[Rule, ...]
    chosen: tuple[Rule, ...]
    layout: tuple[Rule, ...]
    stops: tuple[Rule, ...]


@cache
def _rules_for(language: str, options: Normalization) -> _Rules:
    def own(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        return tuple(rule for rule in rules if rule.languages is None or language in rule.languages)

    chosen: list[Rule] = []
    if options.digits != "keep":
        indic = options.digits == "native" and language != "en"
        chosen.append(digits(language if indic else "ascii"))
    if options.quotes == "straight":
        chosen += STRAIGHT_QUOTES
    library = (WordRule("indic-nlp-library", None, "", "", function=_indic_nlp(language)),) if options.indic_nlp else ()
    return _Rules(
        library,
        own(CHARACTER_RULES),
        own(LETTER_RULES),
        tuple(chosen),
        own(LAYOUT_RULES),
        own(NATIVE_STOPS) if options.stops == "native" else (),
    )


def _indic_nlp(language: str) -> Callable[[str], str]:
    """The normaliser of indic-nlp-library; it has none for English."""
    if language == "en":
        return str
    from indicnlp.normalize.indic_normalize import IndicNormalizerFactory

    normalizer: Any = IndicNormalizerFactory().get_normalizer(language)
    return normalizer.normalize


def _mend(text: str, rules: tuple[Rule, ...], counts: Counter[str], edits: list[Edit] | None) -> str:
    """The text after the rules for letters; what they leave broken is counted."""
    before = ""
    while text != before:
        before = text
        for rule in rules:
            text = rule.apply(text, counts, edits)
        if text != before:
            text = UNICODE_FORM.apply(text, counts, edits)
    for flag in FLAGS:
        flag.apply(text, counts)
    return text


def _is_odd(text: str) -> bool:
    """Whether NFC or a rule for letters may change something, or a flag may be raised."""
    return bool(_ODD_CHARACTER.search(text) or _ODD_PAIR.search(text) or _LONE_MARK.search(text))


# Quick looks that most texts pass. Where none of them finds anything, no rule would: tests hold them to it.
_ODD_CHARACTER = re.compile(
    "[^\n -~\u00a1-\u00ac\u00ae-\u00ff\u0900-\u0950\u0955-\u0957\u0960-\u0983\u0985-\u09db\u09de\u09e0-\u09fd"
    "\u2010-\u2027\u20b9]"
)
"""Neither ASCII, Latin-1, or common punctuation, nor a Devanagari or Bengali character that is NFC by itself."""
_ODD_PAIR = re.compile(
    f"[अआउएঅनरळ{SIGN}{ANUSVARA}{VIRAMAS}{NUKTAS}](?=[{SIGN}{ANUSVARA}{VIRAMAS}{NUKTAS}])"
    f"(?:(?<=[अआउएঅ{SIGN}{ANUSVARA}{VIRAMAS}])[{SIGN}{NUKTAS}]|(?<=[{VIRAMAS}])[{VIRAMAS}]"
    f"|(?<=[{ANUSVARA}])[{ANUSVARA}]|(?<=[नरळ{NUKTAS}])[{NUKTAS}])"
)
"""Two characters that make room for a rule for letters, NFC, or a flag: अ+ा, ा+े, ं+े, ि+़, ्+्, र+़."""
_LONE_MARK = re.compile(f"(?<![{LETTER}{MARK}])[{MARK}]")
_ODD_LAYOUT = re.compile(r"[ \n।|](?:(?<= )[ \n।॥,;!?]|(?<=\n)(?: |\n\n)|(?<=।)\w|(?<=\|))")
_SPACES = (" ", "\n")
