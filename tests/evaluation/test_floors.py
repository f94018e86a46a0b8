"""The floors against a plain-Python Witten–Bell, the laws of probability, and the compressor's own sizes."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import UserError
from evaluation.floors import END_OF_DOCUMENT, CharacterNgram, compressor_floor, ngram_floor

TRAINING = ["abracadabra", "a cab", "bad", "abba"]


def plain_witten_bell(training: list[str], order: int):
    """p(symbol | history) straight from the formula, with dictionaries; `^` begins and END_OF_DOCUMENT ends."""
    follow: dict[str, Counter] = defaultdict(Counter)
    for text in training:
        padded = "^" * (order - 1) + text + END_OF_DOCUMENT
        for position in range(order - 1, len(padded)):
            for length in range(order):
                follow[padded[position - length : position]][padded[position]] += 1
    symbols = len({character for text in training for character in text}) + 2

    @lru_cache(None)
    def probability(symbol: str, history: str) -> float:
        below = probability(symbol, history[1:]) if history else 1 / symbols
        seen = follow.get(history)
        if not seen:
            return below
        return (seen[symbol] + len(seen) * below) / (sum(seen.values()) + len(seen))

    def nats(text: str) -> float:
        padded = "^" * (order - 1) + text + END_OF_DOCUMENT
        return -sum(math.log(probability(padded[i], padded[i - order + 1 : i])) for i in range(order - 1, len(padded)))

    return nats


@pytest.mark.parametrize("order", [1, 2, 3, 5, 8])
def test_equals_the_formula_in_plain_python(order):
    nats = CharacterNgram(TRAINING).nats(["cabdab", "", "ddd a"])[order - 1]
    plain = plain_witten_bell(TRAINING, order)
    assert nats == pytest.approx([plain("cabdab"), plain(""), plain("ddd a")])


def test_unigram_by_hand():
    # "aab" + end: C(a) = 2, N = 4, T = 3 types, uniform over a, b, end, <unk>: p(a) = (2 + 3/4) / 7.
    distribution = CharacterNgram(["aab"], 1).distribution("", 1)
    assert distribution == pytest.approx({"a": 2.75 / 7, "b": 1.75 / 7, END_OF_DOCUMENT: 1.75 / 7, "<unk>": 0.75 / 7})


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(alphabet="abcकि ", min_size=1, max_size=12), min_size=1, max_size=4),
    st.text(alphabet="abcकिx ", max_size=10),
)
def test_probabilities_sum_to_one_after_any_history(training, history):
    model = CharacterNgram(training)
    for order in range(1, 9):
        distribution = model.distribution(history, order)
        assert sum(distribution.values()) == pytest.approx(1)
        assert min(distribution.values()) > 0


def test_unknown_characters_pay_for_their_code_point():
    model = CharacterNgram(["ab"], 2)
    expected = -math.log(model.distribution("", 1)["<unk>"]) + math.log(0x110000 - 0x800 - 2)
    expected -= math.log(model.distribution("Ω", 1)[END_OF_DOCUMENT])
    assert model.nats(["Ω"])[0, 0] == pytest.approx(expected)


def test_more_than_253_different_characters_stay_a_probability():
    model = CharacterNgram(["".join(chr(0x4E00 + i) for i in range(400)) + "aaaa"])
    assert sum(model.distribution("a", 4).values()) == pytest.approx(1)
    assert np.isfinite(model.nats(["一丁aa"])).all()


def test_order_is_chosen_on_validation(hindi_stories):
    texts = [story.text for story in hindi_stories(60)]
    floor = ngram_floor(texts[:40], texts[40:50], texts[50:])
    bits = floor.validation_bits_per_character
    assert bits[floor.order - 1] == min(bits) and 2 <= floor.order <= 8
    assert floor.nats.shape == (10,) and (floor.nats > 0).all()
    assert floor.nats == pytest.approx(CharacterNgram(texts[:40]).nats(texts[50:])[floor.order - 1])


def test_no_training_text_is_refused():
    with pytest.raises(UserError, match="training text"):
        CharacterNgram([""])


def test_compressor_learns_from_training_text(hindi_stories):
    texts = [story.text for story in hindi_stories(60)]
    floor = compressor_floor(texts[:50], texts[50:])
    assert 0 < floor.given_training < floor.alone
    copied = compressor_floor(texts, texts[:5])
    assert copied.given_training < 0.2 * copied.alone
    assert floor.training_bytes == sum(len(text.encode()) + 1 for text in texts[:50])


def test_compressor_cannot_shrink_noise():
    noise = np.random.default_rng(0)
    text = "".join(chr(97 + n) for n in noise.integers(16, size=20_000))  # 4 bits per character
    assert compressor_floor(["unrelated"], [text]).given_training == pytest.approx(4, rel=0.15)
    assert compressor_floor(["unrelated"], [text]).given_training > 4
