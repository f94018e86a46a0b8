"""Words, sentences and aksharas of a text, by indic-nlp-library's rules and Unicode's."""

from __future__ import annotations

import regex

_AKSHARA = regex.compile(r"\X")
_EDGES = regex.compile(r"^[^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}\u200c\u200d]+$")
_INDIC_LETTER = regex.compile(r"[\p{L}\p{M}\p{N}]")
# trivial_tokenize parts ASCII punctuation and dandas only.
_TYPOGRAPHIC = regex.compile(r"[\p{P}\p{S}\p{Z}\s--[\p{ASCII}।॥]]|\s", flags=regex.V1)


def words(text: str, language: str) -> list[str]:
    """The words of a text: trivial_tokenize's tokens that hold a letter, mark or digit, without edge punctuation."""
    from indicnlp.tokenize.indic_tokenize import trivial_tokenize

    tokens = (_EDGES.sub("", token) for token in trivial_tokenize(_TYPOGRAPHIC.sub(" ", text), language))
    return [token for token in tokens if token]


def sentences(text: str, language: str) -> list[str]:
    """The sentences of a text, paragraph by paragraph; a quotation mark left alone joins the sentence before it."""
    from indicnlp.tokenize.sentence_tokenize import sentence_split

    found: list[str] = []
    for paragraph in filter(str.strip, text.splitlines()):
        inside: list[str] = []
        for piece in sentence_split(paragraph, language):
            if inside and not _INDIC_LETTER.search(piece):
                inside[-1] += piece
            else:
                inside.append(piece.strip())
        found += inside
    return found or [text]


def count_aksharas(text: str) -> int:
    """Number of extended grapheme clusters (Unicode UAX 29): letters with their vowel signs, conjuncts whole."""
    return sum(1 for _ in _AKSHARA.finditer(text))
