import pytest

from prompts.metrics import accuracy, macro_f1

GOLD = ["a", "a", "a", "b", "b", "c"]
PREDICTED = ["a", "a", "b", "b", "a", "b"]
APART = range(6)


def test_values_by_hand():
    # a: tp 2, labelled 3, predicted 3 -> 4/6; b: tp 1, labelled 2, predicted 3 -> 2/5; c: tp 0 -> 0
    assert macro_f1(GOLD, PREDICTED, APART).value == pytest.approx((4 / 6 + 2 / 5 + 0) / 3)
    assert accuracy(GOLD, PREDICTED, APART).value == pytest.approx(0.5)
    assert macro_f1(GOLD, GOLD, APART).as_dict() == {"value": 1, "low": 1, "high": 1}


def test_class_that_is_only_predicted_counts():
    assert macro_f1(["a", "a"], ["a", "z"], range(2)).value == pytest.approx((2 / 3 + 0) / 2)


def test_interval_holds_the_value_and_repeats():
    first = macro_f1(GOLD * 5, PREDICTED * 5, range(30))
    assert first.low < first.value < first.high
    assert first == macro_f1(GOLD * 5, PREDICTED * 5, [str(i) for i in range(30)])


def test_interval_narrows_with_items_and_widens_when_they_hang_together():
    many = macro_f1(GOLD * 40, PREDICTED * 40, range(240))
    few = macro_f1(GOLD * 5, PREDICTED * 5, range(30))
    tied = macro_f1(GOLD * 40, PREDICTED * 40, [i % 6 for i in range(240)])
    assert many.high - many.low < few.high - few.low < tied.high - tied.low
    assert many.value == pytest.approx(tied.value)
