r"""Whether a text uses a word, in whatever form: recognised by rules of the language, not by a dictionary of forms.

`languages/CODE.yaml` has under `inflection` for each part of speech a list of rules `[pattern, endings]`. A word in
dictionary form that matches the whole pattern may stand as its first group followed by one of the endings; `\2` in them
is the second group, S is the language's `suffixes` (Marathi case endings and postpositions on an oblique stem, Bengali
articles and cases) and E its `verb_endings`. `irregular` adds whole forms. `fold` first brings word and text into one
spelling, where spelling varies (हिन्दी, हिंदी; রাণী, রানি), or where a stem's vowel does (Marathi फूल, फुलात).

The rules want recall first: a story must not be thrown away because it inflects. What they take for a form that is none
is measured too (`tests/corpora/test_llm_inflection.py`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import regex

from corpora.llm.knowledge import knowledge

_WORD = regex.compile(r"[\p{L}\p{M}\u200c\u200d]+(?:['’][\p{L}]+)?")
WINDOW = 6
"""A word of several parts (`बंद करना`) counts as used where its parts stand among this many words of one another."""


def words(text: str, language: str) -> list[str]:
    """The words of a text in the spelling that forms are compared in."""
    return [fold(word, language) for word in _WORD.findall(unicodedata.normalize("NFC", text))]


@lru_cache(maxsize=100_000)
def fold(word: str, language: str) -> str:
    """One spelling for all that mean the same word."""
    folded = unicodedata.normalize("NFC", word).casefold()
    for pattern, replacement in knowledge(language).inflection["fold"]:
        folded = regex.sub(pattern, replacement, folded)
    return folded


def uses(text: Sequence[str], word: str, part_of_speech: str, language: str) -> bool:
    """Whether `text` (see `words`) has a form of `word`, which is in dictionary form and may have several parts."""
    *parts, last = regex.split(r"[\s-]+", word)
    kinds = ["noun"] * len(parts) + [part_of_speech]
    patterns = [forms(part, kind, language) for part, kind in zip([*parts, last], kinds, strict=True)]
    head = patterns[-1]
    for place, token in enumerate(text):
        if head.fullmatch(token):
            near = text[max(0, place - WINDOW) : place + WINDOW]
            if all(any(pattern.fullmatch(other) for other in near) for pattern in patterns[:-1]):
                return True
    return False


@lru_cache(maxsize=10_000)
def forms(word: str, part_of_speech: str, language: str) -> Any:
    """A compiled pattern that matches every form of a word, folded."""
    rules = knowledge(language).inflection
    folded = fold(word, language)
    alternatives = [regex.escape(folded)]
    for pattern, endings in rules[part_of_speech]:
        if match := regex.fullmatch(pattern, folded):
            stem, *rest = match.groups()
            endings = endings.replace(r"\2", regex.escape(rest[0]) if rest else "")
            alternatives.append(f"{regex.escape(stem)}(?:{_spell_out(endings, rules)})")
    for irregular, pattern in rules["irregular"].items():
        if fold(irregular, language) == folded:
            alternatives.append(_spell_out(pattern, rules))
    return regex.compile("|".join(alternatives))


def _spell_out(pattern: str, rules: dict[str, Any]) -> str:
    return pattern.replace("S", f"(?:{rules.get('suffixes')})").replace("E", f"(?:{rules.get('verb_endings')})")
