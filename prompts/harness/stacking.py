"""Calibrated stacking around any method that learns: γ comes from seen classes that are hidden from it in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from corpora.errors import UserError
from prompts.calibration import Fold, stacked, stacking_gamma
from prompts.data import Item, of_classes, rotations
from prompts.harness.methods import Method, Setting, build


class Stacked:
    """Takes γ off the seen classes' scores (Chao et al. 2016).

    γ is that with the greatest harmonic mean on the development items, of the source language and of seen classes only:
    in each fold `hidden` of the seen classes are left out of the training and count as unseen. Nothing of the unseen
    classes or the target languages is used. Costs a training per fold. With no unseen class γ is 0.
    """

    def __init__(self, setting: Setting, of: str, hidden: int = 1, folds: int | None = None, **configuration: Any):
        """`of`: the kind of method, with its configuration; `folds`: at most so many (default: all)."""
        self.setting, self.of, self.hidden, self.folds = setting, of, hidden, folds
        self.configuration = configuration
        self.method = self._made(setting)
        self.gamma = 0.0

    @property
    def facts(self) -> dict[str, Any]:
        return {**getattr(self.method, "facts", {}), "gamma": self.gamma}

    def fit(self, items: Sequence[Item]) -> None:
        seen = self.setting.seen
        if len(seen) < len(self.setting.classes):
            if not self.setting.development:
                raise UserError("calibrated stacking needs development items; name a split of them in the task.")
            parts = [split.seen for split in rotations(seen, self.hidden)][: self.folds]
            self.gamma = stacking_gamma([self._fold(items, part) for part in parts])
        self.method.fit(items)

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        seen = np.isin(self.setting.classes, self.setting.seen)
        return stacked(self.method.scores(items, language), seen, self.gamma)

    def _fold(self, items: Sequence[Item], part: Sequence[str]) -> Fold:
        setting = self.setting
        development = list(setting.development)
        method = self._made(replace(setting, seen=tuple(part), development=tuple(of_classes(development, part))))
        method.fit(of_classes(items, part))
        known = [setting.classes.index(label) for label in setting.seen]
        return Fold(
            method.scores(development, setting.source)[:, known],
            np.array([setting.seen.index(item.label) for item in development]),
            np.isin(setting.seen, part),
        )

    def _made(self, setting: Setting) -> Method:
        return build(self.of, setting, self.configuration)
