"""Methods that know no language model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from prompts.data import Item
from prompts.harness.methods import Setting


class Majority:
    """The commonest class of the training items, whatever the text."""

    def __init__(self, setting: Setting):
        self.classes = setting.classes
        self._counts: Counter[str] = Counter()

    def fit(self, items: Sequence[Item]) -> None:
        self._counts = Counter(item.label for item in items)

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        return np.tile([float(self._counts[label]) for label in self.classes], (len(items), 1))
