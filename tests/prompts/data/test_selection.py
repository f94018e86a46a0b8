import numpy as np
import pytest

from corpora.errors import UserError
from prompts.data import Item, few_shot, margins, uncertain_and_diverse


def items(per_class=20, language="hi"):
    return [
        Item(f"{label}{i}", language, "text", label, f"{label}{i}")
        for i in range(per_class)
        for label in ("a", "b", "c")
    ]


def identifiers(chosen):
    return [item.id for item in chosen]


def test_k_per_class_and_a_quarter_to_choose_on():
    for k, development in ((1, 1), (4, 1), (5, 2), (8, 2)):
        chosen, kept = few_shot(items(), k, seed=0)
        assert [sum(item.label == label for item in chosen) for label in "abc"] == [k] * 3
        assert [sum(item.label == label for item in kept) for label in "abc"] == [development] * 3
        assert not set(identifiers(chosen)) & set(identifiers(kept))


def test_draws_are_nested_and_differ_by_seed():
    draws = [few_shot(items(), k, seed=1) for k in range(1, 9)]
    for (smaller, fewer), (larger, more) in zip(draws, draws[1:], strict=False):
        assert set(smaller) < set(larger) and set(fewer) <= set(more)
    assert len({tuple(identifiers(few_shot(items(), 3, seed)[0])) for seed in range(5)}) == 5


def test_the_same_ids_in_every_language_and_order():
    hindi, marathi = few_shot(items(), 4), few_shot(items(language="mr")[::-1], 4)
    assert [identifiers(part) for part in hindi] == [identifiers(part) for part in marathi]


def test_one_item_of_a_group_takes_part():
    twice = [Item(f"{i}{version}", "hi", "text", "a", str(i)) for i in range(6) for version in "xy"]
    chosen, kept = few_shot(twice, 4)
    assert len({item.group for item in [*chosen, *kept]}) == 5
    with pytest.raises(UserError, match="the class 'a' has 6 texts, but 10 are wanted"):
        few_shot(twice, 8)
    with pytest.raises(UserError, match="at least one"):
        few_shot(twice, 0)


def test_margins():
    assert margins(np.array([[1.0, 5, 3], [2, 2, -9]])).tolist() == [2, 0]


def test_the_unsure_and_the_distant_are_chosen():
    # all of one class; the four least certain are u0 … u3, of which u0 = u1 and u3 is opposite
    found = [Item(name, "hi", "text", "a", name) for name in ("u0", "u1", "u2", "u3", "s0", "s1", "s2", "s3")]
    certainty = np.array([0.0, 0.1, 0.2, 0.3, 5, 6, 7, 8])
    states = np.array([[1, 0], [1, 0], [0, 2], [-3, 0], [0, -1], [0, -1], [0, -1], [0, -1]], float)
    chosen, kept = uncertain_and_diverse(found, 3, certainty, states, share=1.0)
    assert identifiers(chosen) == ["u0", "u3", "u2"]  # not u1, the same as u0; not s0, of which the model is sure
    assert len(kept) == 1 and kept[0] not in chosen
    assert identifiers(uncertain_and_diverse(found, 2, certainty, states, share=1.0)[0]) == ["u0", "u3"]
    with pytest.raises(ValueError, match="do not match"):
        uncertain_and_diverse(found, 2, certainty[:3], states)


def test_draws_of_the_unsure_differ_by_seed():
    rng = np.random.default_rng(0)
    found = items()
    certainty, states = rng.random(len(found)), rng.normal(size=(len(found), 4))
    draws = {tuple(identifiers(uncertain_and_diverse(found, 3, certainty, states, seed)[0])) for seed in range(4)}
    assert len(draws) == 4
    again = uncertain_and_diverse(found, 3, certainty, states, 0)
    assert again == uncertain_and_diverse(found, 3, certainty, states, 0)
    mean = [np.mean([certainty[found.index(item)] for item in chosen]) for chosen in (again[0], found)]
    assert mean[0] < mean[1]
