from collections import Counter

import pytest

from corpora.errors import UserError
from prompts.data import Item, Split, check_disjoint, of_classes, rotations, split_groups, transfer

CLASSES = ["sports", "travel", "health", "politics", "science", "music", "maps"]


def item(number, language="hi", label="sports"):
    return Item(str(number), language, "text", label, str(number), "task")


@pytest.mark.parametrize("seed", [0, 1])
def test_every_class_is_unseen_equally_often(seed):
    for count in range(3, 10):
        classes = [f"c{i}" for i in range(count)]
        for unseen in range(1, count - 1):
            splits = rotations(classes, unseen, seed)
            hidden = Counter(name for split in splits for name in split.unseen)
            assert set(hidden) == set(classes) and len(set(hidden.values())) == 1
            for split in splits:
                assert len(split.unseen) == unseen and sorted(split.classes) == sorted(classes)


def test_rotations_by_hand_and_by_seed():
    assert len(rotations(CLASSES, 3)) == 7 and len(rotations(CLASSES + ["x"], 4)) == 2
    assert rotations(CLASSES, 3) == rotations(CLASSES, 3) != rotations(CLASSES, 3, seed=1)
    first = rotations(CLASSES, 3)[0]
    assert list(first.seen) == [name for name in CLASSES if name in first.seen]  # the order of the classes
    for unseen in (0, 6):
        with pytest.raises(UserError, match="cannot be unseen"):
            rotations(CLASSES, unseen)
    with pytest.raises(UserError, match=r"not both \(a\)"):
        Split(("a", "b"), ("a",))


def test_groups_stay_together_in_all_languages():
    items = [item(number, language) for language in ("hi", "mr") for number in range(40)]
    parts = split_groups(items, {"train": 0.75, "test": 0.25}, seed=3)
    assert {name: len(part) for name, part in parts.items()} == {"train": 60, "test": 20}
    check_disjoint(parts["train"], parts["test"])
    again = split_groups(items[::-1], {"train": 0.75, "test": 0.25}, seed=3)
    assert {i.group for i in again["test"]} == {i.group for i in parts["test"]}
    assert {i.group for i in split_groups(items, {"a": 0.25, "b": 0.75})["a"]} != {i.group for i in parts["test"]}
    with pytest.raises(UserError, match="positive and sum to 1"):
        split_groups(items, {"train": 0.5})


def test_a_text_in_another_language_is_a_leak():
    with pytest.raises(UserError, match="1 texts are in training and test at once .*'2'"):
        check_disjoint([item(1), item(2)], [item(2, "mr"), item(3, "mr")])
    check_disjoint([item(1)], [Item("1", "hi", "text", "sports", "1", "another data set")])


def test_transfer_trains_on_seen_classes_of_the_source_and_tests_on_all():
    training = [item(1), item(2, label="health"), item(3, "mr"), item(4, label="maps")]
    testing = [item(5, "mr", "health"), item(6, "mr"), item(7, "bn"), item(8, "mr", "maps"), item(9)]
    split = Split(("sports",), ("health",))
    train, test = transfer(training, testing, split, ["hi"], ["mr", "bn"])
    assert [i.id for i in train] == ["1"]
    assert {language: [i.id for i in found] for language, found in test.items()} == {"mr": ["5", "6"], "bn": ["7"]}
    with pytest.raises(UserError, match="no test texts in en"):
        transfer(training, testing, split, ["hi"], ["en"])
    with pytest.raises(UserError, match="no training texts in bn"):
        transfer(training, testing, split, ["bn"], ["mr"])
    with pytest.raises(UserError, match="at once"):
        transfer(training, [*testing, item(1, "mr")], split, ["hi"], ["mr"])


def test_of_classes():
    assert [i.id for i in of_classes([item(1), item(2, label="maps")], ["maps"])] == ["2"]
