"""The learning rate and the order of the items as pure functions of step, epoch and seed: resuming needs no state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def rate_factor(step: int, total: int, warmup: float) -> float:
    """Factor on the peak learning rate for update `step` (0-based) of `total`.

    It rises linearly over the first `warmup` share of all updates and then falls linearly towards 0, which the update
    after the last would have.
    """
    rising = round(warmup * total)
    if step < rising:
        return (step + 1) / rising
    return max(0.0, (total - step) / max(1, total - rising))


def epoch_order(items: int, epoch: int, seed: int) -> list[int]:
    """The numbers 0 … `items` − 1 in the order of one pass over them."""
    return [int(number) for number in np.random.default_rng([seed, epoch]).permutation(items)]


class TrainingBatches:
    """Batches of item numbers over several passes; Lightning saves and restores the position.

    All passes are one pass of Lightning's loop: Lightning 2.6 miscounts its epochs when it resumes at the end of one.
    """

    def __init__(self, items: int, batch_size: int, length: int, seed: int) -> None:
        """`length`: batches in all; each pass over the items is cut into as many as it takes."""
        self.items, self.batch_size, self.length, self.seed = items, batch_size, length, seed
        self.per_epoch = -(-items // batch_size)
        self.position = 0

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[list[int]]:
        while self.position < self.length:
            batch = self.batch(self.position)
            self.position += 1
            yield batch

    def batch(self, position: int) -> list[int]:
        """The item numbers of one batch; the last of a pass may be smaller."""
        epoch, number = divmod(position, self.per_epoch)
        start = number * self.batch_size
        return epoch_order(self.items, epoch, self.seed)[start : start + self.batch_size]

    def state_dict(self) -> dict[str, Any]:
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.position = state["position"]
