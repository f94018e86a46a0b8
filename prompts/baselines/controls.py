"""Controls: a method that does as well with these has not learned what it seems to have learned.

The third kind, random weights of the same shape, is `prompts.models.with_random_weights`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from corpora.errors import UserError
from prompts.data import Item

Names = TypeVar("Names")


def shuffled_names(names: Mapping[str, Names], seed: int = 0) -> dict[str, Names]:
    """Every class with the names (in all languages) of another: a random cycle through all classes.

    A classifier that still does well does not read the names. UserError with fewer than two classes.
    """
    classes = list(names)
    if len(classes) < 2:
        raise UserError("the names of one class cannot be shuffled; give two classes or more.")
    circle = list(classes)
    random.Random(seed).shuffle(circle)
    following = dict(zip(circle, [*circle[1:], circle[0]], strict=True))
    return {label: names[following[label]] for label in classes}


def shuffled_labels(items: Sequence[Item], seed: int = 0) -> list[Item]:
    """The items with each other's labels, dealt at random: every class keeps its number of items."""
    labels = [item.label for item in items]
    random.Random(seed).shuffle(labels)
    return [replace(item, label=label) for item, label in zip(items, labels, strict=True)]


def emptied(items: Iterable[Item]) -> list[Item]:
    """The items without their texts: what is trained on these knows how often classes occur, and nothing else."""
    return [replace(item, text="") for item in items]
