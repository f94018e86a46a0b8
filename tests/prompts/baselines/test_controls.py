from collections import Counter

import pytest

from corpora.errors import UserError
from prompts.baselines import emptied, shuffled_labels, shuffled_names
from prompts.data import Item

ITEMS = [Item(str(i), "hi", f"text {i}", "ab"[i % 2], str(i)) for i in range(12)]


def test_every_class_gets_another_s_names():
    names = {label: {"hi": [label.upper()]} for label in "abcdefg"}
    for seed in range(5):
        found = shuffled_names(names, seed)
        assert list(found) == list(names)
        assert sorted(str(value) for value in found.values()) == sorted(str(value) for value in names.values())
        assert all(found[label] != names[label] for label in names)
    assert shuffled_names(names, 0) == shuffled_names(names, 0) != shuffled_names(names, 1)
    with pytest.raises(UserError, match="two classes or more"):
        shuffled_names({"a": 1})


def test_labels_are_dealt_anew_and_texts_stay():
    found = shuffled_labels(ITEMS, 0)
    assert [item.text for item in found] == [item.text for item in ITEMS]
    assert Counter(item.label for item in found) == {"a": 6, "b": 6}
    assert [item.label for item in found] != [item.label for item in ITEMS]


def test_emptied_keeps_all_but_the_text():
    found = emptied(ITEMS)
    assert {item.text for item in found} == {""}
    assert [(item.id, item.label, item.group) for item in found] == [(i.id, i.label, i.group) for i in ITEMS]
