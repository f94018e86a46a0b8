"""A task: the texts that draws are made from, those that choose settings, and those that are evaluated."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora.errors import UserError
from corpora.folders import sha256
from prompts.data import (
    Item,
    check_disjoint,
    few_shot,
    masked,
    of_classes,
    read_items,
    sample,
    sib200_path,
)
from prompts.harness.plan import TaskPlan
from prompts.verbalizers import check_labels, labels_path, load_verbalizer


@dataclass(frozen=True)
class Task:
    """Labelled texts of one task, for draws in one language and evaluation in several."""

    name: str
    labels: str
    classes: list[str]
    """In the order of the labels file; scores have one column for each."""
    source: str
    pool: list[Item]
    """Of the source language; draws are made from it."""
    development: list[Item] | None
    """Of the source language; None if each draw keeps some of the pool for it."""
    evaluation: dict[str, list[Item]]
    note: str
    """Which texts are evaluated, in words."""
    fingerprint: str
    """SHA-256 of all of this."""


def load_task(name: str, plan: TaskPlan, source: str, languages: Sequence[str]) -> Task:
    """Read a task; UserError if it has no texts, labels that the labels file lacks, or one text on both sides."""
    pool = _read(plan, plan.pool, source)
    development = None if plan.development is None else _read(plan, plan.development, source)
    if plan.held_out is not None and not _has_split(plan, [*languages]):
        evaluation = {language: _read(plan, plan.pool, language) for language in languages}
        kept = held_out([pool, *evaluation.values()], plan.held_out, plan.held_out_seed, plan.held_out_set)
        pool = [item for item in pool if item.group not in kept]
        evaluation = {
            language: [item for item in items if item.group in kept] for language, items in evaluation.items()
        }
        note = (
            f"There is no {plan.evaluation} split here: evaluated are {len(kept)} texts of the {plan.pool} split, "
            f"drawn once with seed {plan.held_out_seed}"
            + (f" (set {plan.held_out_set}, none of which is in an earlier set)" if plan.held_out_set else "")
            + ", the same in every language, and no draw uses them."
        )
    else:
        evaluation = {language: _read(plan, plan.evaluation, language) for language in languages}
        note = f"Evaluated are the texts of the {plan.evaluation} split."
    evaluation = {language: sample(items, plan.items) for language, items in evaluation.items()}
    if plan.masked:
        note += " The names of all classes, in every form, are taken out of all texts."
        pool = masked_items(pool, plan.labels, source)
        development = None if development is None else masked_items(development, plan.labels, source)
        evaluation = {language: masked_items(items, plan.labels, language) for language, items in evaluation.items()}
    names = load_verbalizer(plan.labels, source)
    everything = [*pool, *(development or []), *(item for items in evaluation.values() for item in items)]
    if empty := [language for language, items in {source: pool, **evaluation}.items() if not items]:
        raise UserError(f"the task {name!r} has no texts in {empty[0]!r}; check its folder and splits.")
    check_labels([item.label for item in everything], names)
    check_disjoint([*pool, *(development or [])], [item for items in evaluation.values() for item in items])
    content = [[item.id, item.language, item.text, item.label, item.group] for item in everything]
    digest = hashlib.sha256(json.dumps([content, sha256(labels_path(plan.labels))]).encode()).hexdigest()
    return Task(name, plan.labels, list(names.classes), source, pool, development, evaluation, note, digest)


def draw(task: Task, k: int, number: int, seen: Iterable[str] | None = None) -> tuple[list[Item], list[Item]]:
    """`k` training items of each seen class (default: of all), and the items of those classes to choose settings on.

    A class's items in a draw do not depend on which other classes are seen.
    """
    classes = list(task.classes if seen is None else seen)
    training, kept = few_shot(of_classes(task.pool, classes), k, number)
    return training, of_classes(kept if task.development is None else task.development, classes)


def held_out(by_language: Sequence[Sequence[Item]], count: int, seed: int, number: int = 0) -> set[str]:
    """`count` groups, drawn by the seed, of those that every language has; sets of different numbers share none."""
    shared = sorted(set.intersection(*({item.group for item in items} for items in by_language)))
    start = number * count
    if start < 0 or start + count > len(shared) or count == len(shared):
        which = f" for set {number}" if number else ""
        raise UserError(f"{count} texts cannot be kept for evaluation{which}: the languages share {len(shared)}.")
    return set(random.Random(seed).sample(shared, len(shared))[start : start + count])


def masked_items(items: Sequence[Item], labels: str, language: str) -> list[Item]:
    """The items without the names of any class."""
    words = {label: {language: names} for label, names in load_verbalizer(labels, language).names.items()}
    return masked(items, words)


def _read(plan: TaskPlan, split: str, language: str) -> list[Item]:
    return read_items(plan.source, plan.folder, split, language, plan.labels)


def _has_split(plan: TaskPlan, languages: Sequence[str]) -> bool:
    """Whether the evaluation split is there; UserError if it is in some languages only."""
    if plan.source != "sib200" or not Path(plan.folder or "").is_dir():
        return plan.evaluation != plan.pool
    found = []
    for language in languages:
        place = sib200_path(plan.folder or "", plan.pool, language)
        found.append(place.with_name(f"{plan.evaluation}.tsv").is_file())
    if any(found) != all(found):
        raise UserError(f"{plan.folder!r} has a {plan.evaluation} split in some of the languages only; add the others.")
    return all(found)
