"""Calibration: what the classes score whatever the text says, taken off their scores.

All kinds but stacking subtract a prior b_y from the score s_y(x) of class y, in log space (scores are sums or means of
logits or log-probabilities, in nats). They differ in the texts from which b_y comes:

- `none`: b_y = 0.
- `content-free`: texts that say nothing. Contextual calibration (Zhao et al. 2021, arXiv 2102.09690) divides
  p(y | x) by p(y | content-free).
- `pmi`: the template alone, b_y = s_y(template): the score is log p(y | x, template) / p(y | template), domain
  conditional pointwise mutual information (Holtzman et al. 2021, arXiv 2104.08315).
- `batch`: the unlabelled texts that are to be classified. Batch calibration (Zhou et al. 2023, arXiv 2309.17249).
  Transductive: a prediction depends on the other texts, so its results are not comparable with the other kinds'.

Calibrated stacking (Chao et al. 2016, arXiv 1605.04253) subtracts one number γ from the scores of the seen classes:
training favours them, and γ says by how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from corpora.errors import UserError
from prompts.verbalizers.labels import Names

Calibration = Literal["none", "content-free", "pmi", "batch"]
TRANSDUCTIVE: frozenset[str] = frozenset({"batch"})
"""Kinds that use the texts to be classified, beyond the one in question."""


def reference_texts(kind: Calibration, names: Names, batch: Sequence[str] = ()) -> list[str]:
    """The texts from whose scores the prior comes; none for `none`. `batch`: the texts to be classified."""
    return {"none": [], "content-free": list(names.content_free), "pmi": [""], "batch": list(batch)}[kind]


def prior(reference: np.ndarray, mean: Literal["score", "probability"] = "score") -> np.ndarray:
    """b_y of the scores of the reference texts, (texts, classes): float64, shape (classes,).

    `score`: their mean, (1/n) Σ_i s_y(x_i): the geometric mean of the probabilities. `probability`: the log of the mean
    over texts of softmax over classes, log (1/n) Σ_i p(y | x_i), as contextual and batch calibration are published. One
    text gives the same predictions either way. No text gives 0.
    """
    reference = np.asarray(reference, dtype=np.float64)
    if len(reference) == 0:
        return np.zeros(reference.shape[1])
    if mean == "score":
        return reference.mean(axis=0)
    return np.logaddexp.reduce(log_probabilities(reference), axis=0) - np.log(len(reference))


def log_probabilities(scores: np.ndarray) -> np.ndarray:
    """log softmax over classes of scores, (items, classes)."""
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def calibrated(
    scores: np.ndarray, reference: np.ndarray, mean: Literal["score", "probability"] = "score"
) -> np.ndarray:
    """s_y(x) − b_y, float64, shape (items, classes); see `prior`."""
    return np.asarray(scores, dtype=np.float64) - prior(reference, mean)


@dataclass(frozen=True)
class Fold:
    """Source-language validation under one choice of pseudo-unseen classes, which its prompt was not trained on."""

    scores: np.ndarray
    """Shape (items, classes), over pseudo-seen and pseudo-unseen classes together."""
    labels: np.ndarray
    """The column of each item's class, shape (items,)."""
    seen: np.ndarray
    """Whether a class was trained on, bool, shape (classes,)."""

    def __post_init__(self) -> None:
        own = self.seen[self.labels]
        if self.seen.all() or not self.seen.any() or own.all() or not own.any():
            raise UserError("calibrated stacking needs items of both seen and pseudo-unseen classes; change the split.")


def stacked(scores: np.ndarray, seen: np.ndarray, gamma: float) -> np.ndarray:
    """Scores with γ taken off the seen classes, float64, shape (items, classes)."""
    return np.asarray(scores, dtype=np.float64) - gamma * np.asarray(seen, dtype=np.float64)


def harmonic(fold: Fold, gamma: float) -> float:
    """2 a_S a_U / (a_S + a_U), the harmonic mean of the accuracies on the fold's seen and pseudo-unseen items.

    Every item chooses among all classes, with γ taken off the seen ones.
    """
    right = stacked(fold.scores, fold.seen, gamma).argmax(axis=1) == fold.labels
    own = fold.seen[fold.labels]
    seen, unseen = float(right[own].mean()), float(right[~own].mean())
    return 2 * seen * unseen / (seen + unseen) if seen + unseen > 0 else 0.0


def stacking_gamma(folds: Sequence[Fold]) -> float:
    """The γ with the greatest harmonic mean, averaged over the folds; the one nearest to 0 among equals.

    An item changes from a seen to an unseen class where γ passes the difference of its best seen and best unseen score,
    so γ = 0 and the middles between neighbouring differences are all that need be tried.
    """
    if not folds:
        raise UserError("calibrated stacking needs at least one choice of pseudo-unseen classes.")
    edges = np.unique(
        np.concatenate([fold.scores[:, fold.seen].max(1) - fold.scores[:, ~fold.seen].max(1) for fold in folds])
    )
    tried = sorted({0.0, *((edges[1:] + edges[:-1]) / 2).tolist()}, key=lambda gamma: (abs(gamma), gamma))
    return float(max(tried, key=lambda gamma: np.mean([harmonic(fold, gamma) for fold in folds])))
