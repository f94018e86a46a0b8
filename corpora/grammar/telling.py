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
from collections.abc import Callable
from dataclasses import dataclass

from corpora.grammar.capitals import capitalize, capitalize_title
from corpora.grammar.lexicon import Lexicon
from corpora.grammar.slots import SLOT, USED, Language, Slot
from corpora.grammar.world import Beat, Bound, Style, World, load_world
from corpora.stories import Story

CONDITION = re.compile(r"\s*(\w+)(!?)=([\w|]+)\s*")
_ENCODER = json.JSONEncoder(ensure_ascii=False)


@dataclass(frozen=True)
class Outline:
    """A story before it is told: the same for all languages."""

    number: int
    plot: str
    theme: str
    style: Style
    roles: dict[str, Bound]
    paragraphs: list[list[Beat]]


@dataclass(frozen=True, eq=False)
class Sentence:
    """A variant of a beat: its text with `%s` for the slots."""

    condition: tuple[tuple[str, bool, frozenset[str]], ...]
    """(role, whether it must hold, what the role must be one of: a concept, class or sex)."""
    text: str
    slots: tuple[Slot, ...]
    spoken: bool


class Teller:
    """Tells outlines in one language."""

    def __init__(self, lexicon: Lexicon, world: World) -> None:
        self.lexicon = lexicon
        self._world = world
        self._language = Language(lexicon, world)
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
            generator="kathalab.corpora.grammar.generator",
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


def fill(lexicon: Lexicon, template: str, roles: dict[str, Bound]) -> str:
    """Fill the slots of one sentence."""
    language = Language(lexicon, load_world())
    return SLOT.sub(lambda slot: Slot(slot, {}, language, False).value(roles)[0], template)


def variants(lexicon: Lexicon, beat: str, roles: dict[str, Bound]) -> set[str]:
    """All that can be said of a beat, for what its roles stand for."""
    sentences = Teller(lexicon, load_world()).sentences(Beat(beat))
    return {
        sentence.text % tuple(slot.value(roles)[0] for slot in sentence.slots)
        for sentence in sentences
        if _holds(sentence, roles)
    }
