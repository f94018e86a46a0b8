"""Warm-up, stable, decay: the learning rate as a pure function of the step, so that resuming needs no state."""

from __future__ import annotations


def warmup_stable_decay(step: int, total: int, warmup: int, decay: float) -> float:
    """Factor on the peak learning rate for the update with number `step` (0-based) of `total`.

    Rises linearly over the first `warmup` updates, stays at 1, and falls linearly towards 0 over the last `decay`
    share of all updates (Hu et al. 2024, MiniCPM; Hägele et al. 2024, arXiv 2405.18392). The last update is made
    with a positive rate.
    """
    rising = (step + 1) / warmup if step < warmup else 1.0
    left = (total - step) / max(1.0, decay * total) if decay > 0 else 1.0
    return max(0.0, min(rising, left, 1.0))
