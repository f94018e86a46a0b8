"""Intervals and paired tests of any measure over items, draws and seeds together.

A measure's mean over draws varies with the items and with the draws; the variances add (Owen 2007, The pigeonhole
bootstrap, Ann. Appl. Stat. 1(2)). The same as `evaluation.intervals.crossed_interval` and `crossed_test`, which are of
ratios of sums, for measures that are none (harmonic mean, area, macro-F1): they come computed on bootstrap resamples.
Seeds and rotations of one draw are averaged before: they share its training texts, so they are no further draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from evaluation.intervals import Interval, PairedTest, seed_interval, student_t_cdf, student_t_quantile


@dataclass(frozen=True)
class Estimate:
    """One measure of one method, a share."""

    per_draw: np.ndarray
    """Shape (draws,), on the items as they are; one entry if the method does not depend on the draw."""
    resampled: np.ndarray
    """Shape (resamples,): the mean over draws on resampled groups of items. Methods of a part share the resamples."""
    groups: int

    @property
    def value(self) -> float:
        """The mean over draws."""
        return float(self.per_draw.mean())

    def interval(self) -> Interval:
        """The mean with its 95 % interval over items and draws, within 0 … 1; NaN where the measure is not defined."""
        if not np.isfinite(self.per_draw).all():
            return Interval(math.nan, math.nan, math.nan)
        low, high = np.nanquantile(self.resampled, [0.025, 0.975])
        below, above = max(0.0, self.value - float(low)), max(0.0, float(high) - self.value)
        if len(self.per_draw) > 1:
            draws = seed_interval(self.per_draw)
            below, above = (math.hypot(side, draws.high - draws.value) for side in (below, above))
        return Interval(self.value, max(0.0, self.value - below), min(1.0, self.value + above))


def mean_of(estimates: list[Estimate]) -> Estimate:
    """The mean of one measure over languages (or whatever else was measured on resamples of the same groups)."""
    return Estimate(
        np.mean([estimate.per_draw for estimate in estimates], axis=0),
        np.mean([estimate.resampled for estimate in estimates], axis=0),
        estimates[0].groups,
    )


def paired(first: Estimate, second: Estimate) -> PairedTest:
    """First less second, on the same items and draws, tested against 0.

    Student's t with the degrees of freedom of Welch and Satterthwaite (1946), rounded down; two-sided. No spread at
    all gives p = 1 for no difference, else 0.
    """
    per_draw = np.atleast_1d(first.per_draw - second.per_draw)
    low, high = np.nanquantile(first.resampled - second.resampled, [0.025, 0.975])
    of_items = float((high - low) / (2 * NormalDist().inv_cdf(0.975))) ** 2
    of_draws = float(per_draw.var(ddof=1)) / len(per_draw) if len(per_draw) > 1 else 0.0
    value, variance = float(per_draw.mean()), of_items + of_draws
    if variance <= 0:
        return PairedTest(Interval(value, value, value), 1.0 if value == 0 else 0.0)
    freedom = of_items**2 / max(1, first.groups - 1) + of_draws**2 / max(1, len(per_draw) - 1)
    degrees = max(1, int(variance**2 / freedom))
    error = math.sqrt(variance)
    half = student_t_quantile(0.975, degrees) * error
    p = 2 * (1 - student_t_cdf(abs(value) / error, degrees))
    return PairedTest(Interval(value, value - half, value + half), min(1.0, max(0.0, p)))
