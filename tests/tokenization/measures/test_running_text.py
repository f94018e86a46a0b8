"""The measures, against numbers computed by hand."""

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenization.measures.prepared import prepare
from tokenization.measures.running_text import DEFINITIONS, count_splits, count_words, encode, measure_text
from tokenization.opening.formats import open_tokenizer
from tokenization.training.trainers import train_tokenizer


def values(tokenizer, texts):
    return {name: found["value"] for name, found in measure_text(tokenizer, prepare(texts), resamples=20).items()}


HINDI = {"क्षमा कर।": [("क्", 0, 2), ("षमा", 2, 5), (" कर", 5, 8), ("।", 8, 9)]}
MARATHI = {"तऱ्हा व": [("त", 0, 1), ("ऱ्हा ".encode()[:4], 1, 3), ("ऱ्हा ".encode()[4:], 2, 6), ("व", 6, 7)]}
BENGALI = {"র‍্যাব আছে": [("র‍্যাব", 0, 6), (" আ", 6, 8), ("ছে", 8, 10)]}


def test_hindi_by_hand(scripted):
    # Words of running text: क्षमा, कर।; 9 code points, 25 bytes, aksharas क्ष मा ␣ क र ।. One of 3 boundaries splits.
    found = values(scripted(HINDI), ["क्षमा कर।"])
    assert set(found) == set(DEFINITIONS)
    assert found["fertility"] == pytest.approx(4 / 2)
    assert found["characters_per_token"] == pytest.approx(9 / 4)
    assert found["bytes_per_token"] == pytest.approx(25 / 4)
    assert found["aksharas_per_token"] == pytest.approx(6 / 4)
    assert found["akshara_splitting_rate"] == pytest.approx(1 / 3)
    assert found["code_point_splitting_rate"] == 0
    assert found["continued_word_rate"] == pytest.approx(1 / 2)
    assert found["single_token_word_rate"] == pytest.approx(1 / 2)  # the danda is no part of its word
    assert found["unknown_rate"] == found["byte_fallback_rate"] == 0
    assert found["round_trip_rate"] == 1
    assert found["round_trip_character_error"] == 0
    assert found["characters_per_window"] == pytest.approx(512 * 9 / 6)
    assert found["whole_in_window"] == 1
    assert found["vocabulary_use"] == pytest.approx(4 / 5)
    assert found["dead_pieces"] == 0


def test_marathi_by_hand(scripted):
    # Aksharas त ऱ्हा ␣ व. Boundaries: 1, inside the virama (code point 2), 6; व stands behind a token with its space.
    found = values(scripted(MARATHI), ["तऱ्हा व"])
    assert found["akshara_splitting_rate"] == found["code_point_splitting_rate"] == pytest.approx(1 / 3)
    assert found["byte_fallback_rate"] == pytest.approx(2 / 4)
    assert found["continued_word_rate"] == pytest.approx(1 / 2)
    assert found["single_token_word_rate"] == 0
    assert found["round_trip_rate"] == 1


def test_bengali_by_hand(scripted):
    # Aksharas র‍্যা ব ␣ আ ছে.
    found = values(scripted(BENGALI), ["র‍্যাব আছে"])
    assert found["aksharas_per_token"] == pytest.approx(5 / 3)
    assert found["akshara_splitting_rate"] == 0
    assert found["continued_word_rate"] == found["single_token_word_rate"] == pytest.approx(1 / 2)


def test_dropped_and_trimmed_spaces_cover_the_boundary(scripted):
    # WordPiece's way: no token holds the space, and no word is cut.
    gaps = scripted({"राम गया": [("राम", 0, 3), ("गया", 4, 7)]})
    found = values(gaps, ["राम गया"])
    assert found["akshara_splitting_rate"] == found["continued_word_rate"] == 0
    assert found["single_token_word_rate"] == 1
    assert found["round_trip_rate"] == 0
    assert found["round_trip_character_error"] == pytest.approx(1 / 7)
    # A dropped vowel sign is no akshara's beginning, and a dropped word is no single token.
    lossy = scripted({"का अब तब": [("क", 0, 1), (" अब", 2, 5)], "काम": [("क", 0, 1), ("म", 2, 3)]})
    assert values(lossy, ["का अब तब"])["single_token_word_rate"] == pytest.approx(2 / 3)
    assert values(lossy, ["काम"])["continued_word_rate"] == 1
    assert values(lossy, ["काम"])["akshara_splitting_rate"] == 0


def test_a_prefix_space_is_no_boundary_but_no_part_of_the_word(scripted):
    glued = scripted({"घर": [(" घर", 0, 2)]})
    apart = scripted({"घर": [(" ", 0, 0), ("घर", 0, 2)]})
    assert values(glued, ["घर"])["single_token_word_rate"] == 1
    found = values(apart, ["घर"])
    assert found["akshara_splitting_rate"] is None
    assert (found["continued_word_rate"], found["single_token_word_rate"]) == (0, 0)


def test_unknown_tokens_are_no_words_of_one_token(scripted):
    tokenizer = scripted({"अ ब": [("अ", 0, 1), (" ब", 1, 3)]}, unknown_id=2)
    found = values(tokenizer, ["अ ब"])
    assert (found["unknown_rate"], found["single_token_word_rate"]) == (1 / 2, 1 / 2)
    assert found["continued_word_rate"] == 0


def test_one_token_for_two_words_cuts_none(scripted):
    found = values(scripted({"के लिए": [("के लिए", 0, 6)]}), ["के लिए"])
    assert (found["continued_word_rate"], found["single_token_word_rate"]) == (0, 1)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "क", "।", "‍"])
def test_texts_with_next_to_nothing(scripted, text):
    tokenizer = scripted({text: [(letter, i, i + 1) for i, letter in enumerate(text)]})
    found = values(tokenizer, [text])
    assert found["round_trip_rate"] == 1
    assert found["fertility"] == (1 if text in ("क", "।", "‍") else None)
    assert found["single_token_word_rate"] == (1 if text == "क" else None)


def test_no_texts_at_all(scripted):
    assert set(values(scripted({}), []).values()) <= {None, 0.0}


def test_byte_pieces_of_sentencepiece(tmp_path):
    train_tokenizer("sentencepiece-bpe", ["कमल कमल नयन नयन"] * 9, 272).save(tmp_path)
    tokenizer = open_tokenizer(tmp_path)
    texts = prepare(["कमल नयन", "é"])
    tokens = encode(tokenizer, texts)
    assert tokens.counts.tolist() == [2, 3]  # é is ▁, <0xC3>, <0xA9>
    splits = count_splits(tokens, texts)
    assert splits.boundaries.tolist() == [1, 1]
    assert splits.in_aksharas.tolist() == splits.in_code_points.tolist() == [0, 1]
    cut, single = count_words(tokens, texts, np.zeros(5, dtype=bool))
    assert (cut.tolist(), single.tolist()) == ([0, 1], [2, 0])
    assert measure_text(tokenizer, texts, resamples=20)["byte_fallback_rate"]["value"] == pytest.approx(2 / 5)


SIZES = {"sentencepiece-bpe": 520, "bytelevel-bpe": 520, "characters": None}


@pytest.fixture(scope="module")
def opened(texts, tmp_path_factory):
    """Ours, by kind, and one that knows nothing but aksharas."""
    found = {}
    for kind, size in SIZES.items():
        folder = tmp_path_factory.mktemp(kind)
        train_tokenizer(kind, texts, size).save(folder)
        found[kind] = open_tokenizer(folder)
    return found


UNICODE = st.text(st.characters(exclude_characters="▁\ufdd0", exclude_categories=["Cs"]), max_size=30)
INDIC = st.text("कखरऱयािी़्ंঅকরযািী্য়ৎ \u200c\u200d।a\n\u00a0é👧", max_size=30)


@pytest.mark.parametrize("kind", SIZES)
@given(texts=st.lists(UNICODE | INDIC, max_size=4))
@settings(max_examples=25, deadline=None)
def test_laws(opened, kind, texts):
    prepared = prepare(texts)
    tokens = encode(opened[kind], prepared)
    splits = count_splits(tokens, prepared)
    cut, single = count_words(tokens, prepared, np.zeros(len(tokens.ids), dtype=bool))
    assert (splits.in_code_points <= splits.in_aksharas).all()
    assert (splits.in_aksharas <= splits.boundaries).all()
    assert (splits.boundaries <= np.maximum(tokens.counts - 1, 0)).all()
    assert (cut + single <= prepared.words).all() and (prepared.words <= prepared.runs).all()
    found = {name: one["value"] for name, one in measure_text(opened[kind], prepared, resamples=5).items()}
    assert found["round_trip_character_error"] in (0, None)
    assert found["unknown_rate"] in (0, None)
    if found["fertility"] is not None:
        assert found["fertility"] >= 1
    if found["characters_per_token"] is not None:
        assert found["bytes_per_token"] >= found["characters_per_token"] >= found["aksharas_per_token"]


@given(texts=st.lists(INDIC, min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_counts_of_texts_are_those_of_each_alone(opened, texts):
    tokenizer = opened["bytelevel-bpe"]

    def counts(several):
        prepared = prepare(several)
        tokens = encode(tokenizer, prepared)
        splits = count_splits(tokens, prepared)
        words = count_words(tokens, prepared, np.zeros(len(tokens.ids), dtype=bool))
        columns = (tokens.counts, splits.boundaries, splits.in_aksharas, splits.in_code_points, *words)
        return np.stack([*columns, prepared.runs, prepared.words, prepared.aksharas])

    assert (counts(texts) == np.concatenate([counts([text]) for text in texts], axis=1)).all()


@given(text=INDIC | UNICODE)
@settings(max_examples=30, deadline=None)
def test_whole_aksharas_are_never_split(scripted, text):
    clusters = [match.span() for match in regex.finditer(r"\X", text)]
    found = values(scripted({text: [(text[start:end], start, end) for start, end in clusters]}), [text])
    assert found["akshara_splitting_rate"] in (0, None)
    assert found["aksharas_per_token"] == (1 if text else None)


def test_intervals(opened, texts):
    by_text = measure_text(opened["sentencepiece-bpe"], prepare(texts))
    for name in ("fertility", "akshara_splitting_rate", "single_token_word_rate", "renyi_efficiency"):
        assert by_text[name]["low"] < by_text[name]["value"] < by_text[name]["high"]
    assert by_text["round_trip_rate"]["low"] < by_text["round_trip_rate"]["high"] == 1
    one = measure_text(opened["sentencepiece-bpe"], prepare(texts, ["all"] * len(texts)))
    assert one["fertility"]["low"] == one["fertility"]["value"] == one["fertility"]["high"]
    with pytest.raises(ValueError, match="labels"):
        prepare(texts, ["one"])
