"""What is known of each language for asking and checking: `languages/CODE.yaml`."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from corpora.errors import UserError
from corpora.languages import get_language

FOLDER = Path(__file__).parent / "languages"


@dataclass(frozen=True)
class Knowledge:
    """One language file."""

    language: str
    """ISO 639-1 code."""
    template: dict[str, str]
    """opening, words, mood, length, rules: sentences with slots."""
    requests: dict[str, str]
    """What a level may ask for besides, by the name that `profiles.yaml` uses."""
    structures: list[str]
    """Shapes of a story, one of which a prompt may ask for."""
    refusals: list[str]
    """Regular expressions: the model says that it is one, or that it will not."""
    preambles: list[str]
    """Regular expressions: the model announces the story instead of telling it."""
    instructions: list[str]
    """Words of a prompt that no story for children has."""
    inflection: dict[str, Any]
    """How a word's forms are recognised, see `corpora/llm/inflection.py`."""


@cache
def knowledge(language: str) -> Knowledge:
    """The language file of an ISO 639-1 code; UserError if there is none."""
    file = FOLDER / f"{get_language(language).code}.yaml"
    if not file.is_file():
        raise UserError(f"stories in {language!r} cannot be asked for: add {file.name} to corpora/llm/languages.")
    text = unicodedata.normalize("NFC", file.read_text(encoding="utf-8"))
    return Knowledge(language=language, **yaml.safe_load(text))
