"""Superword BPE: one pass of its merges is the two-stage procedure, and no piece goes beyond a sentence."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenization.training.character_bpe import WORDS, assemble, isolate, learn, merges, smallest_size, vocabulary
from tokenization.training.sizes import TooLargeError
from tokenization.training.superword import SENTENCES, train_superword

SIZE = 660
INSIDE = 594  # nine tenths


@pytest.fixture(scope="module")
def superword(texts):
    return train_superword(texts, SIZE).tokenizer


def in_stages(texts, superword):
    """The tokenizer of the first stage, and the merges of the second."""
    cut = isolate(SENTENCES, WORDS)
    first = max(smallest_size(texts), round(0.9 * superword.get_vocab_size()))
    pieces, inside = learn(texts, first, cut)
    learnt = merges(superword)
    assert learnt[: len(inside)] == inside
    return assemble(pieces, inside, cut), learnt[len(inside) :]


@pytest.fixture(scope="module")
def stages(texts, superword):
    return in_stages(texts, superword)


def two_stages(stages, text):
    """Tokens by the definition: the words' pieces first, then the further merges within each sentence."""
    words, across = stages
    ranks = {pair: rank for rank, pair in enumerate(across)}
    tokens = []
    for sentence, _ in isolate(SENTENCES).pre_tokenize_str(text):
        parts = words.encode(sentence).tokens
        while (pair := min(pairwise(parts), key=lambda pair: ranks.get(pair, 10**6), default=None)) in ranks:
            at = list(pairwise(parts)).index(pair)
            parts[at : at + 2] = ["".join(pair)]
        tokens += parts
    return tokens


PARTS = [
    "राजा",
    " राजा",
    "था",
    " ने",
    " कहा",
    "।",
    "?",
    ".",
    "”",
    "\n",
    "\n\n",
    " ",
    "  ",
    "-",
    ",",
    "१",
    "12",
    "ा",
    "x",
]
PARTS += ["एक", " जंगल में", "ছেলেটি", " বাড়ি", " গেল", "झाड", " आणि", "\t", "\u200d", "मी\u0964", "é"]


def test_tokens_equal_those_of_two_stages_on_the_corpus(superword, stages, texts):
    for text in texts[::6]:
        assert superword.encode(text).tokens == two_stages(stages, text)


@given(text=st.lists(st.sampled_from(PARTS)).map("".join))
@settings(max_examples=200, deadline=None)
def test_tokens_equal_those_of_two_stages_on_salad(superword, stages, text):
    assert superword.encode(text).tokens == two_stages(stages, text)


@given(texts=st.lists(st.text(alphabet="aab12-  ।\n", min_size=8, max_size=40), min_size=2, max_size=6))
@settings(max_examples=40, deadline=None)
def test_tokens_equal_those_of_two_stages_whatever_is_learnt(texts):
    with pytest.raises(TooLargeError) as caught:
        train_superword(texts, 5000)
    largest = int(re.search(r"at most (\d+)", str(caught.value))[1])
    for size in {largest, (largest + smallest_size(texts)) // 2}:
        tokenizer = train_superword(texts, size).tokenizer
        assert tokenizer.get_vocab_size() == size
        stages = in_stages(texts, tokenizer)
        for text in [*texts, "".join(texts)]:
            assert tokenizer.encode(text).tokens == two_stages(stages, text)


def test_nine_tenths_of_the_ids_stay_inside_words_and_others_cross_spaces(superword):
    pieces = vocabulary(superword)
    assert len(pieces) == SIZE
    assert not any(" " in piece[1:] for piece in pieces[:INSIDE])
    assert sum(" " in piece[1:].rstrip() for piece in pieces[INSIDE:]) > 5


def test_no_piece_goes_beyond_a_sentence_or_a_line(superword):
    for piece in vocabulary(superword)[260:]:
        assert "\n" not in piece or not piece.strip("\n")
        assert not any(end in piece[:-1].rstrip("।?.!") for end in "।?.!")


def test_a_small_text_is_merged_to_whole_sentences():
    text = "एक राजा था। एक रानी थी।"
    trained = train_superword([text], 286)
    assert trained.tokenizer.encode(text).tokens == ["एक राजा था।", " एक रानी थी।"]
