"""Telling an outline in one language: sentences with slots, compiled once, filled for each story.

    {thing} {thing.obl} {hero.gen}      a role or a word, in a form
    {hero.kind} {hero.pro.dat}          what the character is (rabbit, girl); a pronoun for it
    {big:thing} {find.past:thing}       an adjective or verb in agreement with a role or word
    {play.past:hero+friend}             … with two together
    {hero.pro.gen:thing}                a possessive in agreement with what is owned

A sentence may have a condition (`hero=person,friend!=f: …`); see `Lexicon.sentences`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from corpora.lexicon import SECTIONS, Lexeme, Lexicon, find_form
from corpora.stories import Story
from corpora.world import Beat, Bound, Style, World, load_world

SLOT = re.compile(r"\{(\w+)((?:\.\w+)*)(?::([\w.+]+))?\}")
CONDITION = re.compile(r"\s*(\w+)(!?)=([\w|]+)\s*")
ROLE_SECTIONS = ("activities", *SECTIONS)
"""Where the word of a role is looked up: `sing` is the activity (singing songs) before it is the verb."""
USED = ("nouns", "verbs", "adjectives")
_FIRST = re.compile(r"((?:^|[.?!]\s+|\.”\s+|,\s+)“|^|[.?!]\s+|\.”\s+)([a-z])")
"""What stands before the first letter of a sentence or of direct speech (not `?”`: “Why?” asked Ravi)."""

Value = tuple[str, tuple[str, str] | None]
"""A slot's text, and (section, dictionary form) of the word if it is a noun, verb or adjective."""


@dataclass(frozen=True)
class Outline:
    """A story before it is told: the same for all languages."""

    number: int
    plot: str
    theme: str
    style: Style
    roles: dict[str, Bound]
    paragraphs: list[list[Beat]]


class Slot:
    """A slot of a sentence. What it says depends on few roles, so each of its values is made once."""

    __slots__ = ("_make", "by_sort", "cache", "constant", "others", "role")

    def __init__(self, slot: re.Match[str], aliases: dict[str, str], language: _Language, capital: bool) -> None:
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


@dataclass(frozen=True, eq=False)
class Sentence:
    """A variant of a beat: its text with `%s` for the slots."""

    condition: tuple[tuple[str, bool, frozenset[str]], ...]
    """(role, whether it must hold, what the role must be one of: a concept, class or sex)."""
    text: str
    slots: tuple[Slot, ...]
    spoken: bool


class _Language:
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


class Teller:
    """Tells outlines in one language."""

    def __init__(self, lexicon: Lexicon, world: World) -> None:
        self.lexicon = lexicon
        self._world = world
        self._language = _Language(lexicon, world)
        self._beats: dict[Beat, _Compiled] = {}
        self._titles: dict[str, Beat] = {}

    def tell(self, outline: Outline, seed: int) -> Story:
        """The story in this language; ValueError if the lexicon lacks something."""
        rng = random.Random(f"{seed}/{outline.number}/{self.lexicon.language}").random
        used: dict[tuple[str, str], None] = {}
        title_beat = self._titles.setdefault(outline.plot, Beat(f"title.{outline.plot}"))
        title = self._say(title_beat, outline, rng, used, [])
        if self.lexicon.capitals:
            title = capitalize_title(title)
        said: list[Sentence] = []
        paragraphs = [
            " ".join([self._say(beat, outline, rng, used, said) for beat in beats]) for beats in outline.paragraphs
        ]
        words: dict[str, list[str]] = {section: [] for section in USED}
        for section, word in used:
            words[section].append(word)
        prompt = {"plot": outline.plot, "theme": outline.theme, "style": outline.style.name, "words": words}
        group = f"gen-{seed}-{outline.number:06d}"
        return Story(
            id=f"{group}-{self.lexicon.language}",
            language=self.lexicon.language,
            text="\n\n".join(paragraphs),
            source="kathalab/generator",
            title=title,
            group=group,
            license="CC0-1.0",
            generator="kathalab.corpora.generator",
            prompt=_ENCODER.encode(prompt),
        )

    def sentences(self, beat: Beat) -> list[Sentence]:
        """All the variants of a beat, compiled."""
        return self._compile(beat).sentences

    def _compile(self, beat: Beat) -> _Compiled:
        compiled = self._beats.get(beat)
        if compiled is None:
            variants = self.lexicon.sentences.get(beat.name)
            if not variants:
                raise ValueError(f"the lexicon {self.lexicon.language!r} has no sentences for the beat {beat.name!r}")
            aliases = dict(beat.aliases)
            sentences = [self._sentence(condition, text, aliases) for condition, text in variants]
            compiled = self._beats[beat] = _Compiled(beat.name, self.lexicon.language, sentences)
        return compiled

    def _sentence(self, condition: str, text: str, aliases: dict[str, str]) -> Sentence:
        pieces, slots, end = [], [], 0
        capitals = self.lexicon.capitals
        for match in SLOT.finditer(text):
            pieces.append(text[end : match.start()])
            before = SLOT.sub("x", text[: match.start()])
            slots.append(Slot(match, aliases, self._language, capitals and capitalize(before + "x")[-1] == "X"))
            end = match.end()
        pieces.append(text[end:])
        template = "%s".join(piece.replace("%", "%%") for piece in pieces)
        if capitals:
            template = capitalize(template)
        return Sentence(_parse_condition(condition, aliases, self._world), template, tuple(slots), "“" in text)

    def _say(
        self,
        beat: Beat,
        outline: Outline,
        rng: Callable[[], float],
        used: dict[tuple[str, str], None],
        said: list[Sentence],
    ) -> str:
        roles, style = outline.roles, outline.style
        options = (self._beats.get(beat) or self._compile(beat)).options(roles, style.prefer)
        if beat is style.between and said:  # always in the same words, or each time in others
            sentence = said[-1] if style.same else options[(options.index(said[-1]) + 1) % len(options)]
        else:
            sentence = options[int(rng() * len(options))]
        if beat is style.between:
            said.append(sentence)
        texts = []
        for slot in sentence.slots:
            text, entry = slot.value(roles)
            texts.append(text)
            if entry is not None:
                used[entry] = None
        return sentence.text % tuple(texts)


class _Compiled:
    """A beat's variants, and which of them hold for what the roles stand for."""

    def __init__(self, name: str, language: str, sentences: list[Sentence]) -> None:
        self.name, self.language, self.sentences = name, language, sentences
        self.roles = sorted({role for sentence in sentences for role, _, _ in sentence.condition})
        self._cache: dict[object, list[Sentence]] = {}

    def options(self, roles: dict[str, Bound], prefer: str) -> list[Sentence]:
        key: object = (prefer, *[roles[r].sort if r in roles else "" for r in self.roles]) if self.roles else prefer
        found = self._cache.get(key)
        if found is None:
            found = [sentence for sentence in self.sentences if _holds(sentence, roles)]
            if prefer:
                found = [sentence for sentence in found if sentence.spoken == (prefer == "spoken")] or found
            if not found:
                raise ValueError(f"no variant of {self.name!r} fits the story in {self.language!r}")
            self._cache[key] = found
        return found


def _holds(sentence: Sentence, roles: dict[str, Bound]) -> bool:
    """A role that the story does not have equals nothing."""
    for role, wanted, members in sentence.condition:
        bound = roles.get(role)
        if (bound is not None and (bound.concept in members or bound.sex in members)) != wanted:
            return False
    return True


def _parse_condition(
    condition: str, aliases: dict[str, str], world: World
) -> tuple[tuple[str, bool, frozenset[str]], ...]:
    """`role=class, concept or sex`, several joined by commas, `!=` for the contrary; the empty condition holds."""
    parts = []
    for part in filter(None, condition.split(",")):
        match = CONDITION.fullmatch(part)
        if match is None:
            raise ValueError(f"the condition {condition!r} is not of the form role=class or role!=class")
        role, unequal, wanted = match.groups()
        members = frozenset(m for name in wanted.split("|") for m in (name, *world.members.get(name, ())))
        parts.append((aliases.get(role, role), not unequal, members))
    return tuple(parts)


def _form(lexeme: Lexeme, path: str, agreement: str) -> Value:
    section = "verbs" if lexeme.section == "activities" else lexeme.section
    return lexeme.form(path or "dir", agreement), (section, lexeme.word) if section in USED else None


def fill(lexicon: Lexicon, template: str, roles: dict[str, Bound]) -> str:
    """Fill the slots of one sentence."""
    language = _Language(lexicon, load_world())
    return SLOT.sub(lambda slot: Slot(slot, {}, language, False).value(roles)[0], template)


def variants(lexicon: Lexicon, beat: str, roles: dict[str, Bound]) -> set[str]:
    """All that can be said of a beat, for what its roles stand for."""
    sentences = Teller(lexicon, load_world()).sentences(Beat(beat))
    return {
        sentence.text % tuple(slot.value(roles)[0] for slot in sentence.slots)
        for sentence in sentences
        if _holds(sentence, roles)
    }


def capitalize(text: str) -> str:
    """Capital letters at the beginning of sentences and of direct speech (not after `?”`: “Why?” asked Ravi)."""
    return _FIRST.sub(lambda m: m[0] if _goes_on(text, m.start()) else m[1] + m[2].upper(), text)


def _goes_on(text: str, position: int) -> bool:
    """Whether direct speech that begins at a comma goes on after who says it: “Come,” said Ravi, “let us go.”"""
    before = text[:position]
    return text[position : position + 1] == "," and before.rfind(",”") > max(before.rfind(end) for end in ".?!")


def capitalize_title(title: str) -> str:
    """Capital letters at the beginning of a title's words, but for the small ones."""
    words = [word if word in _SMALL else word[:1].upper() + word[1:] for word in title.split()]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


_SMALL: Iterable[str] = frozenset(["a", "an", "and", "at", "for", "in", "is", "it", "of", "on", "the", "to"])
_ENCODER = json.JSONEncoder(ensure_ascii=False)
