"""Superword BPE: one pass of its merges is the two-stage procedure, and no piece goes beyond a sentence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenization.training.character_bpe import WORDS, assemble, isolate, merges, vocabulary
from tokenization.training.superword import SENTENCES, train_superword

SIZE = 660
INSIDE = 594  # nine tenths


@pytest.fixture(scope="module")
def superword(texts):
    return train_superword(texts, SIZE).tokenizer


@pytest.fixture(scope="module")
def stages(texts, superword):
    """The tokenizer of the first stage, and the merges of the second."""
    learnt, pieces = merges(superword), vocabulary(superword)
    first = next(rank for rank, pair in enumerate(learnt) if "".join(pair) == pieces[INSIDE])
    return assemble(pieces[:INSIDE], learnt[:first], isolate(SENTENCES, WORDS)), learnt[first:]


def two_stages(stages, text):
    """Tokens by the definition: the words' pieces first, then each further merge in turn within its sentence."""
    words, across = stages
    tokens = []
    for sentence, _ in isolate(SENTENCES).pre_tokenize_str(text):
        parts = words.encode(sentence).tokens
        for left, right in across:
            at = 0
            while at < len(parts) - 1:
                if (parts[at], parts[at + 1]) == (left, right):
                    parts[at : at + 2] = [left + right]
                at += 1
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
