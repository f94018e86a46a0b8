r"""The words of one language, their forms and the sentences of the story grammar, from `lexicons/CODE/*.yaml`.

An entry is written `WORD / TAGS; FORM=VALUE; …`: the dictionary form, its grammatical tags (gender m f n; number or
respect sg pl hon; anything a paradigm asks for) and the forms that no paradigm gives. A paradigm is a rule
`{tags: [m], pattern: (.*)ा, forms: {obl: \1े}}`: to a word that has all the tags and matches the whole pattern it adds
those forms that the word does not have yet, so the first rule in order wins and an entry's own forms win over all.

Form names: a noun has `dir` (the dictionary form), `pl` and whatever cases the language's sentences ask for (`obl`,
`gen`, …; in the plural `pl.obl`, …); an adjective `dir` and maybe `obl`, a verb its tenses, both followed by the
agreement they differ by: `dir.f.sg`, `past.f.pl`, `past.hon`. A form is looked up from the most to the least specific:
`past.f.pl`, `past.f`, `past.pl`, `past`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from corpora.errors import UserError

FOLDER = Path(__file__).parent / "lexicons"
GENDERS = ("m", "f", "n")
NUMBERS = ("sg", "pl", "hon")
SECTIONS = ("nouns", "names", "adjectives", "verbs", "activities", "particles", "phrases", "pronouns")

Forms = dict[str, str]


@dataclass(frozen=True)
class Lexeme:
    """A word with all its forms."""

    concept: str
    section: str
    word: str
    tags: frozenset[str]
    forms: Forms

    @property
    def agreement(self) -> str:
        """What others agree with: gender (where the language has it) and number or respect, e.g. `f.sg`, `hon`."""
        number = next((tag for tag in NUMBERS if tag in self.tags), "sg")
        return ".".join([*(tag for tag in GENDERS if tag in self.tags), number])

    def form(self, name: str, agreement: str = "") -> str:
        """The form `name`, in agreement with `agreement`; ValueError if the word has no such form."""
        return find_form(self.forms, name, agreement, self.concept)


def find_form(forms: Forms, name: str, agreement: str, concept: str) -> str:
    """Look a form up from the most specific key to the least (see the module's docstring)."""
    for key in (f"{name}.{agreement}", *(f"{name}.{feature}" for feature in agreement.split(".")), name):
        if key in forms:
            return forms[key]
    raise ValueError(f"{concept!r} has no form {name!r} for the agreement {agreement!r}")


@dataclass(frozen=True)
class Lexicon:
    """All that the story grammar knows of one language."""

    language: str
    lexemes: dict[str, dict[str, Lexeme]]
    """section -> concept -> word."""
    pronouns: dict[str, Forms]
    """agreement of the person meant -> forms."""
    conjunction: dict[str, str]
    """agreement of `A and B` by their genders: `m+f`, `f+f`, …, `default`."""
    sentences: dict[str, list[tuple[str, str]]]
    """beat -> variants, each a condition (`hero=animal`, or empty) and a template."""
    gendered: bool
    """Whether anything agrees with a character's sex (not so in Bengali)."""
    capitals: bool
    """Whether sentences begin with a capital letter."""

    def find(self, concept: str, sections: Iterable[str] = SECTIONS) -> Lexeme:
        """The word for a concept; ValueError if the lexicon has none."""
        for section in sections:
            if concept in self.lexemes.get(section, {}):
                return self.lexemes[section][concept]
        raise ValueError(f"the lexicon {self.language!r} has no word for {concept!r}")


@functools.cache
def load_lexicon(code: str) -> Lexicon:
    """Read `lexicons/CODE/*.yaml`; UserError if the language has no lexicon yet."""
    folder = FOLDER / code
    if not folder.is_dir():
        raise UserError(f"the story grammar has no lexicon for {code!r}; write a folder {code}/ beside the others.")
    data = _read(folder)
    lexemes = {
        section: {
            concept: _parse_entry(concept, section, entry, data["paradigms"].get(section, []))
            for concept, entry in data.get(section, {}).items()
        }
        for section in SECTIONS
        if section not in ("activities", "pronouns")
    }
    lexemes["activities"] = {
        concept: _parse_activity(concept, entry, lexemes["verbs"]) for concept, entry in data["activities"].items()
    }
    return Lexicon(
        language=code,
        lexemes=lexemes,
        pronouns=data["pronouns"],
        conjunction=data["conjunction"],
        sentences={
            beat: [_parse_variant(variant) for variant in variants] for beat, variants in data["sentences"].items()
        },
        gendered=data["gendered"],
        capitals=data.get("capitals", False),
    )


def _read(folder: Path) -> dict[str, Any]:
    """The files of a lexicon as one: sections that several files have are joined; ValueError if they contradict."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data: dict[str, Any] = {}
    for path in sorted(folder.glob("*.yaml")):
        for section, content in yaml.load(path.read_text(encoding="utf-8"), Loader=loader).items():
            if isinstance(content, dict) and section in data:
                if twice := data[section].keys() & content.keys():
                    raise ValueError(f"{path} gives again what another file gave: {', '.join(sorted(twice))}")
                data[section].update(content)
            else:
                data[section] = content
    return data


def _parse_entry(concept: str, section: str, entry: str, paradigms: list[dict[str, Any]]) -> Lexeme:
    head, *explicit = (part.strip() for part in entry.split(";"))
    word, _, tags = (part.strip() for part in head.partition(" / "))
    forms = {"dir": word} if section in ("nouns", "names", "phrases") else {}
    for part in explicit:
        name, _, value = part.partition("=")
        forms[name.strip()] = value.strip()
    own = frozenset(tags.split())
    for paradigm in paradigms:
        match = re.fullmatch(paradigm["pattern"], word)
        if match and own.issuperset(paradigm.get("tags", [])):
            for name, value in paradigm["forms"].items():
                forms.setdefault(name, match.expand(value))
    return Lexeme(concept, section, word, own, forms)


def _parse_activity(concept: str, entry: str, verbs: dict[str, Lexeme]) -> Lexeme:
    """`WORDS {verb}` or `{verb} WORDS`: every form of the verb with the words around it."""
    match = re.fullmatch(r"(.*)\{(\w+)\}(.*)", entry)
    if match is None or match[2] not in verbs:
        raise ValueError(
            f"the activity {concept!r} is not of the form 'WORDS {{verb}} WORDS' with a known verb: {entry!r}"
        )
    before, verb, after = match[1], verbs[match[2]], match[3]
    forms = {name: f"{before}{value}{after}" for name, value in verb.forms.items()}
    return Lexeme(concept, "activities", f"{before}{verb.word}{after}", verb.tags, forms)


def _parse_variant(variant: str | dict[str, str]) -> tuple[str, str]:
    if isinstance(variant, str):
        return "", variant
    ((condition, template),) = variant.items()
    return condition, template
