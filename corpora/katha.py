"""Katha-72: 72 stories told in four languages, with endings to choose from and minimal pairs.

One YAML file a story in `corpora/katha72/`; how it is written, and the conventions of the texts: `EDITING.md` there.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from corpora.errors import UserError
from corpora.languages import get_language
from corpora.stories import Story

FOLDER = Path(__file__).parent / "katha72"
LANGUAGES = ("hi", "mr", "bn", "en")
THEMES = ("animals", "family", "school", "nature", "food", "festivals", "journeys", "health")
SPLITS = ("validation", "test")
"""Where a story may lie; none is ever for training."""
PHENOMENA = {
    "hi": ("gender", "number", "person", "case"),
    "mr": ("gender", "number", "person", "case"),
    "bn": ("person", "honorific", "classifier", "case"),
    "en": ("number", "person", "case"),
}
"""The kinds of agreement that a language's minimal pairs test."""
WORD_KINDS = ("nouns", "verbs", "adjectives")
_CHOICE = re.compile(r"\{([^{}|]+)\|([^{}|]+)\}")


@dataclass(frozen=True)
class MinimalPair:
    """A sentence of the story, and the same with one agreement error."""

    phenomenon: str
    right: str
    wrong: str


@dataclass(frozen=True)
class Word:
    """A content word of the story."""

    kind: str
    """`nouns`, `verbs` or `adjectives`."""
    lemma: str
    """Dictionary form."""
    form: str
    """As it stands in the text."""


@dataclass(frozen=True)
class Katha:
    """One story in one language."""

    name: str
    """THEME-NUMBER, the same in every language."""
    language: str
    """ISO 639-1 code."""
    theme: str
    split: str
    title: str
    moral: str
    """What the story is about at heart, in one word."""
    characters: tuple[str, ...]
    words: tuple[Word, ...]
    """Two nouns, two verbs and two adjectives."""
    story: str
    """All but the last sentence; paragraphs are parted by one empty line."""
    ending: str
    """The last sentence."""
    wrong_ending: str
    """A sentence of equal length and wording that the story rules out."""
    pairs: tuple[MinimalPair, ...]

    @property
    def group(self) -> str:
        """The story's name in every corpus and record, the same in all languages."""
        return f"katha72-{self.name}"

    @property
    def text(self) -> str:
        """The whole story."""
        return f"{self.story} {self.ending}"

    def as_story(self) -> Story:
        """The story as a row of a corpus."""
        prompt = {
            "theme": self.theme,
            "moral": self.moral,
            "characters": self.characters,
            "words": {word.lemma: word.form for word in self.words},
        }
        return Story(
            id=f"{self.group}-{self.language}",
            language=self.language,
            text=self.text,
            source="Katha-72",
            title=self.title,
            group=self.group,
            license="CC0-1.0",
            generator="a language model (machine-assisted writing)",
            prompt=json.dumps(prompt, ensure_ascii=False),
        )


def read_katha(languages: Iterable[str] | None = None, folder: str | os.PathLike[str] = FOLDER) -> list[Katha]:
    """The stories of Katha-72, by language, then by theme and number.

    `languages`: ISO 639-1 codes (default all four). `folder`: another folder of such files. UserError if a language is
    not among the four, there are no files, or one is not written as EDITING.md says; the sentence names file and field.
    """
    wanted = list(LANGUAGES if languages is None else languages)
    for code in wanted:
        if get_language(code).code not in LANGUAGES:
            raise UserError(f"Katha-72 is not told in {get_language(code).name}; choose from {', '.join(LANGUAGES)}.")
    files = sorted(Path(folder).glob("*.yaml"), key=_order)
    if not files:
        raise UserError(f"the folder {os.fspath(folder)!r} holds no stories (THEME-NUMBER.yaml); check the path.")
    told = [_read(file) for file in files]
    return [story[code] for code in wanted for story in told]


def _order(file: Path) -> tuple[int, int, str]:
    theme, _, number = file.stem.rpartition("-")
    known = theme in THEMES and number.isdecimal()
    return (THEMES.index(theme), int(number), "") if known else (len(THEMES), 0, file.stem)


def _read(file: Path) -> dict[str, Katha]:
    """The story of a file in all its languages."""
    try:
        # The base loader leaves every scalar a string (an English “no” is a word here, not a truth value).
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{str(file)!r} is not valid YAML ({' '.join(str(error).split())}).") from None
    where = repr(str(file))
    _fields(content, ("theme", "split", *LANGUAGES), where)
    if content["theme"] not in THEMES or not file.stem.startswith(f"{content['theme']}-"):
        raise UserError(f"{where} has the theme {content['theme']!r}; its name must begin with a theme of Katha-72.")
    if content["split"] not in SPLITS:
        raise UserError(f"{where} has the split {content['split']!r}; choose validation or test.")
    return {code: _parse(content[code], code, file.stem, content, f"{where}, {code},") for code in LANGUAGES}


def _parse(fields: Any, language: str, name: str, file: Mapping[str, Any], where: str) -> Katha:
    texts = ("title", "moral", "story", "ending", "wrong_ending")
    _fields(fields, (*texts, "characters", "words", "pairs"), where)
    for key in texts:
        if not isinstance(fields[key], str) or not fields[key].strip():
            raise UserError(f"{where} has no text in `{key}`.")
    if not isinstance(fields["characters"], list) or not all(isinstance(who, str) for who in fields["characters"]):
        raise UserError(f"{where} must have a list of names in `characters`.")
    return Katha(
        name=name,
        language=language,
        theme=file["theme"],
        split=file["split"],
        characters=tuple(fields["characters"]),
        words=_words(fields["words"], where),
        pairs=_pairs(fields["pairs"], language, where),
        **{key: fields[key].strip() for key in texts},
    )


def _words(words: Any, where: str) -> tuple[Word, ...]:
    _fields(words, WORD_KINDS, f"{where} in `words`")
    found = []
    for kind in WORD_KINDS:
        if not isinstance(words[kind], dict) or len(words[kind]) != 2:
            raise UserError(f"{where} must have two words in `words: {kind}`, each as {{dictionary form: form}}.")
        found += [Word(kind, lemma, form) for lemma, form in words[kind].items()]
    return tuple(found)


def _pairs(pairs: Any, language: str, where: str) -> tuple[MinimalPair, ...]:
    if not isinstance(pairs, list) or not all(isinstance(pair, dict) and len(pair) == 1 for pair in pairs):
        raise UserError(f"{where} must have a list in `pairs`, each entry `phenomenon: sentence with {{right|wrong}}`.")
    found = []
    for number, pair in enumerate(pairs, start=1):
        ((phenomenon, sentence),) = pair.items()
        if phenomenon not in PHENOMENA[language]:
            known = ", ".join(PHENOMENA[language])
            raise UserError(f"{where} names the phenomenon {phenomenon!r} in pair {number}; choose from {known}.")
        if not isinstance(sentence, str) or len(_CHOICE.findall(sentence)) != 1 or sentence.count("{") != 1:
            raise UserError(f"{where} must have one {{right|wrong}} in pair {number}.")
        found.append(MinimalPair(phenomenon, _CHOICE.sub(r"\1", sentence), _CHOICE.sub(r"\2", sentence)))
    return tuple(found)


def _fields(content: Any, wanted: Iterable[str], where: str) -> None:
    """UserError if `content` is no mapping with just these keys."""
    wanted = list(wanted)
    if not isinstance(content, dict):
        raise UserError(f"{where} must have the fields {', '.join(wanted)}.")
    if missing := [key for key in wanted if key not in content]:
        raise UserError(f"{where} lacks {', '.join(missing)}.")
    if unknown := [key for key in content if key not in wanted]:
        raise UserError(f"{where} has unknown fields: {', '.join(map(str, unknown))}; it may have {', '.join(wanted)}.")
