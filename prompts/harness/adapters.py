"""The methods of this package as kinds that a plan can name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from prompts.data import Item
from prompts.harness.methods import Method, Setting, register


@register("majority")
def majority(setting: Setting) -> Method:
    """The commonest class of the training items, whatever the text."""
    return _Majority(setting.classes)


class _Majority:
    def __init__(self, classes: Sequence[str]):
        self.classes = list(classes)
        self._counts: Counter[str] = Counter()

    def fit(self, items: Sequence[Item]) -> None:
        self._counts = Counter(item.label for item in items)

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        return np.tile([float(self._counts[label]) for label in self.classes], (len(items), 1))
