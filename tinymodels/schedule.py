"""The learning rate as a pure function of the step, so that resuming needs no state.

Warm-up–stable–decay: Hu et al. 2024 (MiniCPM, arXiv 2404.06395) and Hägele et al. 2024 (arXiv 2405.18392). Cosine:
Loshchilov & Hutter 2017 (SGDR, arXiv 1608.03983), with one period over the run.
"""

from __future__ import annotations

import math
from typing import Literal

Schedule = Literal["wsd", "cosine", "linear", "constant"]
Tail = Literal["linear", "1-sqrt", "exponential"]

HALVINGS = 5
"""How often the exponential tail halves, before it is brought down to end at nothing."""


def learning_rate_factor(
    step: int,
    total: int,
    warmup: int,
    decay: float,
    schedule: Schedule = "wsd",
    tail: Tail = "linear",
    final: float = 0.0,
) -> float:
    """Factor on the peak learning rate for the update with number `step` (0-based) of `total`.

    Every schedule rises linearly over the first `warmup` updates. `"wsd"` then stays at 1 and falls over the last
    `decay` share of all updates in the shape of `tail`; `"cosine"` and `"linear"` fall from the warm-up's end to the
    end; `"constant"` stays. They fall towards `final`, which the update after the last would have: with `final` 0 the
    last update is made with a positive rate.
    """
    rising = (step + 1) / warmup if step < warmup else 1.0
    if schedule == "wsd":
        left = (total - step) / max(1.0, decay * total) if decay > 0 else 1.0
        falling = tail_factor(left, tail)
    else:
        left = min(1.0, (total - step) / max(1, total - warmup))
        falling = {"cosine": (1 - math.cos(math.pi * left)) / 2, "linear": left, "constant": 1.0}[schedule]
    return max(0.0, min(rising, final + (1 - final) * falling, 1.0))


def branch_factor(step: int, total: int, start: float, tail: Tail, final: float) -> float:
    """Factor on the peak learning rate for update `step` of the `total` of a branch, which only decays.

    It falls from `start`, where the trunk was, towards `final` (or stays, if that is above), in the shape of `tail`.
    """
    falling = tail_factor((total - step) / max(1, total), tail)
    return max(0.0, min(start, final + (start - final) * falling))


def tail_factor(left: float, tail: Tail) -> float:
    """What is left of the learning rate where `left` of the decay is still to come: 1 at 1 (and above), 0 at 0.

    `"1-sqrt"` is Hägele et al.'s. `"exponential"` is MiniCPM's, 0.5^(t/T) with T a fifth of the decay, less what it
    would end at, so that it ends at 0 like the others.
    """
    left = max(0.0, min(left, 1.0))
    if tail == "1-sqrt":
        return 1 - math.sqrt(1 - left)
    if tail == "exponential":
        rest = 0.5**HALVINGS
        return (0.5 ** (HALVINGS * (1 - left)) - rest) / (1 - rest)
    return left
