"""What every classifier of a study does, trained or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
import torch

from prompts.data import Item

CANNOT = -np.inf
"""The score of a class that a method cannot name, for it saw no example of it."""


class Method(Protocol):
    """A classifier."""

    def fit(self, items: Sequence[Item]) -> None:
        """Learn from labelled items; a method that learns nothing does nothing."""

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        """Scores of all classes for items of one language, float64, shape (items, classes); the argmax is the class."""


States = Callable[[Sequence[Item], str], torch.Tensor]
"""Features of items of one language, shape (items, d)."""
ClassScores = Callable[[Sequence[Item], str], torch.Tensor]
"""Scores of all classes for items of one language, shape (items, classes), differentiable in a model's weights."""

T = TypeVar("T")


def by_language(items: Sequence[Item]) -> dict[str, list[int]]:
    """Places of the items by language."""
    places: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        places.setdefault(item.language, []).append(place)
    return places


def in_languages(function: Callable[[Sequence[Item], str], torch.Tensor], items: Sequence[Item]) -> torch.Tensor:
    """What the function gives for items of any languages, in the order of the items, shape (items, …)."""
    places = by_language(items)
    parts = [function([items[place] for place in found], language) for language, found in places.items()]
    order = torch.tensor([place for found in places.values() for place in found])
    return torch.cat(parts)[order.argsort().to(parts[0].device)]


def targets(items: Sequence[Item], classes: Sequence[str]) -> torch.Tensor:
    """The places of the items' labels among the classes, int64, shape (items,)."""
    number = {label: place for place, label in enumerate(classes)}
    return torch.tensor([number[item.label] for item in items])


def seen_classes(items: Sequence[Item], classes: Sequence[str]) -> list[int]:
    """The places of the classes that occur among the items."""
    labels = {item.label for item in items}
    return [place for place, label in enumerate(classes) if label in labels]
