"""The embedded story generator: language-neutral plots, told in each language with correct agreement.

`storyworld/` (`world.py`) holds what is the same in every language: the concepts by class, the episodes, the plots made
of them, and the narrative styles. A lexicon (`lexicon.py`) holds a language's words and, for every beat, sentences with
slots (`telling.py`).

Every story is a pure function of (seed, number), so any part of a corpus can be generated alone and the same story
exists in every language under one group.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from corpora.errors import UserError
from corpora.grammar.lexicon import load_lexicon
from corpora.grammar.telling import Outline, Teller
from corpora.grammar.world import NAMES, Beat, Bound, Draw, Episode, Plot, Step, Style, World, load_world
from corpora.languages import get_language
from corpora.stories import Story


@dataclass
class Generator:
    """Stories written by the embedded story grammar, the same stories in every language asked for.

    Args:
        languages: ISO 639-1 codes; each needs a lexicon.
        stories: how many per language.
        seed: another seed, other stories.
        first: number of the first story.
        plots: which to tell (`corpora/grammar/storyworld/plots.yaml`); all if empty.
        styles: in which manners (`corpora/grammar/storyworld/styles.yaml`); all if empty.
    """

    languages: list[str] = field(default_factory=lambda: ["hi", "mr", "bn"])
    stories: int = 1000
    seed: int = 0
    first: int = 0
    plots: Sequence[str] = ()
    styles: Sequence[str] = ()

    def __iter__(self) -> Iterator[Story]:
        if self.stories < 1:
            raise UserError(f"{self.stories} stories cannot be generated; ask for at least 1.")
        world = load_world()
        plots = _known("plot", self.plots, world.plots)
        styles = _known("style", self.styles, {style.name for manner in world.manners.values() for style in manner})
        tellers = [get_teller(get_language(code).code) for code in self.languages]
        for number in range(self.first, self.first + self.stories):
            outline = draw_outline(self.seed, number, plots, styles)
            for teller in tellers:
                yield teller.tell(outline, self.seed)


@functools.cache
def get_teller(code: str) -> Teller:
    """The teller of a language, with its sentences made ready."""
    return Teller(load_lexicon(code), load_world())


def _known(what: str, wanted: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """`wanted`, or UserError for a name that the story world does not have."""
    for name in wanted:
        if name not in known:
            raise UserError(f"the story world has no {what} {name!r}; choose from {', '.join(known)}.")
    return tuple(dict.fromkeys(wanted))


def draw_outline(seed: int, number: int, plots: tuple[str, ...] = (), styles: tuple[str, ...] = ()) -> Outline:
    """Draw plot, style, episodes, what the roles stand for, and the beats of story `number`; of all plots if none."""
    world = load_world()
    order = _order(seed, number // len(plots or world.plots), plots)
    plot = world.plots[order[number % len(order)]]
    rng = random.Random(f"{seed}/{number}").random
    sort = _one(plot.sorts, rng)
    style = _one(_manners(sort, styles), rng)
    episodes = [
        world.episodes[_one(options, rng)]
        for options, share in _choices(plot.name, sort)
        if share == 1 or rng() < share
    ]
    roles = _draw_roles(world, plot, sort, episodes, style, rng)
    return Outline(number, plot.name, plot.theme, style, roles, _draw_paragraphs(plot, episodes, style, rng))


@functools.lru_cache(maxsize=64)
def _order(seed: int, block: int, plots: tuple[str, ...]) -> list[str]:
    """Every run of as many stories as there are plots tells each plot once, in a shuffled order."""
    told = plots or tuple(load_world().plots)
    return random.Random(f"{seed}/order/{block}").sample(told, len(told))


@functools.cache
def _manners(sort: str, styles: tuple[str, ...]) -> Sequence[Style]:
    """The styles that suit a hero of this sort, as often as their weights; all of them if none of `styles` does."""
    fitting = load_world().manners[sort]
    return [style for style in fitting if style.name in styles] or fitting


@functools.cache
def _choices(plot: str, sort: str) -> list[tuple[tuple[str, ...], float]]:
    world = load_world()
    return world.choices(world.plots[plot], sort)


def _one(options: Sequence, rng: Callable[[], float]):  # type: ignore[type-arg,no-untyped-def]
    return options[int(rng() * len(options))]


def _draw_roles(
    world: World, plot: Plot, sort: str, episodes: list[Episode], style: Style, rng: Callable[[], float]
) -> dict[str, Bound]:
    """What each role stands for; no concept and no name serves twice."""
    roles: dict[str, Bound] = {}
    used: set[str] = set()
    for draws in (
        world.casts[plot.name, sort],
        *(world.extras[episode.name, sort] for episode in episodes),
        world.extras[style.name, sort],
    ):
        for draw in draws:
            if draw.role not in roles:
                roles[draw.role] = _draw_role(world, draw, roles, used, rng)
    return roles


def _draw_role(world: World, draw: Draw, roles: dict[str, Bound], used: set[str], rng: Callable[[], float]) -> Bound:
    if draw.of:
        bound = world.bound(world.relations[draw.relation][roles[draw.of].concept])
        used.add(bound.concept)
        return bound
    bound = _unused(draw.pool, used, rng)
    if draw.character:
        concept = bound.concept
        animal = concept in world.members["animal"]
        names = world.classes[NAMES["animal" if animal else "person", world.sexes[concept]]]
        while (name := _one(names, rng)) in used:
            pass
        used.add(name)
        if animal:  # two persons may both be girls, two animals are of two kinds
            used.add(concept)
        return world.bound(concept, name)
    used.add(bound.concept)
    return bound


def _unused(pool: tuple[Bound, ...], used: set[str], rng: Callable[[], float]) -> Bound:
    for _ in range(20):
        bound: Bound = _one(pool, rng)
        if bound.concept not in used:
            return bound
    return _one([bound for bound in pool if bound.concept not in used] or pool, rng)  # type: ignore[no-any-return]


def _draw_paragraphs(plot: Plot, episodes: list[Episode], style: Style, rng: Callable[[], float]) -> list[list[Beat]]:
    """The beats by paragraph; a single beat joins the paragraph before it."""
    paragraphs: list[list[Beat]] = []
    for episode in episodes:
        for steps in episode.paragraphs:
            beats = _draw_beats(steps, plot, style, rng)
            if len(beats) < 2 and paragraphs:
                paragraphs[-1] += beats
            elif beats:
                paragraphs.append(beats)
    if style.between:
        for beats in paragraphs[:-1]:
            if rng() < style.share:
                beats.append(style.between)
    before = [_draw_beats(steps, plot, style, rng) for steps in style.before]
    after = [_draw_beats(steps, plot, style, rng) for steps in style.after]
    return [*before, *paragraphs, *after]


def _draw_beats(steps: tuple[Step, ...], plot: Plot, style: Style, rng: Callable[[], float]) -> list[Beat]:
    beats = []
    for step in steps:
        if (step.style and step.style != style.name) or (step.optional and rng() < 0.5):
            continue
        beat = step.beats[0] if len(step.beats) == 1 else _one(step.beats, rng)
        if beat.name == "moral":
            beat = _moral(plot.theme)
        elif beat.name in style.instead:
            beat = _instead(style.instead[beat.name])
        beats.append(beat)
    return beats


@functools.cache
def _moral(theme: str) -> Beat:
    return Beat(f"moral.{theme}")


_instead = functools.cache(Beat)
