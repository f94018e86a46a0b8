"""Exact and near-duplicates within a language: the first story stays, and what is alike shares a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from corpora.building.similarity import Collection, find_pairs
from corpora.errors import UserError


@dataclass(frozen=True)
class Duplicates:
    """What counts as a duplicate.

    Args:
        remove: stories at least this similar to an earlier one are removed (Jaccard, 0 to 1; above 1: only copies).
        relate: stories at least this similar share a group, so that a split never parts them.
        words: length of the word n-grams that are compared.
    """

    remove: float = 0.8
    relate: float = 0.6
    words: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.relate <= self.remove:
            raise UserError(f"the similarities must be 0 < relate ≤ remove, not {self.relate} and {self.remove}.")
        if self.words < 1:
            raise UserError(f"the word n-grams cannot be {self.words} words long; take at least 1.")


@dataclass
class Clusters:
    """Which stories stay, and which belong together."""

    kept: np.ndarray
    """Whether each story stays, (stories,) of bool."""
    groups: np.ndarray
    """The number of each story's group, (stories,) of int64: the smallest of the numbers that were tied."""
    exact: dict[str, int] = field(default_factory=dict)
    """Exact copies removed, by language."""
    near: dict[str, int] = field(default_factory=dict)
    """Near-duplicates removed, by language."""
    related: dict[str, int] = field(default_factory=dict)
    """Pairs left that are similar enough to share a group, by language."""
    removed: list[tuple[int, int, str, float]] = field(default_factory=list)
    """For each story removed: its number, the kept story's number, `exact` or `near`, and the similarity."""


def cluster(
    collection: Collection,
    texts: np.ndarray,
    languages: np.ndarray,
    names: Sequence[str],
    groups: np.ndarray,
    options: Duplicates,
) -> Clusters:
    """Remove what repeats an earlier story of its language, and tie what is alike into groups, over all languages.

    Args:
        collection: the stories' signatures.
        texts: hashes of language and text, (stories, 2) of uint64.
        languages: index into `names` of each story's language.
        names: the languages' codes.
        groups: number of the group each story comes with, (stories,) of int64.
        options: what counts as a duplicate.
    """
    result = Clusters(np.ones(len(collection), bool), groups)
    ties = []
    _, first, copy_of = np.unique(texts.view("V16").ravel(), return_index=True, return_inverse=True)
    original = first[copy_of.ravel()]
    for code, name in enumerate(names):
        members = np.flatnonzero(languages == code)
        copies = members[original[members] != members]
        result.kept[copies] = False
        result.removed += [(int(story), int(original[story]), "exact", 1.0) for story in copies]
        earlier, later, similarity = find_pairs(collection, members[original[members] == members], options.relate)
        close = similarity >= options.remove
        near = 0
        for a, b, s in zip(earlier[close].tolist(), later[close].tolist(), similarity[close].tolist(), strict=True):
            if result.kept[a] and result.kept[b]:
                result.kept[b] = False
                result.removed.append((b, a, "near", s))
                near += 1
        result.exact[name], result.near[name] = len(copies), near
        result.related[name] = int((result.kept[earlier] & result.kept[later]).sum())
        ties += [(original[copies], copies), (earlier, later)]
    pairs = [(groups[a], groups[b]) for a, b in ties]
    result.groups = tied(groups, np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs]))
    return result


def tied(groups: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The groups with those of `a` and `b` tied pair by pair; what is tied takes the smallest number (union-find)."""
    parent = np.arange(int(groups.max(initial=-1)) + 1).tolist()

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    pairs = np.unique(a * len(parent) + b)
    for one, other in (
        zip((pairs // len(parent)).tolist(), (pairs % len(parent)).tolist(), strict=True) if parent else ()
    ):
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    roots = np.array([root(number) for number in range(len(parent))], np.int64)
    return roots[groups]
