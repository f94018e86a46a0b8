import math

import numpy as np
import pytest

from corpora.errors import UserError
from prompts.calibration import (
    TRANSDUCTIVE,
    Fold,
    calibrated,
    harmonic,
    prior,
    reference_texts,
    stacked,
    stacking_gamma,
)

SCORES = np.array([[1.0, 2.0, 0.0], [3.0, 0.0, 0.0]])


def test_texts_from_which_each_kind_learns(themes):
    assert reference_texts("none", themes, ["x"]) == []
    assert reference_texts("content-free", themes, ["x"]) == ["", "…", "कुछ"]
    assert reference_texts("pmi", themes, ["x"]) == [""]
    assert reference_texts("batch", themes, ["x", "y"]) == ["x", "y"]
    assert {"batch"} == TRANSDUCTIVE


def test_mean_score_is_taken_off():
    reference = np.array([[0.0, 4.0, 1.0], [2.0, 0.0, 1.0]])
    assert prior(reference).tolist() == [1.0, 2.0, 1.0]
    assert calibrated(SCORES, reference).tolist() == [[0.0, 0.0, -1.0], [2.0, -2.0, -1.0]]


def test_without_reference_nothing_changes():
    assert calibrated(SCORES, np.empty((0, 3))).tolist() == SCORES.tolist()


def test_mean_probability_as_published():
    # the texts give the classes 1/4, 3/4 and 3/4, 1/4: on average 1/2 each; scores may lack any normalisation
    reference = np.log([[1.0, 3.0], [7.5, 2.5]])
    assert prior(reference, mean="probability") == pytest.approx([math.log(0.5)] * 2)
    # 1/10, 9/10 and 1/2, 1/2: the arithmetic mean is 0.3, 0.7, the geometric one not
    reference = np.log([[0.1, 0.9], [0.5, 0.5]])
    assert np.exp(prior(reference, mean="probability")) == pytest.approx([0.3, 0.7])
    assert np.exp(prior(reference)) == pytest.approx([math.sqrt(0.05), math.sqrt(0.45)])


def test_one_text_gives_the_same_predictions_by_either_mean():
    reference = np.array([[0.5, 1.5, -1.0]])
    difference = calibrated(SCORES, reference) - calibrated(SCORES, reference, mean="probability")
    assert difference == pytest.approx(np.full_like(SCORES, difference[0, 0]))


def test_batch_calibration_evens_out_a_bias_for_one_class():
    scores = np.array([[5.0, 1.0], [5.0, 3.0], [5.0, 2.0], [5.0, 4.0]])
    assert calibrated(scores, scores).argmax(axis=1).tolist() == [0, 1, 0, 1]  # means 5 and 2.5


# classes: two seen, one unseen; the seen ones lead by 2, 5, 1 and 4 (items of seen classes: the second and fourth)
FOLD = Fold(
    np.array([[0.0, 2.0, 0.0], [6.0, 2.0, 1.0], [3.0, 0.0, 2.0], [0.0, 4.0, 0.0]]),
    np.array([2, 0, 2, 1]),
    np.array([True, True, False]),
)


def test_stacking_takes_gamma_off_the_seen_classes():
    assert stacked(SCORES, FOLD.seen, 1.5).tolist() == [[-0.5, 0.5, 0.0], [1.5, -1.5, 0.0]]


def test_harmonic_mean_by_hand():
    assert harmonic(FOLD, 0) == 0  # seen 1, unseen 0
    assert harmonic(FOLD, 1.5) == pytest.approx(2 / 3)  # seen 1, unseen 1/2
    assert harmonic(FOLD, 3) == 1
    assert harmonic(FOLD, 4.5) == pytest.approx(2 / 3)  # seen 1/2, unseen 1
    assert harmonic(FOLD, 9) == 0


def test_gamma_is_found_between_the_differences():
    assert stacking_gamma([FOLD]) == 3  # the middle of 2 and 4
    # a second fold whose unseen item needs more than 4.5 and whose seen item less than 9.5: with 3 the mean is 1/2
    other = Fold(np.array([[4.5, 0.0], [9.5, 0.0]]), np.array([1, 0]), np.array([True, False]))
    assert stacking_gamma([other]) == 7
    # differences 1, 2, 4, 4.5, 5, 9.5: 4.75 gives 2/3 and 1, 3 gives 1 and 0
    assert stacking_gamma([FOLD, other]) == 4.75


def test_gamma_may_favour_the_seen_classes_and_is_0_if_nothing_is_to_be_gained():
    unseen_leads = Fold(np.array([[0.0, 3.0], [0.0, 1.0]]), np.array([1, 0]), np.array([True, False]))
    assert stacking_gamma([unseen_leads]) == -2
    good = Fold(np.array([[0.0, 3.0], [1.0, 0.0]]), np.array([1, 0]), np.array([True, False]))
    assert stacking_gamma([good]) == 0
    hopeless = Fold(np.array([[0.0, 3.0, 9.0], [1.0, 0.0, 9.0]]), np.array([1, 0]), np.array([True, False, True]))
    assert stacking_gamma([hopeless]) == 0


def test_folds_need_both_kinds_of_items():
    with pytest.raises(UserError, match="both seen and pseudo-unseen"):
        Fold(FOLD.scores, np.array([0, 0, 1, 1]), FOLD.seen)
    with pytest.raises(UserError, match="both seen and pseudo-unseen"):
        Fold(FOLD.scores, FOLD.labels, np.array([True, True, True]))
    with pytest.raises(UserError, match="at least one choice"):
        stacking_gamma([])
