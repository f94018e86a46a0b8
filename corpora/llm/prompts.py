"""Prompts by number: words drawn without replacement, a level, and the sentences that ask for the story."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml

from corpora.errors import UserError
from corpora.languages import get_language
from corpora.llm.knowledge import Knowledge, knowledge
from corpora.llm.permutation import Permutation
from corpora.llm.wordlists import WordLists, word_lists

PROFILES: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "profiles.yaml").read_text(encoding="utf-8")
)
_NATIVE_DIGITS = ("mr", "bn")
"""Languages whose modern print writes numbers with its own digits (Hindi mostly does not)."""


@dataclass(frozen=True)
class Prompt:
    """What is asked for, and what the answer is checked against."""

    id: str
    """See `Prompts.id`."""
    index: int
    """Its place in the order of drawing."""
    language: str
    """ISO 639-1 code."""
    noun: str
    verb: str
    adjective: str
    feature: str
    level: str
    least: int
    """Words that the story should have at least."""
    most: int
    """Words that it should have at most."""
    group: str
    """The same for the same three words, and for the same idea in another language where the lists are parallel."""
    text: str
    """The user's message."""


class Prompts:
    """The prompts of several languages. Number N is computed from the seed alone: any range can be asked anywhere."""

    def __init__(
        self,
        languages: Sequence[str],
        seed: int = 0,
        profile: Literal["kathalab", "regional-tinystories"] = "kathalab",
        levels: Sequence[str] = (),
        words: str = "",
    ):
        if not languages:
            raise UserError("no language is given; pass --source.languages, e.g. [hi].")
        self.languages = [get_language(code).code for code in languages]
        self.seed = seed
        self.parallel = not words
        self._levels = _levels(profile, levels)
        self._lists = word_lists(self.languages, words)
        self._knowledge: dict[str, Knowledge] = {code: knowledge(code) for code in self.languages}
        self._permutations = {code: Permutation(len(lists), seed) for code, lists in self._lists.items()}

    def __len__(self) -> int:
        """How many prompts each language has."""
        return min(len(lists) for lists in self._lists.values())

    @cached_property
    def fingerprint(self) -> dict[str, str]:
        """By language, a hash of all that decides which prompt has which number."""
        parts: dict[str, Any] = {"seed": self.seed, "levels": self._levels}
        found = {}
        for code in self.languages:
            known = self._knowledge[code]
            asked = {"template": known.template, "requests": known.requests, "structures": known.structures}
            text = json.dumps({**parts, **asked, "words": asdict(self._lists[code])}, ensure_ascii=False)
            found[code] = hashlib.sha256(text.encode()).hexdigest()[:16]
        return found

    @staticmethod
    def id(language: str, index: int) -> str:
        """`LANGUAGE-INDEX`, unique in a set of prompts."""
        return f"{language}-{index:09d}"

    def prompt(self, language: str, index: int) -> Prompt:
        """Prompt number `index` of a language; IndexError past the last."""
        lists: WordLists = self._lists[language]
        number = self._permutations[language][index]
        noun, verb, adjective, feature = lists.combination(number)
        name = list(self._levels)[index % len(self._levels)]
        level = self._levels[name]
        least, most = level["words"]
        triple = lists.triple(number)
        return Prompt(
            id=self.id(language, index),
            index=index,
            language=language,
            noun=noun,
            verb=verb,
            adjective=adjective,
            feature=feature,
            level=name,
            least=least,
            most=most,
            group=f"{triple}" if self.parallel else f"{language}-{triple}",
            text=self._text(language, index // len(self._levels), level, noun, verb, adjective, feature),
        )

    def _text(self, language: str, turn: int, level: dict[str, Any], *words: str) -> str:
        """The message: one sentence a line. `turn` decides the structure."""
        known = self._knowledge[language]
        noun, verb, adjective, feature = words
        slots = dict(zip(("young", "old", "least", "most"), map(str, level["years"] + level["words"]), strict=True))
        if language in _NATIVE_DIGITS:
            native = str.maketrans("0123456789", get_language(language).digits)
            slots = {name: value.translate(native) for name, value in slots.items()}
        slots |= {"noun": noun, "verb": verb, "adjective": adjective, "feature": feature}
        sentences = [known.template["opening"], known.template["words"], known.template["mood"]]
        sentences += [known.requests[request] for request in level["requests"]]
        if level.get("structure"):
            sentences.append(known.structures[turn % len(known.structures)])
        sentences += [known.template["length"], known.template["rules"]]
        return unicodedata.normalize("NFC", "\n".join(sentence.format(**slots) for sentence in sentences))


def _levels(profile: str, wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
    if profile not in PROFILES:
        raise UserError(f"there is no profile {profile!r}; choose from {', '.join(PROFILES)}.")
    levels = PROFILES[profile]
    if unknown := [name for name in wanted if name not in levels]:
        raise UserError(f"the profile {profile!r} has no level {unknown[0]!r}; choose from {', '.join(levels)}.")
    return {name: levels[name] for name in wanted or levels}
