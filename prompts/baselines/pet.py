"""Pattern-exploiting training: one fine-tuned model per pattern, and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from corpora.errors import UserError
from prompts.baselines.method import ClassScores
from prompts.baselines.tuning import FineTuning
from prompts.data import Item


class PET:
    """PET with several patterns (Schick & Schütze 2021): the weights are trained once per pattern, scores averaged.

    A pattern is a template with its verbalizer, as `verbalized` makes one. As in their uniform variant the class
    scores of the patterns are averaged before the softmax. Their auxiliary language-modelling loss (for which texts
    without labels are needed, weight 10⁻⁴) and the distillation into one classifier are left out. `options` are those
    of `FineTuning`.
    """

    def __init__(self, classes: Sequence[str], model: torch.nn.Module, patterns: Sequence[ClassScores], **options: Any):
        if len(patterns) < 2:
            raise UserError("PET needs two or more patterns; with one it is fine-tuning.")
        self.members = [FineTuning(classes, model, pattern, **options) for pattern in patterns]

    @property
    def facts(self) -> dict[str, int]:
        """How many numbers were trained."""
        return {"parameters": sum(member.facts["parameters"] for member in self.members)}

    def fit(self, items: Sequence[Item]) -> None:
        for member in self.members:
            member.fit(items)

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        return np.mean([member.scores(items, language) for member in self.members], axis=0)
