"""Generalized zero-shot measures, against values counted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.generalized import (
    MEASURES,
    accuracy,
    accuracy_seen,
    accuracy_unseen,
    ausuc,
    curve,
    curve_at,
    group_weights,
    harmonic_mean,
    macro_f1,
    outcome,
)

SEEN = [True, True, False]
# Classes 0 and 1 were trained on, 2 was not. Margins (best seen less unseen): 3, 1, -1, 2, -1.
SCORES = [[3, 0, 0], [1, 2, 1], [0, 1, 2], [2, 1, 0], [1, 0, 2]]
GOLD = [0, 1, 1, 2, 2]


def whole(items: int) -> np.ndarray:
    return np.ones((1, items))


def value(measure, scores=SCORES, gold=GOLD, seen=SEEN) -> float:
    return float(measure(outcome(scores, gold, seen), whole(len(gold)))[0])


def test_accuracies_and_their_harmonic_mean_by_hand():
    # predicted 0, 1, 2, 0, 2: of the seen items two of three are right, of the unseen one of two
    assert value(accuracy) == pytest.approx(3 / 5)
    assert value(accuracy_seen) == pytest.approx(2 / 3)
    assert value(accuracy_unseen) == pytest.approx(1 / 2)
    assert value(harmonic_mean) == pytest.approx(2 * (2 / 3) * (1 / 2) / (2 / 3 + 1 / 2))


def test_macro_f1_by_hand():
    # class 0: labelled 1, predicted 2, right 1 → 2/3; class 1: 2, 1, 1 → 2/3; class 2: 2, 2, 1 → 1/2
    assert value(macro_f1) == pytest.approx((2 / 3 + 2 / 3 + 1 / 2) / 3)


def test_the_curve_and_its_area_by_hand():
    # At γ = −∞ all seen items are right among the seen (class 1's third item too), no unseen one; at −1 the third seen
    # item is lost as the second unseen one is won, at 1 and 3 a seen one is lost, at 2 an unseen one won.
    found = outcome(SCORES, GOLD, SEEN)
    assert np.array(curve(found)) == pytest.approx(np.array([(0, 1), (0.5, 2 / 3), (0.5, 1 / 3), (1, 1 / 3), (1, 0)]))
    # Under it: a trapezoid of ½ · (1 + ⅔)/2 and a rectangle of ½ · ⅓.
    assert value(ausuc) == pytest.approx(0.5 * (1 + 2 / 3) / 2 + 0.5 / 3)


def test_the_curve_between_its_points():
    points = curve(outcome(SCORES, GOLD, SEEN))
    assert curve_at(points, [0, 0.25, 0.5, 0.75, 1, 1.1]) == pytest.approx([1, 5 / 6, 2 / 3, 1 / 3, 1 / 3, 0])


def test_a_method_that_cannot_name_unseen_classes_has_no_area():
    scores = [[3, 0, -np.inf], [0, 2, -np.inf], [1, 0, -np.inf]]
    assert value(ausuc, scores, [0, 1, 2]) == 0
    assert value(harmonic_mean, scores, [0, 1, 2]) == 0
    assert curve(outcome(scores, [0, 1, 2], SEEN)) == [(0, 1), (0, 0)]


def test_without_unseen_items_their_accuracy_is_not_a_number_and_there_is_no_curve():
    assert np.isnan(value(accuracy_unseen, SCORES, [0, 1, 0, 1, 0]))
    assert np.isnan(value(ausuc, SCORES, [0, 1, 0, 1, 0]))
    with pytest.raises(ValueError, match="needs items of seen and of unseen"):
        curve(outcome(SCORES, [0, 1, 0, 1, 0], SEEN))


@pytest.mark.parametrize("bad", [[[np.nan, 0, 0]], [[np.inf, 0, 0]]])
def test_scores_must_be_numbers(bad):
    with pytest.raises(ValueError, match="not a number"):
        outcome(bad, [0], SEEN)
    with pytest.raises(ValueError, match="do not fit"):
        outcome([[1.0, 2.0]], [0], SEEN)


@st.composite
def problems(draw):
    """Small whole scores, so that margins are often equal; at least one item of either kind."""
    classes = draw(st.integers(2, 4))
    items = draw(st.integers(2, 8))
    scores = draw(
        st.lists(st.lists(st.integers(-2, 2), min_size=classes, max_size=classes), min_size=items, max_size=items)
    )
    gold = [0, classes - 1, *draw(st.lists(st.integers(0, classes - 1), min_size=items - 2, max_size=items - 2))]
    return np.array(scores, float), np.array(gold), np.arange(classes) < max(1, classes // 2)


@settings(deadline=None, max_examples=60)
@given(problems())
def test_the_area_is_that_under_the_curve_of_every_gamma(problem):
    scores, gold, seen = problem
    points = np.array(curve(outcome(scores, gold, seen)))
    under = ((points[1:, 0] - points[:-1, 0]) * (points[1:, 1] + points[:-1, 1]) / 2).sum()
    assert value(ausuc, scores, gold, seen) == pytest.approx(under)
    # Between breakpoints, subtract γ and count: every pair of accuracies must be a corner of the curve.
    for gamma in np.arange(-4.5, 5, 1):
        moved = np.where(seen, scores - gamma, scores)
        right = moved.argmax(axis=1) == gold
        here = (right[~seen[gold]].mean(), right[seen[gold]].mean())
        assert np.abs(points - here).sum(axis=1).min() < 1e-9


@settings(deadline=None, max_examples=60)
@given(problems(), st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_a_weight_counts_an_item_so_often(problem, counts):
    scores, gold, seen = problem
    weights = np.array(counts[: len(gold)])
    repeated = np.repeat(np.arange(len(gold)), weights)
    found = outcome(scores, gold, seen)
    if not len(repeated):
        return
    again = outcome(scores[repeated], gold[repeated], seen)
    for measure in MEASURES.values():
        expected = measure(again, whole(len(repeated)))
        assert measure(found, weights[None]) == pytest.approx(expected, nan_ok=True)


def test_groups_are_drawn_whole_and_as_many_as_there_are():
    weights, places = group_weights(["b", "a", "b", "c"], 50, seed=1)
    assert list(places) == ["b", "a", "c"] and weights.shape == (50, 3) and (weights.sum(axis=1) == 3).all()
    assert (weights == group_weights(["b", "a", "b", "c"], 50, seed=1)[0]).all()
    assert (weights != group_weights(["b", "a", "b", "c"], 50, seed=2)[0]).any()
