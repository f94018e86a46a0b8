"""Rules of the normaliser that are applied on request: digits, quotation marks, and what ends a sentence."""

from __future__ import annotations

from corpora.cleaning.normalization_rules import INDIC, rule
from corpora.cleaning.rules import Rule

_DIGITS = {"ascii": "0123456789", "hi": "०१२३४५६७८९", "mr": "०१२३४५६७८९", "bn": "০১২৩৪৫৬৭৮৯"}
_ABBREVIATIONS = (
    "डॉ|श्री|श्रीमती|पं|प्रो|स्व|रु|रू|कु|चि|नं|कि|ए|बी|सी|डी|ई|एफ|एच|आई|जे|एल|एम|एन|ओ|पी|आर|एस|टी|यू|वी"
    "|ডা|ডঃ|ড|মি|মিসেস|মো|মোঃ|প্রো|নং|এ|বি|সি|ডি|জি|জে|কে|এল|এম|এন|পি|আর|এস|টি|ভি"
)
_QUOTES = str.maketrans("“”„‟«»″〝〞‘’‚‛′`´", '"' * 9 + "'" * 7)


def digits(to: str) -> Rule:
    """Devanagari, Bengali and ASCII digits become those of a language (ISO 639-1 code), or "ascii"."""
    every = "0-9०-९০-৯"
    table = {ord(digit): new for digits in _DIGITS.values() for digit, new in zip(digits, _DIGITS[to], strict=True)}
    return rule(
        "digits",
        rf"(?<![A-Za-z{every}])[{every}]+(?![A-Za-z{every}])",
        lambda match: match[0].translate(table),
        "Numbers, but not digits beside Latin letters, are written in one kind of digits.",
    )


STRAIGHT_QUOTES: tuple[Rule, ...] = (
    rule(
        "quotation mark",
        "[" + "".join(map(chr, _QUOTES)) + "]|''",
        lambda match: match[0].translate(_QUOTES) if match[0] != "''" else '"',
        "Curly, low and angle quotation marks, primes and two apostrophes become the straight mark.",
    ),
)

NATIVE_STOPS: tuple[Rule, ...] = (
    rule(
        "full stop to danda",
        rf"(?<=[{INDIC}&&[\p{{L}}\p{{M}}]])(?<!(?<![\p{{L}}\p{{M}}])(?:{_ABBREVIATIONS}))\.(?=['\"’”)]*(?:\s|$))",
        "।",
        "A full stop that ends a Hindi or Bengali sentence, not one after an initial or abbreviation, is a danda.",
        languages="hi bn",
    ),
    rule("danda to full stop", "।", ".", "Marathi ends its sentences with a full stop.", languages="mr"),
)
