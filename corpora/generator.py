"""The embedded story generator: language-neutral plots, told in each language with correct agreement.

`storyworld.yaml` holds what is the same in every language: the concepts by class, and the plots as sequences of beats.
A lexicon (`corpora/lexicon.py`) holds a language's words and, for every beat, sentences with slots:

    {thing} {thing.obl} {hero.gen}      a role or a word, in a form
    {hero.kind} {hero.pro.dat}          what the character is (rabbit, girl); a pronoun for it
    {big:thing} {find.past:thing}       an adjective or verb in agreement with a role or word
    {play.past:hero+friend}             … with two together
    {hero.pro.gen:thing}                a possessive in agreement with what is owned

Every story is a pure function of (seed, number), so any part of a corpus can be generated alone and the same story
exists in every language under one group.
"""

from __future__ import annotations

import functools
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from corpora.errors import UserError
from corpora.languages import get_language
from corpora.lexicon import SECTIONS, Lexeme, Lexicon, find_form, load_lexicon
from corpora.stories import Story

WORLD = Path(__file__).parent / "storyworld.yaml"
SLOT = re.compile(r"\{(\w+)((?:\.\w+)*)(?::([\w.+]+))?\}")
NAMES = {
    ("person", "m"): "boy_name",
    ("person", "f"): "girl_name",
    ("animal", "m"): "he_name",
    ("animal", "f"): "she_name",
}
ROLE_SECTIONS = ("activities", *SECTIONS)
"""Where the word of a role is looked up: `sing` is the activity (singing songs) before it is the verb."""


@dataclass(frozen=True)
class Bound:
    """What a role stands for in one story."""

    concept: str
    """The word of a thing, place, quality, activity …, or what a character is (`rabbit`, `girl`)."""
    name: str = ""
    """A character's proper name."""
    sex: str = ""
    """`m` or `f` for a character."""
    plural: bool = False


@dataclass(frozen=True)
class Outline:
    """A story before it is told: the same for all languages."""

    number: int
    plot: str
    theme: str
    roles: dict[str, Bound]
    paragraphs: list[list[str]]
    """Beats."""


@functools.cache
def load_world() -> dict[str, Any]:
    """`storyworld.yaml`: `classes`, `sexes` and `plots`."""
    world = yaml.load(WORLD.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    world["classes"] = {name: members.split() for name, members in world["classes"].items()}
    return world


@dataclass
class Generator:
    """Stories written by the embedded story grammar, the same stories in every language asked for.

    Args:
        languages: ISO 639-1 codes; each needs a lexicon.
        stories: how many per language.
        seed: another seed, other stories.
        first: number of the first story.
    """

    languages: list[str] = field(default_factory=lambda: ["hi", "mr", "bn"])
    stories: int = 1000
    seed: int = 0
    first: int = 0

    def __iter__(self) -> Iterator[Story]:
        if self.stories < 1:
            raise UserError(f"{self.stories} stories cannot be generated; ask for at least 1.")
        lexicons = [load_lexicon(get_language(code).code) for code in self.languages]
        for number in range(self.first, self.first + self.stories):
            outline = draw_outline(self.seed, number)
            for lexicon in lexicons:
                yield tell(outline, lexicon, self.seed)


def draw_outline(seed: int, number: int) -> Outline:
    """Draw the plot, what its roles stand for, and the beats of story `number`."""
    world = load_world()
    plots = list(world["plots"])
    # every run of len(plots) stories tells each plot once, in a shuffled order
    order = random.Random(f"{seed}/order/{number // len(plots)}").sample(plots, len(plots))
    plot = order[number % len(plots)]
    rng = random.Random(f"{seed}/{number}")
    spec = world["plots"][plot]
    roles = _draw_roles(spec["roles"], world, rng)
    paragraphs = [[drawn for beat in beats if (drawn := _draw_beat(beat, rng))] for beats in spec["story"]]
    return Outline(number, plot, spec["theme"], roles, [beats for beats in paragraphs if beats])


def _draw_roles(spec: dict[str, str], world: dict[str, Any], rng: random.Random) -> dict[str, Bound]:
    """What each role of a plot stands for; no concept and no name serves twice."""
    roles: dict[str, Bound] = {}
    used: set[str] = set()
    for role, wanted in spec.items():
        wanted, plural = wanted.removesuffix(" pl"), wanted.endswith(" pl")
        wanted, _, excluded = wanted.partition(" except ")
        used.update(excluded.split())
        animal = "hero" in roles and roles["hero"].concept in world["classes"]["animal"]
        if wanted in ("character", "person", "animal"):
            either = rng.choice(("person", "animal")) if wanted == "character" else wanted
            friend = wanted == "character" and role != "hero"  # is of the hero's sort
            sort = ("animal" if animal else "person") if friend else either
            roles[role] = _draw_character(sort, world, used, rng)
        else:
            pool = f"{wanted}_animal" if animal and f"{wanted}_animal" in world["classes"] else wanted
            roles[role] = Bound(rng.choice([c for c in world["classes"][pool] if c not in used]), plural=plural)
        used.update({roles[role].concept, roles[role].name})
    return roles


def _draw_character(sort: str, world: dict[str, Any], used: set[str], rng: random.Random) -> Bound:
    """A person or an animal, with a name of its sex; two persons may both be girls, two animals are of two kinds."""
    classes = world["classes"]
    concept = rng.choice([c for c in classes[sort] if c not in used or sort == "person"])
    sex = world["sexes"][concept]
    names = classes[NAMES[sort, sex]]
    return Bound(concept, name=rng.choice([name for name in names if name not in used]), sex=sex)


def _draw_beat(beat: str, rng: random.Random) -> str:
    """`a` always, `a?` half of the time, `a|b` one of them."""
    if beat.endswith("?"):
        beat = beat[:-1] if rng.random() < 0.5 else ""
    return rng.choice(beat.split("|"))


def tell(outline: Outline, lexicon: Lexicon, seed: int) -> Story:
    """Tell a story in one language."""
    teller = _Teller(outline, lexicon, random.Random(f"{seed}/{outline.number}/{lexicon.language}"))
    title = teller.sentence(f"title.{outline.plot}")
    if lexicon.capitals:
        title = capitalize_title(title)
    text = "\n\n".join(" ".join(teller.sentence(beat) for beat in beats) for beats in outline.paragraphs)
    group = f"gen-{seed}-{outline.number:06d}"
    return Story(
        id=f"{group}-{lexicon.language}",
        language=lexicon.language,
        text=text,
        source="kathalab/generator",
        title=title,
        group=group,
        license="CC0-1.0",
        generator="kathalab.corpora.generator",
        prompt=json.dumps({"plot": outline.plot, "theme": outline.theme, "words": teller.words()}, ensure_ascii=False),
    )


class _Teller:
    """Fills the slots of one story's sentences and remembers the words it used."""

    def __init__(self, outline: Outline, lexicon: Lexicon, rng: random.Random) -> None:
        self.roles, self.lexicon, self.rng = outline.roles, lexicon, rng
        self.used: dict[str, dict[str, None]] = {"nouns": {}, "verbs": {}, "adjectives": {}}

    def words(self) -> dict[str, list[str]]:
        """Dictionary forms of the nouns, verbs and adjectives used so far, in order of first use."""
        return {section: list(words) for section, words in self.used.items()}

    def sentence(self, beat: str) -> str:
        """One of the beat's variants whose condition holds, filled."""
        variants = [text for condition, text in self.lexicon.sentences[beat] if self._holds(condition)]
        if not variants:
            raise ValueError(f"no variant of {beat!r} fits the story in {self.lexicon.language!r}")
        text = SLOT.sub(self._fill, self.rng.choice(variants))
        return capitalize(text) if self.lexicon.capitals else text

    def _holds(self, condition: str) -> bool:
        """`role=class, concept or sex`, several joined by commas, `!=` for the contrary; the empty condition holds.

        A role that the story does not have equals nothing.
        """
        classes = load_world()["classes"]
        for part in filter(None, condition.split(",")):
            role, unequal, wanted = re.fullmatch(r"\s*(\w+)(!?)=(\w+)\s*", part).groups()  # type: ignore[union-attr]
            bound = self.roles.get(role, Bound(""))
            member = wanted in (bound.concept, bound.sex) or bound.concept in classes.get(wanted, ())
            if member == bool(unequal):
                return False
        return True

    def _fill(self, slot: re.Match[str]) -> str:
        name, path, controller = slot[1], slot[2].lstrip("."), slot[3] or ""
        agreement = self._agreement(controller) if controller else ""
        bound = self.roles.get(name)
        if bound is None:
            return self._form(self.lexicon.find(name), path, agreement)
        if path == "pro" or path.startswith("pro."):
            forms = self.lexicon.pronouns[self._agreement(name)]
            return find_form(forms, path[4:] or "dir", agreement, f"pronoun for {name}")
        if bound.name and not (path == "kind" or path.startswith("kind.")):
            return self._form(self.lexicon.find(bound.name, ["names"]), path, agreement)
        path = path.removeprefix("kind").lstrip(".")
        if bound.plural and not path.startswith("pl"):
            path = f"pl.{path}" if path else "pl"
        return self._form(self.lexicon.find(bound.concept, ROLE_SECTIONS), path, agreement)

    def _form(self, lexeme: Lexeme, path: str, agreement: str) -> str:
        section = "verbs" if lexeme.section == "activities" else lexeme.section
        if section in self.used:
            self.used[section][lexeme.word] = None
        return lexeme.form(path or "dir", agreement)

    def _agreement(self, controller: str) -> str:
        """Agreement of `thing`, `hero`, `hero.kind`, `hero+friend`, of a word (`mother`) or as given (`m.pl`)."""
        if "+" in controller:
            genders = sorted((self._agreement(part).split(".")[0] for part in controller.split("+")), reverse=True)
            return self.lexicon.conjunction.get("+".join(genders), self.lexicon.conjunction["default"])
        name, _, kind = controller.partition(".")
        bound = self.roles.get(name)
        if bound is None:
            try:
                return self.lexicon.find(name, ["nouns"]).agreement
            except ValueError:
                return controller
        noun = self.lexicon.find(bound.concept)
        if bound.plural:
            return ".".join([*noun.agreement.split(".")[:-1], "pl"])
        if bound.name and not kind:
            return f"{bound.sex}.sg" if self.lexicon.gendered else "sg"
        return noun.agreement


def capitalize(text: str) -> str:
    """Capital letters at the beginning of sentences and of direct speech (not after `?”`: “Why?” asked Ravi)."""
    return re.sub(r"((?:^|[.?!]\s+|\.”\s+|,\s+)“|^|[.?!]\s+|\.”\s+)([a-z])", lambda m: m[1] + m[2].upper(), text)


def capitalize_title(title: str) -> str:
    """Capital letters at the beginning of a title's words, but for the small ones."""
    small = {"a", "an", "and", "at", "for", "in", "is", "it", "of", "on", "the", "to"}
    words = [word if word in small else word[:1].upper() + word[1:] for word in title.split()]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])
