"""How a study makes its methods, by the name that a plan gives their kind.

A method may have `facts`, a mapping of plain JSON values that its runs keep; of these the page knows `verbalizer` (rows
of class, language, name, piece, text and weight) and `parameters` (how many numbers were trained).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from corpora.errors import UserError
from prompts.baselines import Method
from prompts.data import Item

__all__ = ["Kind", "Method", "Setting", "build", "kind_of"]


@dataclass(frozen=True)
class Setting:
    """What a method knows of a run before it sees an item."""

    labels: str
    """The labels file, a path or the name of a built-in one."""
    classes: tuple[str, ...]
    """The full label space; scores have one column for each."""
    seen: tuple[str, ...]
    """The classes of the training items."""
    source: str
    """The language of the training items."""
    languages: tuple[str, ...]
    """The languages of the evaluation."""
    development: tuple[Item, ...]
    """Items of the source language and of seen classes, by which a method may choose; no other text is for that."""
    draw: int
    seed: int
    """Of initialisation and order."""

    @property
    def every_language(self) -> list[str]:
        """The source language and those of the evaluation."""
        return list(dict.fromkeys([self.source, *self.languages]))


Configuration = Mapping[str, Any]
ENSEMBLE = "ensemble"
"""The kind whose runs are the means of other methods' runs on the same draw, seed and seen classes."""


def ensemble_members(configuration: Configuration) -> dict[str, float]:
    """The methods that an ensemble names in `of`, with their weights (`weights`, or all alike), which sum to 1.

    UserError if it does not name two or more, or weighs others.
    """
    members = configuration.get("of")
    if not isinstance(members, list) or len(set(members)) < 2 or set(configuration) - {"of", "weights"}:
        raise UserError("an ensemble needs 'of', a list of two or more methods, and may have 'weights', nothing else.")
    weights = configuration.get("weights", [1] * len(members))
    numbers = isinstance(weights, list) and all(isinstance(weight, (int, float)) and weight > 0 for weight in weights)
    if not numbers or len(weights) != len(members):
        raise UserError("an ensemble's 'weights' are positive numbers, one for each of its methods.")
    return {str(member): weight / sum(weights) for member, weight in zip(members, weights, strict=True)}


def never_built(setting: Setting, **configuration: Any) -> Method:
    """In the place of what makes an ensemble: it is made of runs, not of texts."""
    raise UserError("an ensemble is made of other methods' runs, and cannot be stacked or made by itself.")


@dataclass(frozen=True)
class Kind:
    """How methods of one kind are made."""

    build: Callable[..., Method]
    """Called with a `Setting` and the configuration by keywords."""
    learns: bool = True
    """Whether it depends on the draw and on which classes are seen."""
    seeded: bool = False
    """Whether it depends on the seed of initialisation and order."""
    prompt: bool = False
    """Whether it asks a language model with a prompt; the best that does not learn is what learning must beat."""


def kind_of(name: str) -> Kind:
    """The kind of this name; UserError if there is none."""
    from prompts.harness.kinds import KINDS  # imports what makes them

    if name not in KINDS:
        raise UserError(f"there is no method {name!r}; choose from {', '.join(sorted(KINDS))}.")
    return KINDS[name]


def build(kind: str, setting: Setting, configuration: Configuration) -> Method:
    """A method; UserError if its kind is unknown or does not take the configuration."""
    try:
        return kind_of(kind).build(setting, **configuration)
    except TypeError as error:
        if "keyword" not in str(error) and "argument" not in str(error):
            raise
        raise UserError(f"the method {kind!r} cannot be made of {dict(configuration)} ({error}).") from None
