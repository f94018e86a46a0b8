"""Every kind that says so gives any Unicode text back, and no text can turn into a control token."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenization.specials import SPECIALS
from tokenization.training.trainers import KINDS

HARD = [
    "ऱ्य र्‍य र‍্য ক্‍ষ ক্‌ষ ৎ ত্‍ क़ क़ ড় ড়",
    "👩‍👩‍👧 🇮🇳 é ﬁ … \u200b\ufeff",
    "  दो  खाली   जगह  ",
    "\n\nएक\n\nदो\r\n\tतीन\n",
    "<s> <unk></s><pad> <0x0A>क<0xE0>",
    "\0क\0",
    "▁ ▁▁क \ufdd0\ufdd1\ufdd2 \ufdd0▁",
    " ",
    "",
]
any_text = st.one_of(
    st.text(),
    st.text(alphabet=st.sampled_from("कमािी़्ँरऱ আৎ‍য\u200c\u200d \n\t\r\0▁\ufdd0\ufdd1\ufdd2<>s/0xA1९é👧")),
    st.lists(st.sampled_from([*HARD, "<0xFF>", "राजा", " "])).map("".join),
)


LOSSY = {"wordpiece"}
LOSSLESS = [kind for kind in KINDS if kind not in LOSSY]


def test_a_tokenizer_says_whether_it_is_lossless(trained):
    assert {kind for kind in KINDS if not trained[kind].lossless} == LOSSY


@pytest.mark.parametrize("text", HARD)
@pytest.mark.parametrize("kind", LOSSLESS)
def test_hard_texts_come_back(tokenizers, kind, text):
    ids = tokenizers[kind].encode(text, add_special_tokens=False)
    assert tokenizers[kind].decode(ids) == text


@pytest.mark.parametrize("kind", LOSSLESS)
@given(text=any_text)
@settings(max_examples=150, deadline=None)
def test_any_text_comes_back_and_holds_no_control_token(tokenizers, kind, text):
    ids = tokenizers[kind].encode(text, add_special_tokens=False)
    assert tokenizers[kind].decode(ids) == text
    assert not set(ids) & set(range(len(SPECIALS)))


@pytest.mark.parametrize("kind", LOSSLESS)
def test_a_spelt_out_special_token_differs_from_the_token(tokenizers, kind):
    tokenizer = tokenizers[kind]
    ids = tokenizer("</s>").input_ids
    assert ids[0] == tokenizer.bos_token_id
    assert tokenizer.eos_token_id not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == "</s>"


@given(text=any_text)
@settings(max_examples=150, deadline=None)
def test_wordpiece_loses_only_words_with_characters_that_it_does_not_know(tokenizers, trained, text):
    tokenizer = tokenizers["wordpiece"]
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert not set(ids) & {1, 2, 3}
    if 0 not in ids:
        assert tokenizer.decode(ids) == text


def test_wordpiece_keeps_marks_and_says_unknown(tokenizers):
    tokenizer = tokenizers["wordpiece"]
    for text in ("विद्यार्थी वाऱ्यावर", "  র‍্যাব\n\nক্ষমা। "):
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text
    assert tokenizer.encode("☃", add_special_tokens=False) == [0]
