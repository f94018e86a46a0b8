"""Parity and Gini by hand."""

import numpy as np
import pytest

from tokenization.measures.parity import DEFINITIONS, gini, measure_parity


def cuts(*lengths):
    return {f"{length}.{place}": [("x", 0, 1)] * length for place, length in enumerate(lengths)}


def test_by_hand(scripted):
    english, hindi, bengali = cuts(2, 3), cuts(4, 6), {"a": [("x", 0, 1)] * 5, "b": [("x", 0, 1)] * 10}
    tokenizer = scripted({**english, **hindi, **bengali})
    found = measure_parity(tokenizer, {"en": list(english), "hi": list(hindi), "bn": list(bengali)})
    assert {frozenset(one) for one in found.values()} == {frozenset(DEFINITIONS)}
    # Hindi takes twice the tokens in every sentence, so that its interval has no width; Bengali 5/2 and 10/3 of them.
    assert found["hi"]["parity"] == {"value": 2.0, "low": 2.0, "high": 2.0}
    assert found["bn"]["parity"] == pytest.approx({"value": 3.0, "low": 2.5, "high": 10 / 3})
    assert found["bn"]["premium"]["value"] == pytest.approx(2)
    assert found["en"]["parity"]["value"] == 1
    # Tokens 5, 10, 15: |differences| sum to 2 (5 + 10 + 5) = 40; 40 / (2 · 9 · 10) = 2/9.
    assert found["hi"]["gini"] == found["bn"]["gini"]
    assert found["hi"]["gini"]["value"] == pytest.approx(2 / 9)


def test_gini_of_equals_and_of_one_who_has_all():
    assert gini(np.array([3.0, 3.0, 3.0])) == 0
    assert gini(np.array([0.0, 0.0, 0.0, 8.0])) == pytest.approx(3 / 4)


def test_without_english_tokens_there_is_no_value(scripted):
    found = measure_parity(scripted({"": [], "x": [("x", 0, 1)]}), {"en": [""], "hi": ["x"]})
    assert found["hi"]["parity"]["value"] is None
    assert measure_parity(scripted({}), {"en": [], "hi": []})["hi"]["gini"]["value"] is None


@pytest.mark.parametrize("parallel", [{"hi": ["x"]}, {"en": ["x"], "hi": ["x", "x"]}])
def test_texts_that_are_not_parallel(scripted, parallel):
    with pytest.raises(ValueError, match="equally many"):
        measure_parity(scripted({"x": [("x", 0, 1)]}), parallel)
