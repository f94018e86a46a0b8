import random

import pytest

from corpora.errors import UserError
from prompts.data import Item, few_shot
from prompts.training.datamodule import digest, draw
from prompts.training.schedule import TrainingBatches, epoch_order, rate_factor


def test_the_rate_rises_and_falls_by_hand():
    # 2 of 10 updates rise: 1/2, 1; then 8/8, 7/8, …, 1/8
    found = [rate_factor(step, 10, 0.2) for step in range(10)]
    assert found == pytest.approx([1 / 2, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8])
    assert [rate_factor(step, 4, 0.0) for step in range(4)] == pytest.approx([1, 3 / 4, 1 / 2, 1 / 4])


def test_the_order_is_of_seed_and_epoch_alone():
    random.seed(1)
    first = epoch_order(9, 2, 5)
    random.seed(2)
    assert epoch_order(9, 2, 5) == first and sorted(first) == list(range(9))
    assert len({tuple(epoch_order(9, epoch, seed)) for epoch in range(3) for seed in range(3)}) == 9


def test_every_pass_has_every_item_once():
    batches = list(TrainingBatches(7, 3, 6, seed=4))
    assert [len(batch) for batch in batches] == [3, 3, 1, 3, 3, 1]
    assert sorted(sum(batches[:3], [])) == sorted(sum(batches[3:], [])) == list(range(7))
    assert batches[:3] != batches[3:]


def test_batches_go_on_from_a_saved_position():
    whole = list(TrainingBatches(7, 3, 9, seed=4))
    one = TrainingBatches(7, 3, 9, seed=4)
    reader = iter(one)
    assert [next(reader) for _ in range(4)] == whole[:4]
    other = TrainingBatches(7, 3, 9, seed=4)
    other.load_state_dict(one.state_dict())
    assert list(other) == whole[4:]


ITEMS = [Item(str(number), "en", f"text {number}", "ab"[number % 2], str(number)) for number in range(20)]


def test_a_draw_has_so_many_of_each_class_by_its_seed():
    drawn = draw(ITEMS, 3, 0)
    assert sorted(item.label for item in drawn) == list("aaabbb")
    assert drawn == draw(ITEMS, 3, 0) == draw(ITEMS[::-1], 3, 0)
    assert drawn == few_shot(ITEMS, 3, 0)[0]  # a study's draw
    assert len({tuple(item.id for item in draw(ITEMS, 3, seed)) for seed in range(5)}) == 5
    assert draw(ITEMS, None, 0) == ITEMS


def test_a_class_is_drawn_alike_without_the_others():
    alone = draw([item for item in ITEMS if item.label == "b"], 3, 0)
    assert alone == [item for item in draw(ITEMS, 3, 0) if item.label == "b"]


def test_more_examples_are_drawn_on_top_of_fewer():
    assert {item.id for item in draw(ITEMS, 2, 0)} < {item.id for item in draw(ITEMS, 5, 0)}


def test_too_few_items_are_refused():
    with pytest.raises(UserError, match="the class 'a' has 10 texts, but 11"):
        draw(ITEMS, 11, 0)


def test_the_digest_tells_texts_and_labels_apart():
    other = [Item("0", "en", "text 0", "b", "0"), *ITEMS[1:]]
    assert digest(ITEMS) == digest(list(ITEMS)) and digest(ITEMS) != digest(other) != digest(ITEMS[1:])
