"""What a lexicon still lacks for the stories that can be drawn, and every word form that it can emit.

Nothing is sampled: every beat of every plot and style is gone through with everything that its roles can stand for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, product

import regex

from corpora.grammar.lexicon import Lexicon
from corpora.grammar.slots import SLOT, Language, Slot
from corpora.grammar.telling import Sentence, Teller
from corpora.grammar.world import NAMES, Beat, Bound, Draw, Episode, Plot, Step, World, load_world

WORD = regex.compile(r"[\p{L}\p{M}\u200c\u200d]+(?:['’-][\p{L}\p{M}\u200c\u200d]+)*")
_NO_WORD = regex.compile(r"has no word for '(\w+)'")
_COMBINATIONS = 60_000


@dataclass(frozen=True)
class Scene:
    """A beat in a place where it can stand: what each of its roles can be there."""

    beat: Beat
    where: str
    pools: dict[str, tuple[Bound, ...]]


class Coverage:
    """Goes through all that a language has to say."""

    def __init__(self, lexicon: Lexicon, world: World | None = None) -> None:
        self.world = world or load_world()
        self.lexicon = lexicon
        self.teller = Teller(lexicon, self.world)
        self._language = Language(lexicon, self.world)
        self._agreements: dict[tuple[str, Bound], tuple[str, str]] = {}
        self._pools: dict[tuple[int, int], tuple[Bound, ...]] = {}

    def problems(self) -> list[str]:
        """Missing words, beats and forms, roles that a beat does not have, conditions under which nothing fits."""
        found = dict.fromkeys(self._missing_words())
        missing = {problem.split("'")[1] for problem in found}
        found.update(dict.fromkeys(self._unknown_beats()))
        done: set[tuple[Beat, tuple[tuple[str, int], ...]]] = set()
        for scene in self.scenes():
            key = scene.beat, tuple(sorted((role, id(pool)) for role, pool in scene.pools.items()))
            if key in done:
                continue
            done.add(key)
            for problem in self._scene_problems(scene):
                if not (match := _NO_WORD.search(problem)) or match[1] not in missing:
                    found.setdefault(problem)
        return list(found)

    def word_forms(self) -> set[str]:
        """Every word form in every sentence and title, with everything its roles can stand for."""
        forms: set[str] = set()
        done: set[tuple[object, ...]] = set()
        for scene in self.scenes():
            for sentence, text in self._variants(scene.beat):
                for token, slots in _tokens(sentence, text):
                    key = token, *slots, *(id(scene.pools.get(role)) for slot in slots for role in _roles(slot))
                    if key not in done:
                        done.add(key)
                        forms.update(self._expand(token, slots, scene))
        return forms

    def scenes(self) -> Iterator[Scene]:
        """Every beat of every plot, episode and style, with what its roles can be there."""
        for plot in self.world.plots.values():
            for sort in plot.sorts:
                cast = {draw.role: draw for draw in self.world.casts[plot.name, sort]}
                yield self._scene(Beat(f"title.{plot.name}"), plot, "", sort, cast)
                owners = {name for options, _ in self.world.choices(plot, sort) for name in options}
                for name in sorted(owners):
                    for beat in _beats(self.world.episodes[name].paragraphs, plot.theme):
                        yield self._scene(beat, plot, name, sort, cast)
                for style in dict.fromkeys(self.world.manners[sort]):
                    beats = [*_beats((*style.before, *style.after), plot.theme)]
                    beats += [Beat(name) for name in style.instead.values()]
                    for beat in [*beats, style.between] if style.between else beats:
                        yield self._scene(beat, plot, style.name, sort, cast)

    def _scene(self, beat: Beat, plot: Plot, owner: str, sort: str, cast: dict[str, Draw]) -> Scene:
        draws = dict(cast)
        for draw in self.world.extras.get((owner, sort), ()):
            draws.setdefault(draw.role, draw)
        return Scene(beat, plot.name, {r: self._pool(d, draws, sort) for r, d in draws.items()})

    def _pool(self, draw: Draw, draws: dict[str, Draw], sort: str) -> tuple[Bound, ...]:
        """Everything the role can be; of a character's names one for each kind, and all of them for one kind."""
        key = id(draw), id(draws[draw.of]) if draw.of else 0
        if key in self._pools:
            return self._pools[key]
        if draw.of:
            related = self.world.relations[draw.relation]
            bounds = [self.world.bound(related[bound.concept]) for bound in draws[draw.of].pool]
        elif draw.character:
            bounds, whole = [], set()
            for bound in draw.pool:
                kind = "animal" if bound.concept in self.world.members["animal"] else "person"
                names = self.world.classes[NAMES[kind, self.world.sexes[bound.concept]]]
                bounds += [self.world.bound(bound.concept, name) for name in (names[:1] if names in whole else names)]
                whole.add(names)
        else:
            bounds = list(draw.pool)
        self._pools[key] = tuple(dict.fromkeys(bounds))
        return self._pools[key]

    def _variants(self, beat: Beat) -> list[tuple[Sentence, str]]:
        texts = self.lexicon.sentences.get(beat.name, [])
        return list(zip(self.teller.sentences(beat), (t for _, t in texts), strict=True)) if texts else []

    def _missing_words(self) -> Iterator[str]:
        for concept in sorted(self.world.concepts()):
            try:
                self.lexicon.find(concept)
            except ValueError:
                classes = [name for name, members in self.world.members.items() if concept in members]
                yield f"no word for {concept!r} ({', '.join(sorted(classes)) or 'relations'})"

    def _unknown_beats(self) -> Iterator[str]:
        known = {scene.beat.name for scene in self.scenes()}
        for beat in self.lexicon.sentences:
            if beat not in known:
                yield f"{beat}: no plot, episode or style has this beat"

    def _scene_problems(self, scene: Scene) -> Iterator[str]:
        try:
            variants = self._variants(scene.beat)
        except ValueError as error:
            yield f"{scene.beat.name}: {error}"
            return
        if not variants:
            yield f"{scene.beat.name}: no sentences"
            return
        yield from self._gaps(scene, [sentence for sentence, _ in variants])
        for sentence, text in variants:
            for slot, match in zip(sentence.slots, SLOT.finditer(text), strict=True):
                if absent := [role for role in _roles(slot) if role not in scene.pools]:
                    yield f"{scene.beat.name}: {match[0]}: there is no role {absent[0]!r} in {scene.where}"
                    continue
                for _, problem in self._values(slot, sentence, scene):
                    if problem:
                        yield f"{scene.beat.name}: {match[0]}: {problem}"

    def _gaps(self, scene: Scene, sentences: list[Sentence]) -> Iterator[str]:
        """Conditions under which no variant holds."""
        if any(not sentence.condition for sentence in sentences):
            return
        roles = sorted({role for sentence in sentences for role, _, _ in sentence.condition} & scene.pools.keys())
        pools = [list({bound.sort: bound for bound in scene.pools[role]}.values()) for role in roles]
        for bounds in islice(product(*pools), _COMBINATIONS):
            chosen = dict(zip(roles, bounds, strict=True))
            if not any(_holds(sentence, chosen) for sentence in sentences):
                what = ", ".join(f"{role}={bound.concept}" for role, bound in chosen.items())
                yield f"{scene.beat.name}: no variant fits {what}"
                return

    def _values(self, slot: Slot, sentence: Sentence, scene: Scene) -> Iterator[tuple[str, str]]:
        """Everything the slot can say: (text, "") or ("", what is wrong)."""
        roles = _roles(slot)
        pools = []
        for number, role in enumerate(roles):
            bounds: Iterable[Bound] = scene.pools.get(role, ())
            fits = [b for b in bounds if all(_meets(b, w, m) for r, w, m in sentence.condition if r == role)]
            if number:  # it is there for its agreement only
                fits = list({self._agreement(role, bound): bound for bound in fits}.values())
            elif slot.by_sort:
                fits = list({bound.sort: bound for bound in fits}.values())
            pools.append(fits)
        for bounds in islice(product(*pools), _COMBINATIONS):
            try:
                yield slot.value(dict(zip(roles, bounds, strict=True)))[0], ""
            except ValueError as error:
                yield "", str(error)
            except KeyError as error:
                yield "", f"no pronoun for the agreement {error}"

    def _agreement(self, role: str, bound: Bound) -> tuple[str, str]:
        """What a role brings into an agreement, by name and by kind; its concept where it has none."""
        key = role, bound
        if key not in self._agreements:
            try:
                found = [self._language.agreement(part, {role: bound}) for part in (role, f"{role}.kind")]
                self._agreements[key] = found[0], found[1]
            except ValueError:
                self._agreements[key] = "", bound.concept
        return self._agreements[key]

    def _expand(self, token: str, slots: list[Slot], scene: Scene) -> Iterator[str]:
        sentence = Sentence((), "", (), False)
        values = [{text for text, problem in self._values(slot, sentence, scene) if not problem} for slot in slots]
        for texts in islice(product(*values), _COMBINATIONS):
            yield from WORD.findall(token % texts if slots else token.replace("%%", "%"))


def causes_hold(world: World, course: list[Episode]) -> str:
    """Empty if every episode finds what it needs and no trouble is left at the end; else what is amiss."""
    facts: set[str] = set()
    for episode in course:
        if missing := episode.needs - facts:
            return f"{episode.name} needs {' '.join(sorted(missing))}"
        facts = (facts - episode.ends) | episode.brings
    left = facts & world.troubles
    return f"left at the end: {' '.join(sorted(left))}" if left else ""


def _tokens(sentence: Sentence, text: str) -> Iterator[tuple[str, list[Slot]]]:
    """The parts of a sentence between blanks, each with its slots."""
    slots = list(sentence.slots)
    for token in sentence.text.split():
        count = token.replace("%%", "").count("%s")
        yield token, slots[:count]
        del slots[:count]


def _roles(slot: Slot) -> list[str]:
    return [slot.role, *slot.others] if slot.role else []


def _meets(bound: Bound, wanted: bool, members: frozenset[str]) -> bool:
    return (bound.concept in members or bound.sex in members) == wanted


def _holds(sentence: Sentence, roles: dict[str, Bound]) -> bool:
    return all(_meets(roles[r], w, m) if r in roles else not w for r, w, m in sentence.condition)


def _beats(paragraphs: Iterable[tuple[Step, ...]], theme: str) -> Iterator[Beat]:
    for steps in paragraphs:
        for step in steps:
            for beat in step.beats:
                yield Beat(f"moral.{theme}") if beat.name == "moral" else beat
