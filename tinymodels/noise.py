"""The gradient noise scale: up to which batch size a larger batch saves updates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback

from tinymodels.short_runs import RATES, ShortRuns


class Gradients(Callback):
    """Sums the gradients of single batches, and their squared norms."""

    def __init__(self) -> None:
        self.sums: list[torch.Tensor] = []
        self.squared = 0.0
        self.count = 0

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        gradients = [weight.grad.double() for weight in module.parameters() if weight.grad is not None]
        self.sums = [s + g for s, g in zip(self.sums, gradients, strict=True)] if self.sums else gradients
        self.squared += squared_norm(gradients)
        self.count += 1


def squared_norm(gradients: Iterable[torch.Tensor]) -> float:
    return float(sum(gradient.square().sum() for gradient in gradients))


def noise_scale(small_squared: float, big_squared: float, small: float, big: float) -> tuple[float, float]:
    """tr(Sigma) and |G|^2 without bias, of McCandlish et al. 2018 (arXiv 1812.06162), appendix A.1.

    With the expected squared norm of the gradient of a batch of B, E|G_B|^2 = |G|^2 + tr(Sigma) / B, known at two
    sizes: |G|^2 = (B_big |G_big|^2 - B_small |G_small|^2) / (B_big - B_small) and
    tr(Sigma) = (|G_small|^2 - |G_big|^2) / (1 / B_small - 1 / B_big). The noise scale is
    B_simple = tr(Sigma) / |G|^2: near it, twice the batch no longer saves half of the updates.
    """
    true_squared = (big * big_squared - small * small_squared) / (big - small)
    return (small_squared - big_squared) / (1 / small - 1 / big), true_squared


def measure_noise(runs: ShortRuns, weights: dict[str, Any], batches: int) -> dict[str, Any]:
    """The gradient noise scale at these weights, from so many batches of the configured size and all of them as one.

    Training with learning rates of zero leaves the weights where they are. The scale grows as training goes on, so
    after a short run it is a lower bound for a long one.
    """
    seen = Gradients()
    runs.run(batches, [seen], weights, **{f"model__{name}": 0.0 for name in RATES})
    small, big = runs.batch_size, runs.batch_size * seen.count
    mean_squared = squared_norm(seen.sums) / seen.count**2
    trace, squared = noise_scale(seen.squared / seen.count, mean_squared, small, big)
    scale = trace / squared if squared > 0 else None
    return {
        "batches": seen.count,
        "trace": trace,
        "squared_gradient": squared,
        "critical_batch_size": scale,
        "critical_batch_tokens": None if scale is None else scale * runs.tokens / small,
    }
