"""Muon for the matrices of the blocks and AdamW for everything else, behind the face of one optimizer."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer

POLAR = ((8.0934, -23.6204, 17.4462), (3.6366, -2.7219, 0.5365), (2.6613, -1.9772, 0.4526))
"""Coefficients of three odd quintics which after one another take singular values in [0.01, 1] to 1 ± 0.27.

Each is the best one for what the one before it leaves (Amsel et al. 2025, The Polar Express, arXiv 2505.16932).
"""


def orthogonalise(matrices: Tensor, eps: float = 1e-7) -> Tensor:
    """Each matrix with its singular values near 1, in bfloat16; [N, rows, columns] -> the same."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT.bfloat16() if tall else matrices.bfloat16()
    x = x / (1.01 * x.norm(dim=(1, 2), keepdim=True)).clamp(min=eps)
    for a, b, c in POLAR:
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


class BatchedMuon(Muon):
    """`torch.optim.Muon` with three polynomials for five, taken for all matrices of a shape together."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        for group in self.param_groups:
            shapes: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    shapes[weight.shape].append(weight)
            for shape, weights in shapes.items():
                self._update(group, shape, weights)

    def _update(self, group: dict[str, Any], shape: torch.Size, weights: list[Tensor]) -> None:
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        for weight in weights:
            if not self.state[weight]:
                self.state[weight]["momentum_buffer"] = torch.zeros_like(weight)
        momenta = [self.state[weight]["momentum_buffer"] for weight in weights]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, momenta, group["momentum"])  # Nesterov's
        updates = orthogonalise(torch.stack(ahead), group["eps"]).float()
        torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
        rate = group["lr"] * math.sqrt(max(1, shape[0] / shape[1]))
        torch._foreach_add_(weights, list(updates.unbind()), alpha=-rate)


class MuonWithAdamW(Optimizer):
    """Muon and fused AdamW stepping together.

    Muon: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/.

    Its `param_groups` are the two optimizers' own, so a schedule may write into them; its state dict holds both.
    """

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        others: Iterable[dict[str, Any]],
        matrix_learning_rate: float,
        learning_rate: float,
        momentum: float,
        betas: tuple[float, float],
        weight_decay: float,
    ) -> None:
        self.muon = BatchedMuon(matrices, lr=matrix_learning_rate, weight_decay=weight_decay, momentum=momentum)
        self.adamw = AdamW(others, lr=learning_rate, betas=betas, weight_decay=weight_decay, fused=True)
        super().__init__(self.muon.param_groups + self.adamw.param_groups, {})
        self._share()

    def _share(self) -> None:
        """Let this optimizer's groups and state be the two optimizers' own."""
        self.param_groups = self.muon.param_groups + self.adamw.param_groups
        self.state.clear()
        for part in (self.muon, self.adamw):
            self.state.update(part.state)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        first = not self.muon.state
        self.muon.step()
        self.adamw.step()
        if first:
            self._share()
        return loss

    def state_dict(self) -> dict[str, Any]:  # type: ignore[override]
        return {"muon": self.muon.state_dict(), "adamw": self.adamw.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:  # type: ignore[override]
        self.muon.load_state_dict(state_dict["muon"])
        self.adamw.load_state_dict(state_dict["adamw"])
        self._share()


def make_optimizer(
    model: nn.Module,
    name: str,
    matrix_learning_rate: float,
    learning_rate: float,
    momentum: float,
    betas: tuple[float, float],
    weight_decay: float,
) -> Optimizer:
    """Muon with AdamW (`"muon"`), or AdamW for everything (`"adamw"`).

    "Matrices" are the two-dimensional weights of the blocks; the embedding (also the output layer) and the norms
    always go to AdamW, the norms without weight decay.
    """
    embedding = set(model.get_input_embeddings().parameters())  # type: ignore[operator]
    parameters = list(model.parameters())
    matrices = [weight for weight in parameters if weight.ndim == 2 and weight not in embedding]
    norms = [weight for weight in parameters if weight.ndim < 2]
    others: list[dict[str, Any]] = [{"params": list(embedding)}, {"params": norms, "weight_decay": 0.0}]
    if name == "muon":
        return MuonWithAdamW(matrices, others, matrix_learning_rate, learning_rate, momentum, betas, weight_decay)
    groups: list[dict[str, Any]] = [{"params": matrices}, *others]
    return AdamW(groups, lr=learning_rate, betas=betas, weight_decay=weight_decay, fused=True)
