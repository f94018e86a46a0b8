"""What the examples say beside the names: a linear classifier of the frozen model's states in one of its blocks.

A prompt asks by the names of the classes, whose words lie near their translations; a probe knows where the examples
lie, and no names. Their mistakes differ, and the mean of their log-probabilities makes fewer than either
(`studies/rosprompt.yaml`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file, save_file
from torch import Tensor

from prompts.baselines.probe import logistic_regression, moments, standardised
from prompts.calibration import log_probabilities

PROBE = "probe.safetensors"
_TENSORS = ("mean", "scale", "weights", "biases")


@dataclass(frozen=True)
class Probe:
    """Logistic regression on standardised states of length 1, of text and template without any soft vector."""

    classes: tuple[str, ...]
    layer: int
    """The states are those at the answer after so many blocks."""
    share: float
    """The weight of its log-probabilities beside those of the words, which have 1."""
    mean: Tensor
    """Shape (width,)."""
    scale: Tensor
    """Standard deviations, shape (width,)."""
    weights: Tensor
    """Shape (classes, width)."""
    biases: Tensor
    """Shape (classes,)."""

    def __post_init__(self) -> None:
        width = len(self.mean)
        shapes = [tuple(getattr(self, name).shape) for name in _TENSORS]
        if shapes != [(width,), (width,), (len(self.classes), width), (len(self.classes),)]:
            raise ValueError("the probe's tensors do not fit its classes")

    def scores(self, states: Tensor) -> np.ndarray:
        """Logits, float64, shape (items, classes), of states, shape (items, width)."""
        unit = standardised(states.cpu().double(), self.mean, self.scale, unit=True)
        return (unit @ self.weights.double().T + self.biases).numpy()

    def record(self) -> dict[str, Any]:
        """What is not in its tensors, as JSON."""
        return {"classes": list(self.classes), "layer": self.layer, "share": self.share}

    def save(self, folder: Path) -> None:
        """Write the tensors into a prompt folder."""
        tensors = {name: getattr(self, name).float().contiguous() for name in _TENSORS}
        save_file(tensors, folder / PROBE, {"format": "probe"})


def fit_probe(
    states: Tensor, labels: Tensor, classes: Sequence[str], layer: int, share: float = 0.5, strength: float = 2e-5
) -> Probe:
    """The probe of these states, shape (items, width), and places among the classes, shape (items,).

    `strength`: of the L2 penalty, as `prompts.baselines.probe.logistic_regression` has it.
    """
    states = states.cpu().double()
    mean, scale = moments(states)
    unit = standardised(states, mean, scale, unit=True)
    weights, biases = logistic_regression(unit, labels.cpu(), len(classes), strength)
    return Probe(tuple(classes), layer, share, mean.float(), scale.float(), weights.float(), biases.float())


def load_probe(folder: Path, record: Any) -> Probe:
    """The probe that a prompt folder holds; KeyError, TypeError, ValueError or OSError if it is damaged."""
    tensors = load_file(folder / PROBE)
    if not all(tensors[name].isfinite().all() for name in _TENSORS):
        raise ValueError("numbers that are not finite")
    chosen = {name: tensors[name] for name in _TENSORS}
    return Probe(tuple(record["classes"]), int(record["layer"]), float(record["share"]), **chosen)


def joined(scores: np.ndarray, probed: np.ndarray, share: float) -> np.ndarray:
    """log p of the words + share · log p of the probe; all of shape (items, classes).

    Classes that the probe does not know (−∞ in `probed`) keep the probability that the words give them: it then deals
    out anew, among its own classes, what the words give to these together.
    """
    logs = log_probabilities(scores)
    known = np.isfinite(probed).all(axis=0)
    if not known.any():
        return logs
    within = logs[:, known] + share * log_probabilities(probed[:, known])
    if not known.all():
        together = np.logaddexp.reduce(logs[:, known], axis=1, keepdims=True)
        within = together + log_probabilities(within)
    result = logs.copy()
    result[:, known] = within
    return result
