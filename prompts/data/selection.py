"""Few examples per class: at random, or those that the untrained model is unsure of and that differ from each other."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from corpora.errors import UserError
from prompts.data.items import Item


def few_shot(items: Sequence[Item], k: int, seed: int = 0) -> tuple[list[Item], list[Item]]:
    """`k` training items per class drawn at random, and ⌈k / 4⌉ more per class to choose settings on.

    One seed is one draw. Draws are nested: those of k are among those of k + 1, on both sides. They depend on ids, not
    on the order of the items, so a parallel data set draws the same ids in every language. Of a group (a story told
    twice) one item takes part. UserError if a class has too few items.
    """
    check_k(k)
    development = math.ceil(k / 4)
    chosen: list[Item] = []
    kept: list[Item] = []
    for label, members in by_class(items).items():
        enough(label, members, k + development)
        order = shuffled(members, seed, label)
        chosen += order[:k]
        kept += order[::-1][:development]
    return chosen, kept


def uncertain_and_diverse(
    items: Sequence[Item],
    k: int,
    margins: np.ndarray,
    states: np.ndarray,
    seed: int = 0,
    share: float = 0.5,
) -> tuple[list[Item], list[Item]]:
    """`k` items per class with small margins and distant states, and ⌈k / 4⌉ drawn at random to choose settings on.

    `margins`: shape (items,), of the untrained model (see `margins`); `states`: shape (items, d), e.g. its states at
    the answer. A draw sees a random `share` of each class (so that draws differ), keeps the less certain half of it,
    begins with the least certain item and then takes, again and again, the item farthest by cosine from all taken
    (farthest-first traversal, Gonzalez 1985; k-center greedy, Sener & Savarese 2018). Nested like `few_shot`, as long
    as the class has the items: the half grows only where k asks for more. Labels serve to keep k per class, as they do
    when drawn at random; the development items never come from what is chosen. UserError if a class has too few items.
    """
    check_k(k)
    if len(items) != len(margins) or len(items) != len(states):
        raise ValueError(f"{len(items)} items, {len(margins)} margins and {len(states)} states do not match")
    place = {(item.language, item.id): i for i, item in enumerate(items)}
    unit = np.asarray(states, np.float64)
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    development = math.ceil(k / 4)
    chosen: list[Item] = []
    kept: list[Item] = []
    for label, members in by_class(items).items():
        enough(label, members, k + development)
        order = shuffled(members, seed, label)
        pool = order[: max(math.ceil(len(order) * share), k)]
        rows = np.array([place[item.language, item.id] for item in pool])
        rows = rows[np.argsort(np.asarray(margins)[rows], kind="stable")][: max(math.ceil(len(pool) / 2), k)]
        chosen += [items[row] for row in rows[_farthest_first(unit[rows], k)]]
        rest = [item for item in order[::-1] if item not in chosen]
        kept += rest[:development]
    return chosen, kept


def margins(scores: np.ndarray) -> np.ndarray:
    """The best class's score less the second best's, shape (items,), from scores (items, classes)."""
    top = np.partition(np.asarray(scores, np.float64), -2, axis=1)
    return top[:, -1] - top[:, -2]


def by_class(items: Sequence[Item]) -> dict[str, list[Item]]:
    """Items by label, labels in alphabetical order."""
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        found[item.label].append(item)
    return dict(sorted(found.items()))


def shuffled(members: Sequence[Item], seed: int, label: str) -> list[Item]:
    """A class's items in an order that depends on the seed, the class and the items' ids only; one item a group."""
    first: dict[str, Item] = {}
    for item in sorted(members, key=lambda item: (item.group, item.id, item.language)):
        first.setdefault(item.group, item)
    order = list(first.values())
    random.Random(f"{seed} {label}").shuffle(order)
    return order


def enough(label: str, members: Sequence[Item], count: int) -> None:
    """UserError if a class has fewer groups of items than are wanted."""
    if (groups := len({item.group for item in members})) < count:
        raise UserError(f"the class {label!r} has {groups} texts, but {count} are wanted to train and choose on.")


def check_k(k: int) -> None:
    """UserError unless k is positive."""
    if k < 1:
        raise UserError(f"{k} examples per class cannot be drawn; ask for at least one.")


def _farthest_first(unit: np.ndarray, count: int) -> list[int]:
    """Rows of unit vectors, the first row first, then each time the one with the largest least distance."""
    taken = [0]
    distance = 1 - unit @ unit[0]
    while len(taken) < count:
        distance[taken] = -1
        taken.append(int(distance.argmax()))
        distance = np.minimum(distance, 1 - unit @ unit[taken[-1]])
    return taken
