"""The bytes that tokens stand for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from corpora.errors import UserError
from evaluation.token_bytes import byte_level_letters, token_bytes

KINDS = ("sentencepiece-bpe", "sentencepiece-unigram", "bytelevel-bpe", "characters")


@pytest.mark.parametrize("kind", KINDS)
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
