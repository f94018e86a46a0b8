"""The language-neutral half of the story grammar (`storyworld/*.yaml`), made ready for drawing.

`concepts.yaml` holds the concepts by class, `episodes.yaml` the reusable episodes (paragraphs of beats, with what they
need and bring about), `plots.yaml` the plots as sequences of episodes, `styles.yaml` the narrative styles. Each file
explains its own notation.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "storyworld"
SORTS = ("person", "animal")
NAMES = {
    ("person", "m"): "boy_name",
    ("person", "f"): "girl_name",
    ("animal", "m"): "he_name",
    ("animal", "f"): "she_name",
}
_BEAT = re.compile(r"([\w.]+)(?:\(([^)]*)\))?(?:@(\w+))?")


@dataclass(frozen=True, eq=False)
class Bound:
    """What a role stands for in one story. Compared by identity: `World` makes one object for each meaning."""

    concept: str
    """The word of a thing, place, quality, activity …, or what a character is (`rabbit`, `girl`)."""
    name: str = ""
    """A character's proper name."""
    sex: str = ""
    """`m` or `f` for a character."""
    plural: bool = False
    sort: str = field(init=False)
    """All but the name itself: what agreement and pronouns depend on."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sort", f"{self.concept}/{self.sex}/{self.plural}/{bool(self.name)}")


@dataclass(frozen=True)
class Beat:
    """A beat as an episode calls it: its name, and which roles stand in for which (`who` -> `friend`)."""

    name: str
    aliases: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Step:
    """A place in a paragraph: one of several beats, maybe none, maybe only in one style."""

    beats: tuple[Beat, ...]
    optional: bool
    style: str


@dataclass(frozen=True)
class Draw:
    """How a role is drawn: a character of a sort, one of a pool, or what goes with another role."""

    role: str
    pool: tuple[Bound, ...] = ()
    character: bool = False
    relation: str = ""
    of: str = ""


@dataclass(frozen=True)
class Episode:
    name: str
    paragraphs: tuple[tuple[Step, ...], ...]
    roles: dict[str, str]
    needs: frozenset[str]
    brings: frozenset[str]
    ends: frozenset[str]
    only: str


@dataclass(frozen=True, eq=False)
class Style:
    name: str
    weight: int
    only: str = ""
    prefer: str = ""
    instead: dict[str, str] = field(default_factory=dict)
    before: tuple[tuple[Step, ...], ...] = ()
    after: tuple[tuple[Step, ...], ...] = ()
    between: Beat | None = None
    share: float = 0.0
    same: bool = False
    roles: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plot:
    """A plot for heroes of one or both sorts."""

    name: str
    theme: str
    story: tuple[tuple[tuple[str, ...], float], ...]
    """Episodes to choose from, and how often one of them is told."""
    roles: dict[str, str]
    sorts: tuple[str, ...]


class World:
    """Concepts, episodes, plots and styles."""

    def __init__(self) -> None:
        concepts, episodes = _read("concepts"), _read("episodes")
        plots, styles = _read("plots"), _read("styles")
        self.classes: dict[str, tuple[str, ...]] = {n: tuple(m.split()) for n, m in concepts["classes"].items()}
        self.members = {name: frozenset(members) for name, members in self.classes.items()}
        self.sexes: dict[str, str] = concepts["sexes"]
        self.relations: dict[str, dict[str, str]] = concepts["relations"]
        self.cast: dict[str, str] = episodes["cast"]
        self.troubles = frozenset(episodes["troubles"])
        self.episodes = {name: _episode(name, spec) for name, spec in episodes["episodes"].items()}
        self.groups: dict[str, tuple[str, ...]] = {n: tuple(m.split()) for n, m in plots["groups"].items()}
        self.plots = {name: self._plot(name, spec) for name, spec in plots["plots"].items()}
        self.styles = {name: _style(name, spec) for name, spec in styles["styles"].items()}
        self.role_names = frozenset(self.cast).union(
            *(episode.roles for episode in self.episodes.values()),
            *(style.roles for style in self.styles.values()),
            *(plot.roles for plot in self.plots.values()),
        )
        self._bounds: dict[tuple[str, str, bool], Bound] = {}

    def concepts(self) -> set[str]:
        """Every concept that a role can stand for, names included."""
        related = (concept for relation in self.relations.values() for concept in relation.values())
        return set().union(*self.classes.values(), related)

    def bound(self, concept: str, name: str = "", plural: bool = False) -> Bound:
        """The one object for this meaning."""
        key = concept, name, plural
        if key not in self._bounds:
            self._bounds[key] = Bound(concept, name, self.sexes.get(concept, "") if name else "", plural)
        return self._bounds[key]

    def draw(self, role: str, spec: str, sort: str) -> Draw:
        """Read `CLASS`, `CLASS pl`, `CLASS except THIS THAT` or `RELATION of ROLE` for heroes of a sort."""
        if " of " in spec:
            relation, of = spec.split(" of ")
            return Draw(role, relation=relation, of=of)
        wanted, _, excluded = spec.partition(" except ")
        plural = wanted.endswith(" pl")
        wanted = wanted.removesuffix(" pl")
        character = wanted in ("character", *SORTS)
        name = sort if wanted == "character" else wanted
        if sort == "animal" and not character:
            name = f"{wanted}_animal" if f"{wanted}_animal" in self.classes else wanted
        members = [concept for concept in self.classes[name] if concept not in excluded.split()]
        return Draw(role, tuple(self.bound(concept, plural=plural) for concept in members), character)

    @functools.cached_property
    def casts(self) -> dict[tuple[str, str], tuple[Draw, ...]]:
        """(plot, sort) -> how its cast is drawn: the plot's own roles win over its episodes', those over the cast's."""
        casts = {}
        for plot in self.plots.values():
            fixed: dict[str, str] = {}
            for options, _ in plot.story:
                if not any(set(options) <= set(group) for group in self.groups.values()):
                    for option in options:
                        fixed = {**self.episodes[option].roles, **fixed}
            spec = {**self.cast, **fixed, **plot.roles}
            for sort in plot.sorts:
                casts[plot.name, sort] = tuple(self.draw(role, wanted, sort) for role, wanted in spec.items())
        return casts

    @functools.cached_property
    def extras(self) -> dict[tuple[str, str], tuple[Draw, ...]]:
        """(episode or style, sort) -> how the roles that only it has are drawn."""
        owners: dict[str, Episode | Style] = {**self.episodes, **self.styles}
        return {
            (name, sort): tuple(self.draw(role, wanted, sort) for role, wanted in owner.roles.items())
            for name, owner in owners.items()
            for sort in SORTS
        }

    @functools.cached_property
    def manners(self) -> dict[str, tuple[Style, ...]]:
        """sort -> the styles that suit it, each as often as it weighs."""
        return {s: tuple(t for t in self.styles.values() if t.only in ("", s) for _ in range(t.weight)) for s in SORTS}

    def choices(self, plot: Plot, sort: str) -> list[tuple[tuple[str, ...], float]]:
        """What of a plot's story suits a sort of hero."""
        suited = [
            (tuple(name for name in options if self.episodes[name].only in ("", sort)), share)
            for options, share in plot.story
        ]
        return [(options, share) for options, share in suited if options]

    def courses(self, plot: Plot, sort: str) -> Iterator[list[Episode]]:
        """Every sequence of episodes that a plot can become (of a group: none), for checking what leads to what."""
        steps = []
        for options, share in self.choices(plot, sort):
            if len(options) <= 3:
                steps.append([*options, *([""] if share < 1 else [])])
        for names in product(*steps):
            yield [self.episodes[name] for name in names if name]

    def _plot(self, name: str, spec: dict[str, Any]) -> Plot:
        story: list[tuple[tuple[str, ...], float]] = []
        for step in spec["story"].split():
            if step.startswith("@"):
                story.append((self.groups[step[1:]], 0.6))
            else:
                story.append((tuple(step.removesuffix("?").split("|")), 0.5 if step.endswith("?") else 1.0))
        roles = spec.get("roles", {})
        hero = roles.get("hero", "character").split()[0]
        return Plot(name, spec["theme"], tuple(story), roles, SORTS if hero == "character" else (hero,))


@functools.cache
def load_world() -> World:
    return World()


def _read(name: str) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), Loader=loader)


def _paragraphs(spec: list[list[str]]) -> tuple[tuple[Step, ...], ...]:
    return tuple(tuple(_step(beat) for beat in beats) for beats in spec)


def _step(text: str) -> Step:
    style = ""
    beats = []
    for part in text.removesuffix("?").split("|"):
        name, aliases, style = _BEAT.fullmatch(part).groups("")  # type: ignore[union-attr]
        beats.append(Beat(name, tuple((a, b) for a, _, b in (pair.partition("=") for pair in aliases.split()))))
    return Step(tuple(beats), text.endswith("?"), style)


def _episode(name: str, spec: dict[str, Any]) -> Episode:
    needs, brings, ends = (frozenset(spec.get(key, "").split()) for key in ("needs", "brings", "ends"))
    paragraphs = _paragraphs(spec["story"])
    return Episode(name, paragraphs, spec.get("roles", {}), needs, brings, ends, spec.get("only", ""))


def _style(name: str, spec: dict[str, Any]) -> Style:
    spec = dict(spec)
    for key in ("before", "after"):
        spec[key] = _paragraphs(spec.get(key, []))
    if "between" in spec:
        spec["between"] = Beat(spec["between"])
    return Style(name, **spec)
