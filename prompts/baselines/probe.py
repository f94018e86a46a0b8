"""A linear probe: logistic regression on a frozen model's states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from corpora.errors import UserError
from prompts.baselines.method import CANNOT, States, in_languages, seen_classes, targets
from prompts.data import Item

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
"""L2 penalties to choose from."""


def logistic_regression(
    features: torch.Tensor, labels: torch.Tensor, classes: int, strength: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights (classes, d) and biases (classes,), float64, of multinomial logistic regression.

    The minimum of mean cross-entropy + strength / 2 · ‖W‖² (biases are free), by L-BFGS; features: (n, d).
    """
    features = features.double()
    weights = torch.zeros(classes, features.shape[1], dtype=torch.float64, requires_grad=True)
    biases = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [weights, biases], max_iter=500, tolerance_grad=1e-8, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        search.zero_grad()
        loss = torch.nn.functional.cross_entropy(features @ weights.T + biases, labels)
        loss = loss + strength / 2 * weights.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    search.step(closure)  # type: ignore[arg-type]
    return weights.detach(), biases.detach()


def moments(states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each dimension of states, (items, d); both (d,), the latter never 0."""
    return states.mean(dim=0), states.std(dim=0, correction=0).clamp_min(1e-6)


def standardised(states: torch.Tensor, mean: torch.Tensor, scale: torch.Tensor, unit: bool) -> torch.Tensor:
    """States, (items, d), less the mean and over the scale; `unit`: each then scaled to length 1."""
    states = (states - mean) / scale
    return torch.nn.functional.normalize(states, dim=1) if unit else states


class LinearProbe:
    """Logistic regression on standardised states; the best that frozen features give without a prompt.

    `states`: features of items, a model's states at the answer or a sentence encoder's. `development`: items by whose
    cross-entropy the L2 penalty is chosen (the strongest among equals); without them it is `strength`. Scores are
    logits; classes without an example cannot win. `unit`: standardised states are scaled to length 1.
    """

    def __init__(
        self,
        classes: Sequence[str],
        states: States,
        development: Sequence[Item] = (),
        strength: float = 0.1,
        unit: bool = False,
    ):
        self.classes = list(classes)
        self.states = states
        self.development = list(development)
        self.strength = strength
        self.unit = unit
        self._seen: list[int] = []

    @property
    def facts(self) -> dict[str, float]:
        """The chosen penalty and how many numbers were trained."""
        return {"l2": self.strength, "parameters": self._weights.numel() + self._biases.numel()}

    def fit(self, items: Sequence[Item]) -> None:
        self._seen = seen_classes(items, self.classes)
        seen = [self.classes[place] for place in self._seen]
        states, labels = in_languages(self.states, items).double().cpu(), targets(items, seen)
        self._mean, self._scale = moments(states)
        states = self._standardised(states)
        held = [item for item in self.development if item.label in seen]
        if held:
            held_states = self._standardised(in_languages(self.states, held).double().cpu())
            losses = {}
            for strength in sorted(STRENGTHS, reverse=True):
                weights, biases = logistic_regression(states, labels, len(seen), strength)
                logits = held_states @ weights.T + biases
                losses[strength] = float(torch.nn.functional.cross_entropy(logits, targets(held, seen)))
            self.strength = min(losses, key=losses.__getitem__)
        self._weights, self._biases = logistic_regression(states, labels, len(seen), self.strength)

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        if not self._seen:
            raise UserError("the linear probe has learned nothing yet; fit it first.")
        states = self._standardised(self.states(items, language).double().cpu())
        scores = np.full((len(items), len(self.classes)), CANNOT)
        scores[:, self._seen] = (states @ self._weights.T + self._biases).numpy()
        return scores

    def _standardised(self, states: torch.Tensor) -> torch.Tensor:
        return standardised(states, self._mean, self._scale, self.unit)
