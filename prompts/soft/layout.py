"""Where a soft prompt's vectors stand among the tokens of a text and of its hard template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from corpora.errors import UserError

Place = Literal["prefix", "infix", "suffix"]
PLACES: tuple[Place, ...] = get_args(Place)


@dataclass(frozen=True)
class Layout:
    """How many vectors stand before the text, between text and template, and after the template.

    The whole input reads: prefix, special tokens and text, infix, template, suffix. The prefix comes before the
    beginning-of-text token too, as PEFT's prompt tuning has it. UserError if a length is negative, or all are 0.
    """

    prefix: int = 0
    infix: int = 0
    suffix: int = 0

    def __post_init__(self) -> None:
        if min(self.lengths) < 0:
            raise UserError("a soft prompt cannot have fewer than 0 vectors in a place; give 0 or more.")
        if self.length == 0:
            raise UserError("a soft prompt needs a vector somewhere; give a length to prefix, infix or suffix.")

    @property
    def lengths(self) -> tuple[int, int, int]:
        return self.prefix, self.infix, self.suffix

    @property
    def length(self) -> int:
        """Vectors in all."""
        return sum(self.lengths)

    @property
    def only_prefix(self) -> bool:
        return self.length == self.prefix

    def span(self, place: Place) -> slice:
        """Which rows of the prompt's matrix [length, width] stand in a place."""
        start = sum(self.lengths[: PLACES.index(place)])
        return slice(start, start + getattr(self, place))
