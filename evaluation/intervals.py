"""Confidence intervals: bootstrap over documents (or clusters of them), Wilson's for shares, Student's t over seeds."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

_DRAWS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A measured value with the bounds of its confidence interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """`{"value", "low", "high"}`, as every scores file has it."""
        return asdict(self)


def bootstrap_ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Sum of numerators / sum of denominators, with the percentile bootstrap over items.

    `numerators`, `denominators`: one number per item, shape (items,). `clusters`: one label per item; items of equal
    label are drawn together (the same story in two languages, several stories of one prompt). One item or one cluster
    has no spread to resample: the interval is then the value itself. Equal arguments give equal intervals.
    ValueError on empty or unequal inputs and when the denominators do not sum to a positive number.
    """
    top: np.ndarray = np.asarray(numerators, dtype=np.float64)
    bottom: np.ndarray = np.asarray(denominators, dtype=np.float64)
    if top.ndim != 1 or top.shape != bottom.shape or not len(top):
        raise ValueError(f"one numerator and one denominator per item are needed, not {top.shape} and {bottom.shape}")
    if clusters is not None:
        if len(clusters) != len(top):
            raise ValueError(f"{len(top)} items but {len(clusters)} cluster labels")
        numbers: dict[Hashable, int] = {}
        labels = np.array([numbers.setdefault(label, len(numbers)) for label in clusters])
        top, bottom = np.bincount(labels, weights=top), np.bincount(labels, weights=bottom)
    if not bottom.sum() > 0:
        raise ValueError("the denominators must sum to a positive number")
    count = len(top)
    generator = np.random.default_rng(seed)
    ratios = []
    for start in range(0, resamples, chunk := max(1, _DRAWS_AT_ONCE // count)):
        draws = generator.integers(count, size=(min(chunk, resamples - start), count))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios.append(top[draws].sum(axis=1) / bottom[draws].sum(axis=1))
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(np.concatenate(ratios), [tail, 1 - tail])
    return Interval(float(top.sum() / bottom.sum()), float(low), float(high))


def bootstrap_mean(
    values: ArrayLike,
    *,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Mean of `values`, shape (items,), with the percentile bootstrap over items or clusters."""
    ones = np.ones(len(np.asarray(values)))
    return bootstrap_ratio(values, ones, clusters=clusters, resamples=resamples, confidence=confidence, seed=seed)


def proportion(hits: ArrayLike, *, clusters: Sequence[Hashable] | None = None, confidence: float = 0.95) -> Interval:
    """Share of hits (1, 0, or ½ for a tie), shape (items,), with the Wilson score interval.

    Unlike the bootstrap it has width when all items are hits or none is. Items of one cluster may go together: the
    number of items is divided by Kish's design effect, the variance of the share over clusters / that over items, which
    counts as 1 where it is less (Kish 1965, Survey Sampling; Wilson 1927). ValueError without items.
    """
    values: np.ndarray = np.asarray(hits, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"at least one item is needed, in one dimension, not {values.shape}")
    share, count = float(values.mean()), float(len(values))
    variance = float(values.var())
    if clusters is not None and variance:
        sums: dict[Hashable, float] = {}
        for label, value in zip(clusters, values, strict=True):
            sums[label] = sums.get(label, 0.0) + float(value) - share
        if len(sums) > 1:
            of_share = sum(value**2 for value in sums.values()) * len(sums) / (len(sums) - 1) / count**2
            count /= max(1.0, of_share / (variance / count))
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    denominators: ArrayLike | None = None,
    *,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """(sum of first − sum of second) / sum of denominators, resampling the pairs; positive when `first` is larger.

    Two systems measured on the same items: `first[i]` and `second[i]` belong to item i. Without `denominators` it is
    the mean difference; with characters as denominators and bits as values, the difference in bits per character.
    """
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    bottom = np.ones(len(difference)) if denominators is None else denominators
    return bootstrap_ratio(difference, bottom, clusters=clusters, resamples=resamples, confidence=confidence, seed=seed)


def seed_interval(values: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Mean of one result per training seed ± t(n−1) · s / √n; ValueError with fewer than two seeds."""
    results = np.asarray(values, dtype=np.float64)
    if len(results) < 2:
        raise ValueError("an interval over seeds needs at least two of them")
    half = student_t_quantile(0.5 + confidence / 2, len(results) - 1) * results.std(ddof=1) / math.sqrt(len(results))
    mean = float(results.mean())
    return Interval(mean, mean - float(half), mean + float(half))


def crossed_interval(
    numerators: ArrayLike, denominators: ArrayLike, *, clusters: Sequence[Hashable] | None = None
) -> Interval:
    """Sum of numerators / sum of denominators, mean over training seeds, with a 95 % interval over items and seeds.

    `numerators`: shape (seeds, items); `denominators`: shape (items,), the same for every seed. The variance of such a
    mean is that over items plus that over seeds (Owen 2007, The pigeonhole bootstrap, Ann. Appl. Stat. 1(2)): each half
    is the root of the sum of squares of the bootstrap's, over items, and Student's t, over seeds. It errs on the wide
    side, for what seeds and items do together is in both. One seed has no spread: the items' interval stays.
    """
    top, bottom = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    items = bootstrap_ratio(top.mean(axis=0), bottom, clusters=clusters)
    if len(top) == 1:
        return items
    seeds = seed_interval(top.sum(axis=1) / bottom.sum())
    half = seeds.high - seeds.value
    low, high = math.hypot(items.value - items.low, half), math.hypot(items.high - items.value, half)
    return Interval(items.value, items.value - low, items.value + high)


def student_t_quantile(probability: float, degrees: int) -> float:
    """Quantile (0.5 ≤ probability < 1) of Student's t with `degrees` ≥ 1, by bisection on its distribution function."""
    low, high = 0.0, 1.0
    while student_t_cdf(high, degrees) < probability:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if student_t_cdf(middle, degrees) < probability else (low, middle)
    return (low + high) / 2


def student_t_cdf(t: float, degrees: int) -> float:
    """P(T ≤ t), t ≥ 0: the finite series for whole degrees of freedom (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    theta = math.atan(t / math.sqrt(degrees))
    cosine = math.cos(theta)
    term = cosine if degrees % 2 else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(3 if degrees % 2 else 2, degrees - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    between = 2 / math.pi * (theta + math.sin(theta) * total) if degrees % 2 else math.sin(theta) * total
    return 0.5 + between / 2


@dataclass(frozen=True)
class PairedTest:
    """A difference between two systems, its 95 % interval, and the probability of one as large by chance."""

    difference: Interval
    p: float


def crossed_test(
    differences: ArrayLike, denominators: ArrayLike, *, clusters: Sequence[Hashable] | None = None
) -> PairedTest:
    """Σ differences / Σ denominators, mean over training seeds, tested against 0 over items and seeds together.

    `differences`: shape (seeds, items), first system less second on the same items and with the same seeds;
    `denominators`: shape (items,). The variance is that of the bootstrap over items (or clusters) plus that over seeds
    (Owen 2007, The pigeonhole bootstrap); t has the degrees of freedom of Welch and Satterthwaite (1946), rounded down.
    Two-sided. No spread at all gives p = 1 for no difference, else 0.
    """
    values, bottom = np.asarray(differences, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    over_items = bootstrap_ratio(values.mean(axis=0), bottom, clusters=clusters)
    items = len(set(clusters)) if clusters is not None else len(bottom)
    per_seed = values.sum(axis=1) / bottom.sum()
    of_items = ((over_items.high - over_items.low) / (2 * NormalDist().inv_cdf(0.975))) ** 2
    of_seeds = float(per_seed.var(ddof=1)) / len(per_seed) if len(per_seed) > 1 else 0.0
    value, variance = over_items.value, of_items + of_seeds
    if variance <= 0:
        return PairedTest(Interval(value, value, value), 1.0 if value == 0 else 0.0)
    freedom = of_items**2 / max(1, items - 1) + of_seeds**2 / max(1, len(per_seed) - 1)
    degrees = max(1, int(variance**2 / freedom))
    error = math.sqrt(variance)
    half = student_t_quantile(0.975, degrees) * error
    p = 2 * (1 - student_t_cdf(abs(value) / error, degrees))
    return PairedTest(Interval(value, value - half, value + half), min(1.0, max(0.0, p)))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Holm's corrected p-values, in the order given (Holm 1979, Scand. J. Stat. 6): the i-th smallest of m is
    multiplied by m − i + 1, and none is below one before it."""
    corrected = [0.0] * len(probabilities)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(probabilities)), key=lambda place: probabilities[place])):
        largest = max(largest, min(1.0, (len(probabilities) - rank) * probabilities[place]))
        corrected[place] = largest
    return corrected


def rank_correlation(
    first: ArrayLike, second: ArrayLike, *, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Spearman's ρ of two measures of the same systems, shape (systems,), with the bootstrap over systems.

    Ties share their mean rank. Draws in which one measure is constant are left out. ValueError with fewer than three
    systems or a constant measure.
    """
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.shape != y.shape or len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        raise ValueError("a rank correlation needs at least three systems and two measures that vary")
    draws = np.random.default_rng(seed).integers(len(x), size=(resamples, len(x)))
    found = [_spearman(x[draw], y[draw]) for draw in draws if np.ptp(x[draw]) and np.ptp(y[draw])]
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(_spearman(x, y), float(low), float(high))


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's correlation of the mean ranks."""

    def ranks(values: np.ndarray) -> np.ndarray:
        _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
        return (np.cumsum(counts) - (counts - 1) / 2)[places]

    return float(np.corrcoef(ranks(x), ranks(y))[0, 1])
