"""Generalized zero-shot measures: every item is classified among all classes, those seen in training and those not.

`outcome` reduces scores to what the measures need of each item; a measure maps an outcome and weights of its items to
one value per row of weights, so that the same function serves the data (weights of one) and its bootstrap resamples.
The seen–unseen curve and the area under it: Chao et al. 2016, An empirical study and analysis of generalized zero-shot
learning for object recognition in the wild (ECCV); the harmonic mean: Xian et al. 2017 (CVPR).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Outcome:
    """What a method made of some items, one entry per item."""

    gold: np.ndarray
    """The item's class, as its place among the classes."""
    predicted: np.ndarray
    """The highest-scored of all classes (the first among equals)."""
    of_seen: np.ndarray
    """Whether the item's class was seen in training."""
    right_within: np.ndarray
    """Whether the item's class is the highest-scored of its own kind, seen or unseen."""
    margin: np.ndarray
    """Score of the best seen class less that of the best unseen: the γ at which the item changes sides."""
    classes: int


def outcome(scores: ArrayLike, gold: ArrayLike, seen: ArrayLike) -> Outcome:
    """Scores of all classes reduced to what the measures need.

    `scores`: shape (items, classes); −∞ for a class that the method cannot name. `gold`: shape (items,), places among
    the classes. `seen`: shape (classes,), whether a class was trained on. ValueError on NaN, +∞ or unequal shapes.
    """
    values, labels, known = np.asarray(scores, np.float64), np.asarray(gold, np.int64), np.asarray(seen, bool)
    if values.ndim != 2 or labels.shape != values.shape[:1] or known.shape != values.shape[1:]:
        raise ValueError(f"scores {values.shape}, labels {labels.shape} and classes {known.shape} do not fit together")
    if np.isnan(values).any() or np.isposinf(values).any():
        raise ValueError("a score is not a number or infinite")
    among_seen, among_unseen = np.where(known, values, -np.inf), np.where(known, -np.inf, values)
    best = np.stack([among_unseen.max(axis=1), among_seen.max(axis=1)])
    first = np.stack([among_unseen.argmax(axis=1), among_seen.argmax(axis=1)])
    own = known[labels].astype(int)
    rows = np.arange(len(labels))
    with np.errstate(invalid="ignore"):
        margin = np.nan_to_num(best[1] - best[0], nan=0.0, posinf=np.inf, neginf=-np.inf)
    return Outcome(
        gold=labels,
        predicted=values.argmax(axis=1),
        of_seen=known[labels],
        right_within=(first[own, rows] == labels) & np.isfinite(best[own, rows]),
        margin=margin,
        classes=values.shape[1],
    )


def accuracy(found: Outcome, weights: np.ndarray) -> np.ndarray:
    """Share of all items whose class is the highest-scored; shape of `weights` (resamples, items) → (resamples,)."""
    return _share(found.predicted == found.gold, np.ones(len(found.gold), bool), weights)


def accuracy_seen(found: Outcome, weights: np.ndarray) -> np.ndarray:
    """Accuracy on items of seen classes, among all classes; NaN without such items."""
    return _share(found.predicted == found.gold, found.of_seen, weights)


def accuracy_unseen(found: Outcome, weights: np.ndarray) -> np.ndarray:
    """Accuracy on items of unseen classes, among all classes; NaN without such items."""
    return _share(found.predicted == found.gold, ~found.of_seen, weights)


def harmonic_mean(found: Outcome, weights: np.ndarray) -> np.ndarray:
    """2 · seen · unseen / (seen + unseen) of the two accuracies; 0 where both are 0."""
    seen, unseen = accuracy_seen(found, weights), accuracy_unseen(found, weights)
    both = seen + unseen
    return np.where(both == 0, 0.0, 2 * seen * unseen / np.where(both == 0, 1.0, both))


def ausuc(found: Outcome, weights: np.ndarray) -> np.ndarray:
    """Area under the seen–unseen curve, exactly.

    With γ subtracted from the seen classes' scores, a seen item is right while γ < its margin and an unseen item once
    γ > its margin, each if it is right among its own kind. So the area is the share of all pairs (seen item, unseen
    item) of which both are right within and the seen one has the larger margin; equal margins count one half.
    """
    order = np.argsort(found.margin, kind="stable")
    of_seen, within, margin = found.of_seen[order], found.right_within[order], found.margin[order]
    sorted_weights = weights[:, order].astype(float)
    seen, unseen = sorted_weights * (of_seen & within), sorted_weights * (~of_seen & within)
    below = np.cumsum(unseen, axis=1) - unseen
    first = np.searchsorted(margin, margin, side="left")
    last = np.searchsorted(margin, margin, side="right") - 1
    strictly = below[:, first]
    equal = below[:, last] + unseen[:, last] - strictly
    pairs = (seen * (strictly + equal / 2)).sum(axis=1)
    return _ratio(pairs, (sorted_weights * of_seen).sum(axis=1) * (sorted_weights * ~of_seen).sum(axis=1))


def macro_f1(found: Outcome, weights: np.ndarray) -> np.ndarray:
    """Mean over classes of F1 = 2·tp / (labelled + predicted), of the classes that are labelled or predicted."""
    is_gold = np.eye(found.classes)[found.gold]
    is_predicted = np.eye(found.classes)[found.predicted]
    both, either = weights @ (is_gold * is_predicted), weights @ (is_gold + is_predicted)
    present = either > 0
    return (2 * both / np.where(present, either, 1)).sum(axis=1) / present.sum(axis=1)


Measure = Callable[[Outcome, np.ndarray], np.ndarray]
MEASURES: dict[str, Measure] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "accuracy_seen": accuracy_seen,
    "accuracy_unseen": accuracy_unseen,
    "harmonic_mean": harmonic_mean,
    "ausuc": ausuc,
}


def curve(found: Outcome) -> list[tuple[float, float]]:
    """The seen–unseen curve: (accuracy on unseen, accuracy on seen) from γ = −∞ to γ = +∞, one point per breakpoint.

    Straight lines join the points; the area under them is `ausuc`. ValueError without seen or without unseen items.
    """
    seen_items, unseen_items = int(found.of_seen.sum()), int((~found.of_seen).sum())
    if not seen_items or not unseen_items:
        raise ValueError("a seen–unseen curve needs items of seen and of unseen classes")
    crossing = found.right_within & (found.margin > -np.inf)
    seen = int((found.right_within & found.of_seen & crossing).sum())
    unseen = int((found.right_within & ~found.of_seen & ~crossing).sum())
    points = [(unseen / unseen_items, seen / seen_items)]
    for margin in np.unique(found.margin[crossing]):
        if margin == np.inf:
            break
        here = crossing & (found.margin == margin)
        seen -= int((here & found.of_seen).sum())
        unseen += int((here & ~found.of_seen).sum())
        points.append((unseen / unseen_items, seen / seen_items))
    return points if points[-1][1] == 0 else [*points, (points[-1][0], 0.0)]


def curve_at(points: Sequence[tuple[float, float]], unseen: ArrayLike) -> np.ndarray:
    """The curve's accuracy on seen classes at the given accuracies on unseen ones; 0 beyond its end."""
    x, y = np.array(points).T
    wanted = np.asarray(unseen, float)
    after = np.searchsorted(x, wanted, side="left").clip(max=len(x) - 1)  # of points above one another the highest
    before = np.maximum(after - 1, 0)
    wide = x[after] - x[before]
    along = np.where(wide > 0, (wanted - x[before]) / np.where(wide > 0, wide, 1), 1.0)
    return np.where(wanted > x[-1], 0.0, np.where(wanted <= x[0], y[0], y[before] + along * (y[after] - y[before])))


def group_weights(groups: Sequence[Hashable], resamples: int, seed: int = 0) -> tuple[np.ndarray, dict[Hashable, int]]:
    """Bootstrap weights of groups, shape (resamples, groups), and the column of each group."""
    places: dict[Hashable, int] = {}
    for group in groups:
        places.setdefault(group, len(places))
    count = len(places)
    return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples), places


def _share(right: np.ndarray, among: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return _ratio(weights @ (right & among).astype(float), weights @ among.astype(float))


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1), np.nan)
