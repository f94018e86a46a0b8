"""Aksharas of the vocabulary stay whole in any text, by plain merges."""

import json
import os
from functools import cache
from itertools import accumulate
from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.token_bytes import piece_bytes
from tokenization.training.akshara_bpe import train_akshara_bpe
from tokenization.training.aksharas import akshara_pieces, units
from tokenization.training.patterns import WORD_PATTERN
from tokenization.training.spelling import train_aksharas
from tokenization.training.trainers import train_tokenizer

KINDS = ["aksharas", "akshara-bpe"]
HARD = ["ऱ्या", "र्‍या", "क्ष", "স্ত্রী", "র‍্যা", "ৎ", "क़", "ড়", "क़्या", "अ्या", "र्‍", "ক্‌", "ॲ", "ज्ञां", "é", "१"]
TRAINING = ["वाऱ्यावर र्‍या क्षमा स्त्री", "স্ত্রী র‍্যাব অ্যাপ উৎসব ক্‌ষ", "क़िला क़िला ड़ ড়", *HARD, *HARD, *HARD]


@pytest.mark.parametrize(
    ("akshara", "expected"),
    [
        ("ऱ्या", ("ऱ", "्य", "ा")),
        ("र्‍या", ("र", "्‍य", "ा")),
        ("র‍্যা", ("র", "\u200d", "্য", "া")),
        ("স্ত্রী", ("স", "্ত", "্র", "ী")),
        ("अ्या", ("अ", "्य", "ा")),
        ("ক্‌", ("ক", "্", "\u200c")),
        ("र्‍", ("र", "्‍")),
        ("क़", ("क", "़")),
        ("ৎ", ("ৎ",)),
        ("ा", None),  # a mark without a letter
        ("क्ंष", None),  # one cluster in which no virama touches the ष
        ("👩‍👩‍👧", None),
    ],
)
def test_units_by_hand(akshara, expected):
    assert units(akshara) == expected


def test_pieces_by_hand():
    built = akshara_pieces(["र्‍या", "क"])
    assert sorted(built.characters) == sorted("र्‍याक")
    assert built.merges == [("्", "‍"), ("्‍", "य"), ("र", "्‍य"), ("र्‍य", "ा")]
    assert built.kept == {"र्‍या", "क"}
    assert len(built) == 6 + 4
    short = akshara_pieces(["र्‍या", "क", "र"], 6)
    assert (len(short), short.kept) == (6, {"र"})  # the sixth piece is virama with ZWJ; क finds no room


@pytest.fixture(scope="module")
def small():
    return {"aksharas": train_aksharas(TRAINING, None), "akshara-bpe": train_akshara_bpe(TRAINING, 370)}


@cache
def pieces_of(tokenizer):
    return piece_bytes(tokenizer)[0], set(tokenizer.get_vocab())


def cut_aksharas(trained, text):
    """The vocabulary's aksharas in a text, as its pieces spell it, that a token boundary cuts."""
    pieces, vocabulary = pieces_of(trained.tokenizer)
    spelt = [pieces[number] for number in trained.tokenizer.encode(text, add_special_tokens=False).ids]
    ends = set(accumulate(map(len, spelt)))
    place, cut = 0, []
    for cluster in regex.findall(r"\X", b"".join(spelt).decode()):
        start, place = place, place + len(cluster.encode())
        if units(cluster) and cluster.replace(" ", "▁") in vocabulary and ends & set(range(start + 1, place)):
            cut.append(cluster)
    return cut


@pytest.mark.parametrize("akshara", HARD)
@pytest.mark.parametrize("kind", KINDS)
def test_hard_aksharas_are_pieces_and_stay_whole_beside_anything(small, kind, akshara):
    assert akshara in small[kind].tokenizer.get_vocab()
    for text in (akshara, f"क{akshara}क", f"{akshara} {akshara}", f"\n{akshara}।", f"1{akshara}x", akshara * 3):
        assert akshara not in cut_aksharas(small[kind], text)


LETTERS = "कषयरअऱसতরযষস্্अ্্्ািी़़ँং\u200c\u200dৎ१1aé।👩🏽\u0301 \n\r\t▁\ufdd0🇮ൎೞกำ"


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.one_of(st.text(alphabet=LETTERS), st.lists(st.sampled_from([*HARD, *LETTERS])).map("".join), st.text()))
@settings(max_examples=300, deadline=None)
def test_no_boundary_falls_inside_an_akshara_of_the_vocabulary(small, kind, text):
    assert cut_aksharas(small[kind], text) == []
    ids = small[kind].tokenizer.encode(text, add_special_tokens=False).ids
    assert small[kind].tokenizer.decode(ids) == text


@given(texts=st.lists(st.text(alphabet="कषय्\u200dािं र।a\n", min_size=1, max_size=12), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_vocabularies_of_any_text_keep_their_aksharas(texts):
    trained = train_aksharas(texts, None)
    for text in texts:
        assert cut_aksharas(trained, text) == []


def test_pieces_of_words_are_whole_aksharas(texts):
    trained = train_tokenizer("akshara-bpe", texts, 590)
    for piece in trained.tokenizer.get_vocab():
        clusters = regex.findall(r"\X", piece)
        assert len(clusters) == 1 or all(units(cluster) for cluster in clusters) or piece.startswith("<")
    for text in texts:
        assert cut_aksharas(trained, text) == []


def test_encoding_by_hand():
    # Four pairs occur four times, ▁क, कम and मल, and joins of them; all are learnt, and लय after them.
    trained = train_akshara_bpe(["कमल कमल", "कमल कमलय"], 260 + 5 + 4)
    assert trained.tokenizer.encode("कमल कमलय").tokens == ["▁कमल", "▁कमलय"]
    assert trained.tokenizer.encode("मलक").tokens == ["▁", "म", "ल", "क"]


def test_encoding_is_bpe_over_aksharas(texts):
    tokenizer = train_tokenizer("akshara-bpe", texts, 590).tokenizer
    model = json.loads(tokenizer.to_str())["model"]
    whole = [(left, right) for left, right in model["merges"] if len(regex.findall(r"\X", left + right)) > 1]
    ranks = {pair: rank for rank, pair in enumerate(whole)}
    words = {word for text in texts for word in regex.findall(WORD_PATTERN, "▁" + text.replace(" ", "▁"))}
    assert len(ranks) > 100 and len(words) > 50
    for word in words:
        parts = regex.findall(r"\X", word)
        assert set(parts) <= set(model["vocab"])
        while pairs := [pair for pair in zip(parts, parts[1:], strict=False) if pair in ranks]:
            best, joined = min(pairs, key=ranks.__getitem__), []
            while parts:
                size = 2 if tuple(parts[:2]) == best else 1
                joined.append("".join(parts[:size]))
                parts = parts[size:]
            parts = joined
        assert [token.value for token in tokenizer.model.tokenize(word)] == parts


def test_a_word_is_cut_at_an_akshara_that_is_not_kept():
    trained = train_akshara_bpe(["कमल कमल कमल कमल ष्ठकमल"], 260 + 8)
    assert "ष्ठ" not in trained.tokenizer.get_vocab()
    assert trained.tokenizer.encode("कमल").tokens == ["▁कमल"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("▁ऱ्या।▁▁क", ["▁ऱ्या", "।", "▁", "▁क"]),
        ("▁১২क্‍ষ়\n\n”।", ["▁১", "২", "क্‍ষ়", "\n\n", "”।"]),
        ("▁\u200dक▁", ["▁\u200d", "क", "▁"]),
    ],
)
def test_words_keep_marks_and_joiners(text, words):
    assert regex.findall(WORD_PATTERN, text) == words


@pytest.mark.real
@pytest.mark.skipif("KATHALAB_DATA" not in os.environ, reason="KATHALAB_DATA names no folder")
@pytest.mark.parametrize("language", ["hi", "mr", "bn"])
def test_no_akshara_of_the_vocabulary_is_cut_in_real_text(language):
    data = Path(os.environ["KATHALAB_DATA"])
    stories = [path.read_text(encoding="utf-8") for path in sorted((data / "pratham" / language).glob("*.md"))]
    trained = train_tokenizer("akshara-bpe", stories, 2048)
    for text in [*stories, *(data / "flores" / f"{language}.txt").read_text(encoding="utf-8").split("\n")]:
        assert cut_aksharas(trained, text) == []
        assert trained.tokenizer.decode(trained.tokenizer.encode(text, add_special_tokens=False).ids) == text
