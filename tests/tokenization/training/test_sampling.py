"""The sample: whole stories, within its size, the same in any order."""

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.errors import UserError
from corpora.stories import Story, read_corpus
from tokenization.training.sampling import draw, training_text


def stories(lengths):
    return [Story(f"s{number}", "hi", "क" * length, "hand") for number, length in enumerate(lengths)]


@given(lengths=st.lists(st.integers(1, 30), max_size=40), size=st.integers(0, 300), seed=st.integers(0, 3))
def test_a_sample_fits_does_not_depend_on_order_and_could_not_go_on(lengths, size, seed):
    every = stories(lengths)
    sample = draw(every, size, seed)
    assert sum(len(story.text) for story in sample) <= size
    assert draw(random.Random(0).sample(every, len(every)), size, seed) == sample
    larger = draw(every, size + 60, seed)
    assert larger[: len(sample)] == sample
    if len(larger) > len(sample):
        assert sum(len(story.text) for story in larger[: len(sample) + 1]) > size
    assert draw(every, sum(lengths), seed) == draw(every, 10**9, seed)
    assert len(draw(every, 10**9, seed)) == len(every)


def test_seeds_differ_and_every_story_is_drawn_alike_often():
    every = stories([10] * 40)
    assert draw(every, 100, 0) != draw(every, 100, 1)
    drawn = [story.id for seed in range(400) for story in draw(every, 100, seed)]
    counts = [drawn.count(story.id) for story in every]  # binomial, 400 times 1/4: 100 with a deviation of 8.7
    assert min(counts) > 60 and max(counts) < 140


def test_memory_is_bounded_by_the_sample():
    def stream():
        for number in range(3000):
            yield Story(f"s{number}", "hi", "x" * 1000 + str(number), "hand")

    tracemalloc.start()
    try:
        draw(stream(), 50_000, 0)
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


def test_the_whole_split_is_streamed_and_can_be_read_twice(corpus):
    text = training_text(corpus, ["bn"])
    expected = [story.text for story in read_corpus(corpus, "train", ["bn"])]
    assert list(text.texts) == list(text.texts) == expected
    assert (text.stories, text.characters, text.sample) == (30, sum(map(len, expected)), None)
    assert (text.languages, text.licenses) == (["bn"], ["CC0-1.0"])


def test_a_sample_with_no_room_is_refused(corpus):
    with pytest.raises(UserError, match="no room"):
        training_text(corpus, sample_characters=3)
