"""Guided alignment: which source token a target token comes from, for the translator's attention to be taught.

A small translator with little text learns late where to look; before that its decoder tells likely sentences that have
nothing to do with the source. IBM Model 1 over the tokens finds most counterparts in seconds, and one attention head is
taught them beside the usual loss (Chen et al. 2016, https://arxiv.org/abs/1607.01628).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from corpora.translation.pairs import model_1

if TYPE_CHECKING:
    from torch import Tensor

Example = tuple[list[int], list[int]]
"""Token ids of a source and of its target; the source begins with the tag of the target's language."""
NOWHERE = -1
_TABLE_PAIRS = 30_000
"""At most so many pairs of a language, evenly spread, train its table."""
_ITERATIONS = 5
_LEAST = 0.05
"""A less probable counterpart is none."""


def align_tokens(examples: Sequence[Example]) -> list[list[int]]:
    """For each target token the place of its likeliest source token, or NOWHERE; in the order of the examples.

    The tag and `</s>` of the source stand for no word: what has no counterpart may be aligned to them.
    """
    found: list[list[int]] = [[] for _ in examples]
    tags: dict[int, list[int]] = {}
    for number, (source, _) in enumerate(examples):
        tags.setdefault(source[0], []).append(number)
    for numbers in tags.values():
        table = _table([examples[number] for number in numbers[:: max(1, -(-len(numbers) // _TABLE_PAIRS))]])
        for number in numbers:
            source, target = examples[number]
            for token in target:
                chances = [table.get((other, token), 0.0) for other in source]
                best = max(chances)
                found[number].append(chances.index(best) if best > _LEAST else NOWHERE)
    return found


def _table(examples: Sequence[Example]) -> dict[tuple[int, int], float]:
    source = np.concatenate([np.repeat(one, len(two)) for one, two in examples])
    target = np.concatenate([np.tile(two, len(one)) for one, two in examples])
    where = np.repeat(np.arange(len(examples)), [len(one) * len(two) for one, two in examples])
    return model_1(source, target, where, _ITERATIONS)


def guidance_loss(attention: Tensor, places: Tensor) -> Tensor:
    """Mean -log of the attention that target tokens pay to their counterparts, in nats; 0 if none has one.

    Args:
        attention: (pairs, target tokens, source tokens), rows sum to 1.
        places: (pairs, target tokens), the counterpart's place or NOWHERE.
    """
    known = places != NOWHERE
    paid = attention.gather(2, places.clamp(min=0)[:, :, None])[:, :, 0][known]
    return -paid.clamp(min=1e-6).log().sum() / known.sum().clamp(min=1)
