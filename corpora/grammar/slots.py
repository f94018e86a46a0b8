"""Slots of a sentence: what a role or a word says in a form, in agreement with others. See `telling.py`."""

from __future__ import annotations

import re

from corpora.grammar.lexicon import SECTIONS, Lexeme, Lexicon, find_form
from corpora.grammar.world import Bound, World

SLOT = re.compile(r"\{(\w+)((?:\.\w+)*)(?::([\w.+]+))?\}")
ROLE_SECTIONS = ("activities", *SECTIONS)
"""Where the word of a role is looked up: `sing` is the activity (singing songs) before it is the verb."""
USED = ("nouns", "verbs", "adjectives")

Value = tuple[str, tuple[str, str] | None]
"""A slot's text, and (section, dictionary form) of the word if it is a noun, verb or adjective."""


class Slot:
    """A slot of a sentence. What it says depends on few roles, so each of its values is made once."""

    __slots__ = ("_make", "by_sort", "cache", "constant", "others", "role")

    def __init__(self, slot: re.Match[str], aliases: dict[str, str], language: Language, capital: bool) -> None:
        name, path, controller = slot[1], slot[2].lstrip("."), slot[3] or ""
        name = aliases.get(name, name)
        controllers = [".".join([aliases.get(p.split(".")[0], p.split(".")[0]), *p.split(".")[1:]])
                       for p in controller.split("+")] if controller else []  # fmt: skip
        is_role = language.is_role(name)
        keys = [(name, path.split(".")[0] in ("pro", "kind"))] if is_role else []
        keys += [(part.split(".")[0], True) for part in controllers if language.is_role(part.split(".")[0])]
        self.role, self.by_sort = keys[0] if keys else ("", False)
        self.others = [role for role, _ in keys[1:]]
        self.cache: dict[object, Value] = {}
        joined = "+".join(controllers)

        def make(roles: dict[str, Bound]) -> Value:
            text, entry = language.fill(name, path, joined, roles)
            return (text[:1].upper() + text[1:] if capital else text), entry

        self._make = make
        self.constant: Value | None = None

    def value(self, roles: dict[str, Bound]) -> Value:
        """The slot's text and word for what the roles stand for."""
        if not self.role:
            if self.constant is None:
                self.constant = self._make(roles)
            return self.constant
        bound = roles[self.role]
        key: object = bound.sort if self.by_sort else bound
        if self.others:
            key = (key, *[roles[role].sort for role in self.others])
        found = self.cache.get(key)
        if found is None:
            found = self.cache[key] = self._make(roles)
        return found


class Language:
    """What a slot needs to know of the language."""

    def __init__(self, lexicon: Lexicon, world: World) -> None:
        self.lexicon, self.world = lexicon, world

    def is_role(self, name: str) -> bool:
        return name in self.world.role_names

    def fill(self, name: str, path: str, controller: str, roles: dict[str, Bound]) -> Value:
        agreement = self.agreement(controller, roles) if controller else ""
        if not self.is_role(name):
            return _form(self.lexicon.find(name), path, agreement)
        bound = roles[name]
        if path == "pro" or path.startswith("pro."):
            forms = self.lexicon.pronouns[self.agreement(name, roles)]
            return find_form(forms, path[4:] or "dir", agreement, f"pronoun for {name}"), None
        if bound.name and not (path == "kind" or path.startswith("kind.")):
            return _form(self.lexicon.find(bound.name, ["names"]), path, agreement)
        path = path.removeprefix("kind").lstrip(".")
        if bound.plural and not path.startswith("pl"):
            path = f"pl.{path}" if path else "pl"
        return _form(self.lexicon.find(bound.concept, ROLE_SECTIONS), path, agreement)

    def agreement(self, controller: str, roles: dict[str, Bound]) -> str:
        """Agreement of `thing`, `hero`, `hero.kind`, `hero+friend`, of a word (`mother`) or as given (`m.pl`)."""
        if "+" in controller:
            parts = controller.split("+")
            genders = sorted((self.agreement(part, roles).split(".")[0] for part in parts), reverse=True)
            return self.lexicon.conjunction.get("+".join(genders), self.lexicon.conjunction["default"])
        name, _, kind = controller.partition(".")
        if not self.is_role(name):
            try:
                return self.lexicon.find(name, ["nouns"]).agreement
            except ValueError:
                return controller
        bound = roles[name]
        noun = self.lexicon.find(bound.concept)
        if bound.plural:
            return ".".join([*noun.agreement.split(".")[:-1], "pl"])
        if bound.name and not kind:
            return f"{bound.sex}.sg" if self.lexicon.gendered else "sg"
        return noun.agreement


def _form(lexeme: Lexeme, path: str, agreement: str) -> Value:
    section = "verbs" if lexeme.section == "activities" else lexeme.section
    return lexeme.form(path or "dir", agreement), (section, lexeme.word) if section in USED else None
