"""What the trainers promise: special ids, size, determinism, clear refusals."""

import re

import pytest
import regex

from corpora.errors import UserError
from tokenization.specials import SPECIALS
from tokenization.training.bytelevel import GPT2_PATTERN, MARK_SAFE_PATTERN
from tokenization.training.trainers import KINDS, SPELLINGS, TRAINERS, train_tokenizer

SUBWORD = [kind for kind in KINDS if kind not in SPELLINGS]


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_have_ids_0_to_3(tokenizers, kind):
    tokenizer = tokenizers[kind]
    assert tokenizer.convert_tokens_to_ids(list(SPECIALS)) == [0, 1, 2, 3]
    assert (tokenizer.unk_token_id, tokenizer.bos_token_id) == (0, 1)
    assert (tokenizer.eos_token_id, tokenizer.pad_token_id) == (2, 3)


@pytest.mark.parametrize("kind", SUBWORD)
def test_vocabulary_has_the_size_asked_for(texts, sizes, kind):
    size = min(400, sizes[kind])
    assert train_tokenizer(kind, texts, size).vocabulary_size == size


def test_every_kind_has_one_trainer():
    assert sorted([*TRAINERS, *SPELLINGS]) == sorted(KINDS)


def test_characters_are_all_of_the_text_or_the_most_frequent(texts):
    fixed = 4 + 256
    whole = train_tokenizer("characters", texts)
    assert whole.vocabulary_size == fixed + len(set("".join(texts)))
    two = train_tokenizer("characters", ["aaab bbcaa"], fixed + 2)
    assert sorted(two.tokenizer.get_vocab(), key=two.tokenizer.get_vocab().get)[fixed:] == ["a", "b"]


@pytest.mark.parametrize("kind", KINDS)
def test_equal_texts_give_equal_bytes(texts, sizes, folders, tmp_path, kind):
    train_tokenizer(kind, list(texts), sizes[kind]).save(tmp_path)
    files = sorted(path.name for path in folders[kind].iterdir())
    assert files == sorted(path.name for path in tmp_path.iterdir())
    for name in files:
        assert (tmp_path / name).read_bytes() == (folders[kind] / name).read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_too_large_a_vocabulary_names_the_largest_and_that_one_works(kind):
    texts = ["एक राजा था।\n\nएक रानी थी।", "राजा और रानी"]
    with pytest.raises(UserError, match="at most") as caught:
        train_tokenizer(kind, texts, 5000)
    largest = int(re.search(r"at most (\d+)", str(caught.value))[1])
    assert train_tokenizer(kind, texts, largest).vocabulary_size == largest
    with pytest.raises(UserError, match="at most"):
        train_tokenizer(kind, texts, largest + 1)


@pytest.mark.parametrize("kind", KINDS)
def test_too_small_a_vocabulary_names_the_smallest_and_that_one_works(texts, kind):
    with pytest.raises(UserError, match="at least") as caught:
        train_tokenizer(kind, texts, 20)
    smallest = int(re.search(r"at least (\d+)", str(caught.value))[1])
    assert train_tokenizer(kind, texts, smallest).vocabulary_size == smallest


@pytest.mark.parametrize("texts", [[], [""], [" \n"]])
@pytest.mark.parametrize("kind", KINDS)
def test_no_text_is_refused(kind, texts):
    with pytest.raises(UserError, match="no text"):
        train_tokenizer(kind, texts, 300)


def test_unknown_kind_is_refused(texts):
    with pytest.raises(UserError, match="picky.*sentencepiece-bpe"):
        train_tokenizer("picky", texts, 300)


@pytest.mark.parametrize("word", ["विद्यार्थी", "वाऱ्यावर", "র‍্যাব", "क्‍ष", "ক্‌ষ"])
def test_bytelevel_pattern_keeps_words_with_marks_and_joiners_whole(word):
    assert regex.findall(MARK_SAFE_PATTERN, f"{word} {word}।") == [word, f" {word}", "।"]


def test_gpt2_pattern_cuts_at_every_mark():
    assert regex.findall(GPT2_PATTERN, "कमल विद्या") == ["कमल", " व", "ि", "द", "्", "य", "ा"]


@pytest.mark.parametrize("kind", ["sentencepiece-bpe", "bytelevel-bpe"])
def test_a_paragraph_break_is_one_token_or_part_of_one(tokenizers, kind):
    ids = tokenizers[kind].encode("राजा।\n\nराजा", add_special_tokens=False)
    assert sum("\n" in tokenizers[kind].decode([number]) for number in ids) == 1
