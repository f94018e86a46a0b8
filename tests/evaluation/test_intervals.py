"""Intervals against hand formulas, printed tables and simulated coverage."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from evaluation.intervals import (
    Interval,
    bootstrap_mean,
    bootstrap_ratio,
    crossed_test,
    holm,
    paired_difference,
    rank_correlation,
    seed_interval,
    student_t_quantile,
)


def test_the_value_is_the_ratio_of_sums_and_not_the_mean_of_ratios():
    assert bootstrap_ratio([1, 30], [1, 10]).value == pytest.approx(31 / 11)


def test_constant_ratio_has_no_width():
    interval = bootstrap_ratio([2, 4, 6], [1, 2, 3])
    assert interval.as_dict() == {"value": 2.0, "low": 2.0, "high": 2.0}


def test_two_items_give_the_extremes_that_counting_gives():
    # Means of two draws from {0, 1}: 0 with 1/4, 1/2 with 1/2, 1 with 1/4, so the 2.5 % and 97.5 % points are 0 and 1.
    assert bootstrap_mean([0.0, 1.0]) == Interval(0.5, 0.0, 1.0)
    # At 40 % confidence the points 30 % and 70 % both lie in the middle half.
    assert bootstrap_mean([0.0, 1.0], confidence=0.4) == Interval(0.5, 0.5, 0.5)


def test_width_agrees_with_the_normal_formula():
    values = np.random.default_rng(1).normal(5, 2, size=400)
    interval = bootstrap_mean(values, resamples=4000)
    half = 1.959964 * values.std() / math.sqrt(len(values))
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.06)


def test_coverage_is_near_its_promise():
    generator = np.random.default_rng(7)
    covered = 0
    for trial in range(200):
        lengths = generator.integers(50, 150, size=60)
        bits = lengths * (1.5 + 0.2 * generator.normal(size=60))
        interval = bootstrap_ratio(bits, lengths, resamples=300, seed=trial)
        covered += interval.low <= 1.5 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


def test_deterministic_and_seeded():
    values = list(range(20))
    assert bootstrap_mean(values) == bootstrap_mean(values)
    assert bootstrap_mean(values, seed=1) != bootstrap_mean(values, seed=2)


def test_drawing_in_chunks_changes_nothing(monkeypatch):
    values = list(range(50))
    whole = bootstrap_mean(values)
    monkeypatch.setattr("evaluation.intervals._DRAWS_AT_ONCE", 130)
    assert bootstrap_mean(values) == whole


def test_clusters_are_drawn_whole():
    values = [0.0] * 10 + [1.0] * 10
    loose, tied = bootstrap_mean(values), bootstrap_mean(values, clusters=["a"] * 10 + ["b"] * 10)
    assert tied == Interval(0.5, 0.0, 1.0)
    assert loose.high - loose.low < 0.6


def test_one_cluster_has_no_spread():
    assert bootstrap_mean([1.0, 3.0], clusters=["a", "a"]) == Interval(2.0, 2.0, 2.0)


def test_pairing_removes_what_is_common_to_both():
    base = np.random.default_rng(3).normal(0, 100, size=50)
    interval = paired_difference(base + 1, base)
    assert interval.value == pytest.approx(1) and interval.low == pytest.approx(1) and interval.high == pytest.approx(1)
    assert paired_difference([4, 8], [2, 2], [2, 2]).value == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [(1, 12.706205), (2, 4.302653), (3, 3.182446), (4, 2.776445), (9, 2.262157), (10, 2.228139), (30, 2.042272)],
)
def test_student_t_against_the_printed_table(degrees, expected):
    assert student_t_quantile(0.975, degrees) == pytest.approx(expected, abs=1e-5)


def test_seed_interval_by_hand():
    # 1, 2, 3: mean 2, s = 1, t(2) = 4.302653, half-width 4.302653 / √3 = 2.484138.
    interval = seed_interval([1, 2, 3])
    assert (interval.value, interval.high) == (pytest.approx(2), pytest.approx(4.484138, abs=1e-5))


@pytest.mark.parametrize("arguments", [([], []), ([1], [1, 2]), ([1], [0])])
def test_refuses_what_has_no_ratio(arguments):
    with pytest.raises(ValueError):
        bootstrap_ratio(*arguments)


def test_one_seed_is_refused():
    with pytest.raises(ValueError, match="two"):
        seed_interval([1.0])


def test_holm_by_hand():
    # Holm 1979: 4 · 0.01, then max(0.04, 3 · 0.015), max(…, 2 · 0.03), 0.2.
    assert holm([0.03, 0.01, 0.2, 0.015]) == pytest.approx([0.06, 0.04, 0.2, 0.045])
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([]) == []


def test_a_crossed_test_is_a_paired_t_test_when_only_items_or_only_seeds_vary():
    generator = np.random.default_rng(3)
    items = generator.normal(0.2, 1, size=400)
    found = crossed_test([items, items, items], np.ones(400))
    t = items.mean() / (items.std(ddof=1) / 20)
    assert found.p == pytest.approx(2 * NormalDist().cdf(-abs(t)), rel=0.5)
    assert found.difference.value == pytest.approx(items.mean())
    seeds = np.array([[0.3] * 10, [0.5] * 10, [0.1] * 10])
    alone = crossed_test(seeds, np.ones(10))
    # t = 0.3 / (0.2 / √3) = 2.598 with 2 degrees of freedom: p = 0.1218, half-width 4.3027 · 0.11547.
    assert alone.p == pytest.approx(0.1218, abs=2e-4)
    assert alone.difference.high == pytest.approx(0.3 + 4.3027 * 0.11547, abs=1e-4)


def test_a_crossed_test_holds_its_level():
    generator = np.random.default_rng(5)
    rejected = 0
    for _ in range(200):
        effects = generator.normal(0, 1, size=60) + generator.normal(0, 0.1, size=(3, 1))
        rejected += crossed_test(effects + generator.normal(0, 0.5, size=(3, 60)), np.ones(60)).p < 0.05
    assert rejected / 200 < 0.1


def test_no_spread_is_no_chance():
    assert crossed_test(np.zeros((3, 5)), np.ones(5)).p == 1
    assert crossed_test(np.ones((3, 5)), np.ones(5)).p == 0


def test_rank_correlation_by_hand():
    # Ranks 1 2.5 2.5 4 against 1 2 3 4: Pearson's correlation of the ranks is 4.5 / √(4.5 · 5).
    found = rank_correlation([10, 20, 20, 30], [1, 2, 3, 9])
    assert found.value == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert rank_correlation([1, 2, 3], [3, 2, 1]).value == pytest.approx(-1)
    for first, second in (([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [1, 2])):
        with pytest.raises(ValueError, match="rank correlation"):
            rank_correlation(first, second)
