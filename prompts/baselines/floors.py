"""Baselines without a language model, as methods of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from corpora.errors import UserError
from prompts.baselines.lexical import NaiveBayes, name_counts
from prompts.baselines.method import CANNOT
from prompts.baselines.scripts import to_devanagari
from prompts.data import Item


class Majority:
    """The most frequent class of the training items, the first of the classes among equals."""

    def __init__(self, classes: Sequence[str]):
        self.classes = list(classes)
        self._shares = np.zeros(len(self.classes))

    def fit(self, items: Sequence[Item]) -> None:
        labels = [item.label for item in items]
        self._shares = np.array([labels.count(label) / max(1, len(labels)) for label in self.classes])

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        return np.tile(self._shares, (len(items), 1))


class NameInText:
    """How often the names of a class occur in the text, letter case aside; nothing is learned.

    `names`: class -> language -> names. A method that is no better has perhaps only copied words.
    """

    def __init__(self, names: Mapping[str, Mapping[str, Sequence[str]]]):
        self.names = names

    def fit(self, items: Sequence[Item]) -> None:
        return None

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        names = {label: by_language.get(language, ()) for label, by_language in self.names.items()}
        return np.array([list(name_counts(item.text, names).values()) for item in items], dtype=np.float64)


class CharacterNaiveBayes:
    """Naive Bayes over character n-grams (see `NaiveBayes`), at the k of whatever it is compared with.

    `transliterate`: Bengali is read in Devanagari letters, so that cognates can be found across scripts; the larger
    part of what looks like transfer may be that. Scores are log p(class, text); classes without an example cannot win.
    """

    def __init__(
        self,
        classes: Sequence[str],
        transliterate: bool = True,
        sizes: Sequence[int] = (2, 3, 4),
        alpha: float = 0.1,
    ):
        self.classes = list(classes)
        self.transliterate = transliterate
        self.sizes = tuple(sizes)
        self.alpha = alpha
        self._model: NaiveBayes | None = None

    def fit(self, items: Sequence[Item]) -> None:
        labels = [item.label for item in items]
        self._model = NaiveBayes([self._read(item) for item in items], labels, self.sizes, self.alpha)

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        if self._model is None:
            raise UserError("naive Bayes has learned nothing yet; fit it first.")
        scores = np.full((len(items), len(self.classes)), CANNOT)
        columns = [self.classes.index(label) for label in self._model.classes]
        for row, item in enumerate(items):
            scores[row, columns] = self._model.log_joint(self._read(item))
        return scores

    def _read(self, item: Item) -> str:
        return to_devanagari(item.text) if self.transliterate else item.text
