"""The measures, against numbers computed by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from corpora.errors import UserError
from evaluation.token_bytes import byte_level_letters, token_bytes
from tokenization.folder import load_tokenizer
from tokenization.measures.by_document import DEFINITIONS, Instrument, measure, renyi_efficiency
from tokenization.training.trainers import KINDS, train_tokenizer


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    def make(kind, texts, size=None):
        folder = tmp_path_factory.mktemp(kind)
        train_tokenizer(kind, texts, size).save(folder)
        return load_tokenizer(folder)

    return make


def values(measured):
    return {name: measure["value"] for name, measure in measured.items()}


def test_characters_by_hand(load):
    tokenizer = load("characters", ["क्षअ अ"])
    # Tokens क ् ष अ ␣ अ, aksharas क्ष अ ␣ अ: 2 of the 5 boundaries lie inside one, and one word of two is whole.
    found = values(measure(tokenizer, ["क्षअ अ"]))
    assert found["fertility"] == pytest.approx(6 / 2)
    assert found["characters_per_token"] == pytest.approx(6 / 6)
    assert found["bytes_per_token"] == pytest.approx((5 * 3 + 1) / 6)
    assert found["akshara_splitting_rate"] == pytest.approx(2 / 5)
    assert found["single_token_word_rate"] == pytest.approx(1 / 2)
    assert found["round_trip_rate"] == 1
    assert found["vocabulary_use"] == pytest.approx(5 / (4 + 256 + 5))


def test_byte_pieces_split_aksharas(load):
    # é is spelt <0xC3><0xA9>: a|C3 is between aksharas, C3|A9 inside a code point.
    counts = Instrument(load("characters", ["a"])).count("aé")
    assert (len(counts.ids), counts.boundaries, counts.boundaries_in_aksharas) == (3, 2, 1)
    assert (counts.characters, counts.bytes, counts.words, counts.whole_words) == (2, 3, 1, 0)


def test_pure_bytes_by_hand(load):
    # "क अ" is 3 + 1 + 3 bytes; of the 6 boundaries, 2 lie inside क and 2 inside अ.
    counts = Instrument(load("bytelevel-bpe", ["क अ"], 260)).count("क अ")
    assert (len(counts.ids), counts.boundaries, counts.boundaries_in_aksharas) == (7, 6, 4)
    assert (counts.words, counts.whole_words) == (2, 0)


def test_sentencepiece_prefix_is_no_boundary(load):
    tokenizer = load("sentencepiece-bpe", ["कमल कमल नयन नयन"] * 9, 272)
    counts = Instrument(tokenizer).count("कमल नयन")
    assert tokenizer.convert_ids_to_tokens(counts.ids) == ["▁कमल", "▁नयन"]
    assert (counts.boundaries, counts.boundaries_in_aksharas, counts.words, counts.whole_words) == (1, 0, 2, 2)
    # é is spelt ▁, <0xC3>, <0xA9>: the boundary after the prefix is outside the text, the next one inside é.
    counts = Instrument(tokenizer).count("é")
    assert (len(counts.ids), counts.boundaries, counts.boundaries_in_aksharas) == (3, 1, 1)


def test_words_are_parted_by_any_whitespace(load):
    counts = Instrument(load("characters", ["a\u2003b\n\nc\t"])).count("a\u2003b\n\nc\t")
    assert (counts.words, counts.whole_words) == (3, 3)


def test_renyi_by_hand():
    # α = 2: H = −log2(1/4 + 1/16 + 1/16) = log2(8/3); over 4 ids, 2 bits.
    assert renyi_efficiency(np.array([2, 1, 1, 0]), 4, alpha=2) == pytest.approx(math.log2(8 / 3) / 2)
    assert renyi_efficiency(np.full(64, 5), 64) == pytest.approx(1)
    assert renyi_efficiency(np.array([7, 0]), 2) == 0
    assert renyi_efficiency(np.array([0, 0]), 2) is None


def test_intervals_hold_the_value_and_every_measure_is_defined(tokenizers, texts):
    found = measure(tokenizers["sentencepiece-bpe"], texts)
    assert set(found) == set(DEFINITIONS)
    for name in ("fertility", "akshara_splitting_rate"):
        assert found[name]["low"] < found[name]["value"] < found[name]["high"]


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"wordpiece"}))
@given(text=st.text(alphabet=st.characters(exclude_characters="▁\ufdd0", exclude_categories=["Cs"])))
@settings(max_examples=60, deadline=None)
def test_token_bytes_join_to_the_text(tokenizers, kind, text):
    pieces, prepends_space = token_bytes(tokenizers[kind])
    ids = tokenizers[kind].encode(text, add_special_tokens=False)
    joined = b"".join(pieces[number] for number in ids).decode()
    assert joined == (" " + text if prepends_space and text else text)


def test_byte_level_letters_are_the_library_s():
    text = bytes(range(0x20, 0x7F)).decode() + "éकΩ\n\t\x00ÿ👧"
    word = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)[0][0]
    letters = byte_level_letters()
    assert bytes(letters[letter] for letter in word) == text.encode()
    assert set(letters) == set(pre_tokenizers.ByteLevel.alphabet())


def test_another_kind_of_tokenizer_is_refused():
    wordpiece = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    with pytest.raises(UserError, match="cannot be measured"):
        token_bytes(PreTrainedTokenizerFast(tokenizer_object=wordpiece))
