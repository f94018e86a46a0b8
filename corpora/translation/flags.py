"""What makes a translated sentence doubtful: rules that need no second model, each with a name and a threshold."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass

import regex

from corpora.cleaning.identify import UNKNOWN, identify
from corpora.languages import Language, get_language
from corpora.scripts import count_letters

_WORD = regex.compile(r"[\p{L}\p{M}\u200c\u200d]+")
_NUMBER = regex.compile(r"\p{Nd}+(?:[.,]\p{Nd}+)*")
_IDENTIFIABLE = 5
"""Different words from which on the language of a sentence is looked at: shorter ones may be of either."""


@dataclass(frozen=True)
class Checks:
    """Thresholds of the flags of one sentence.

    The defaults are such that the reference translations of Katha-72 and of Pratham's stories hardly raise a flag
    (`tests/corpora/test_translation_flags.py`).

    Args:
        shortest: least letters and marks of a translation, per letter of its source (five are added to both, so that
            short sentences have room).
        longest: most letters and marks of a translation, per letter of its source.
        script: least share of the letters that belong to the script of the target language.
        copied: the share of the source's words (four or more) from which a translation in the same script is a copy.
        repeats: how many times the same words may follow each other, unless the source repeats as well.
    """

    shortest: float = 0.4
    longest: float = 2.5
    script: float = 0.9
    copied: float = 0.75
    repeats: int = 3

    def flags(self, source: str, translation: str, source_language: str, target_language: str) -> list[str]:
        """The names of what is wrong with a translation; empty if nothing is seen.

        `empty`, `length`, `script` (letters of another script, or one letter of a script that is neither the target's
        nor in the source), `language` (another language in the right script:
        Hindi for Marathi), `copied`, `repetition`, `digits` (numbers, in whatever digits, lost or made up).
        """
        letters = _letters(translation)
        if not letters:
            return ["empty"] if _letters(source) else []
        found = []
        ratio = (letters + 5) / (_letters(source) + 5)
        if not self.shortest <= ratio <= self.longest:
            found.append("length")
        target = get_language(target_language)
        if len(target.letters.findall(translation)) < self.script * letters or _foreign(source, translation, target):
            found.append("script")
        elif len(set(_WORD.findall(translation))) >= _IDENTIFIABLE and identify(translation) not in (
            target_language,
            UNKNOWN,
        ):
            found.append("language")
        if self._is_copy(source, translation):
            found.append("copied")
        if _repeats(translation) > max(self.repeats, _repeats(source)):
            found.append("repetition")
        if numbers(source) != numbers(translation):
            found.append("digits")
        return found

    def _is_copy(self, source: str, translation: str) -> bool:
        """Almost the same words; a short cry or name may well be the same in two languages of one script."""
        own, others = (_WORD.findall(text.casefold()) for text in (source, translation))
        if len(own) < 4 or len(set(own)) < 3:
            return False
        return sum((Counter(own) & Counter(others)).values()) >= self.copied * len(own)


def _foreign(source: str, translation: str, target: Language) -> bool:
    """Whether a letter of ours is of a script that neither the target language nor the source is written in."""
    counts = count_letters(translation)._asdict()
    there = count_letters(source)._asdict()
    own = count_letters("".join(target.letters.findall(translation)))._asdict()
    return any(count > own[script] and not there[script] for script, count in counts.items())


def numbers(text: str) -> Counter[str]:
    """The numbers written in digits, in ASCII and without separators; a decimal point stays."""
    found: Counter[str] = Counter()
    for number in _NUMBER.findall(text):
        plain = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in number)
        found[plain.replace(",", "")] += 1
    return found


def _letters(text: str) -> int:
    return len(regex.findall(r"[\p{L}\p{M}]", text))


def _repeats(text: str) -> int:
    """How many times in a row the same run of one to eight words comes, at most; words glued together count as well."""
    found = _WORD.findall(text.casefold())
    most = 1 if found else 0
    for size in range(1, min(8, len(found) // 2) + 1):
        run = 0
        for first, second in zip(found, found[size:], strict=False):
            run = run + 1 if first == second else 0
            most = max(most, run // size + 1)
    for word in found:
        if len(word) > 20 and (match := regex.search(r"(\X{1,6}?)\1{4,}", word)):
            most = max(most, len(match[0]) // len(match[1]))
    return most
