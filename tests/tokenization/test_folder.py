"""The tokenizer folder opens in plain transformers, and what is none is refused in a sentence."""

import json

import pytest
from transformers import AutoTokenizer

import tokenization
from corpora.errors import UserError
from tokenization.training.trainers import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_auto_tokenizer_gives_the_same_ids(folders, tokenizers, trained, kind):
    auto = AutoTokenizer.from_pretrained(folders[kind])
    text = "  एक राजा।\n\n<s> হঠাৎ 👧"
    assert auto(text).input_ids == tokenizers[kind](text).input_ids
    assert auto(text).input_ids == [1, *auto.encode(text, add_special_tokens=False)]
    assert not trained[kind].lossless or auto.decode(auto.encode(text, add_special_tokens=False)) == text
    assert auto.padding_side == "left"
    assert set(auto(text)) == {"input_ids", "attention_mask"}


def test_the_class_is_one_that_older_transformers_know(folders):
    for folder in folders.values():
        assert (
            json.loads((folder / "tokenizer_config.json").read_text())["tokenizer_class"] == "PreTrainedTokenizerFast"
        )


@pytest.mark.parametrize("kind", KINDS)
def test_saving_again_in_transformers_keeps_the_ids(folders, tokenizers, tmp_path, kind):
    tokenizers[kind].save_pretrained(tmp_path)
    again = tokenization.load_tokenizer(tmp_path)
    text = "राजा <s> ৎ  \n▁"
    assert again(text).input_ids == tokenizers[kind](text).input_ids


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(UserError, match="no tokenizer folder"):
        tokenization.load_tokenizer(tmp_path)
    with pytest.raises(UserError, match="no tokenizer folder"):
        tokenization.load_tokenizer(tmp_path / "absent")


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"version": "1.0"}'])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(UserError, match="cannot be opened|no beginning"):
        tokenization.load_tokenizer(tmp_path)


def test_a_tokenizer_without_begin_and_end_is_refused(folders, tmp_path):
    (tmp_path / "tokenizer.json").write_bytes((folders["characters"] / "tokenizer.json").read_bytes())
    with pytest.raises(UserError, match="no beginning or end"):
        tokenization.load_tokenizer(tmp_path)
