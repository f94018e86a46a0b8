"""One text with its label, and samples of such texts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from corpora.errors import UserError


@dataclass(frozen=True)
class Item:
    """One text with its label."""

    id: str
    language: str
    text: str
    label: str
    group: str
    """Items of one group are drawn together when intervals are made."""
    task: str = ""
    """The data set and its kind of label, e.g. `sib200`."""


def sample(items: Sequence[Item], count: int | None, seed: int = 0) -> list[Item]:
    """`count` items drawn by the seed (all, if there are no more), in their old order.

    Equal sizes draw equal places, so parallel data sets keep the same items in every language.
    """
    if count is None or count >= len(items):
        return list(items)
    if count < 1:
        raise UserError(f"{count} items cannot be classified; ask for at least one.")
    return [items[i] for i in sorted(random.Random(seed).sample(range(len(items)), count))]
