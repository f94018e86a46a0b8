"""The word lists that prompts are drawn from: the committed ones, or a folder of one's own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import prod
from pathlib import Path
from typing import Any

import yaml

from corpora.errors import UserError
from corpora.languages import get_language

KINDS = ("nouns", "verbs", "adjectives", "features")
_FILE = Path(__file__).parent / "words.yaml"
_NOTE = re.compile(r"\s*\([^)]*\)")
_OTHER_NAMES = {"bn": ("bangla",)}


@dataclass(frozen=True)
class WordLists:
    """Nouns, verbs, adjectives and features of one language; a combination of four has a number."""

    nouns: tuple[str, ...]
    verbs: tuple[str, ...]
    adjectives: tuple[str, ...]
    features: tuple[str, ...]

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many words each list has."""
        return tuple(len(getattr(self, kind)) for kind in KINDS)

    def __len__(self) -> int:
        """How many combinations there are."""
        return prod(self.sizes)

    def combination(self, number: int) -> tuple[str, str, str, str]:
        """Noun, verb, adjective and feature of a combination's number: its digits, where each list is a place."""
        chosen = []
        for kind in reversed(KINDS):
            number, place = divmod(number, len(getattr(self, kind)))
            chosen.append(getattr(self, kind)[place])
        noun, verb, adjective, feature = reversed(chosen)
        return noun, verb, adjective, feature

    def triple(self, number: int) -> int:
        """A number for noun, verb and adjective alone; combinations that differ in the feature share it."""
        return number // len(self.features)


def word_lists(languages: Sequence[str], folder: str = "") -> dict[str, WordLists]:
    """The lists by language: the committed ones, in which all languages have the same ideas in the same order, or those
    of `folder`, which holds for each language a folder (`hi`, `hin` or `hindi`) with `nouns.txt`, `verbs.txt`,
    `adjectives.txt` and `features.txt`, one entry a line (`hindi-nouns.txt` as published is found too). Quotation marks
    around an entry and notes in brackets behind it are left out, and what is there twice.
    """
    codes = [get_language(code).code for code in languages]
    if folder:
        return {code: _read_folder(Path(folder), code) for code in codes}
    rows = _rows()
    places = {code: rows["languages"].index(code) for code in codes}
    return {
        code: WordLists(**{kind: tuple(row[place] for row in rows[kind]) for kind in KINDS})
        for code, place in places.items()
    }


@cache
def _rows() -> dict[str, Any]:
    return yaml.safe_load(unicodedata.normalize("NFC", _FILE.read_text(encoding="utf-8")))


def _read_folder(folder: Path, code: str) -> WordLists:
    language = get_language(code)
    names = [code, language.iso3, language.name.lower(), *_OTHER_NAMES.get(code, ())]
    place = next((folder / name for name in names if (folder / name).is_dir()), None)
    if place is None:
        raise UserError(f"{str(folder)!r} holds no folder {' or '.join(names)} with word lists; check the path.")
    return WordLists(**{kind: _read(place, kind) for kind in KINDS})


def _read(place: Path, kind: str) -> tuple[str, ...]:
    files = [file for file in sorted(place.glob(f"*{kind}.txt")) if not file.name.startswith("english-")]
    if len(files) != 1:
        raise UserError(f"{str(place)!r} holds {len(files)} files that end in {kind}.txt; there must be one.")
    lines = unicodedata.normalize("NFC", files[0].read_text(encoding="utf-8")).splitlines()
    entries = dict.fromkeys(_NOTE.sub("", line).strip().strip('"“”') for line in lines)
    if not (found := tuple(entry for entry in entries if entry)):
        raise UserError(f"{str(files[0])!r} is empty; write one entry a line.")
    return found
