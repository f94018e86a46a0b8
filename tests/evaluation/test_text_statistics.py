"""Words, sentences, overlap and the statistics made of them, against hand counts and brute force."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.overlap import TrainingIndex
from evaluation.text_statistics import equal_pools, measure, summarise
from evaluation.words import sentences, words

EMPTY = TrainingIndex([["none"]])


def test_words_part_from_all_punctuation():
    text = "“तुम कौन हो?”\nउसने पूछा—“मैं, राजू।” … 3.5 र‍्य क्‍ष"
    assert words(text, "hi") == ["तुम", "कौन", "हो", "उसने", "पूछा", "मैं", "राजू", "3.5", "र‍्य", "क्‍ष"]
    assert words("", "hi") == [] and words("।।। —", "bn") == []


def test_zero_width_joiners_and_nuktas_stay():
    assert words("র‍্যাব গেল।", "bn") == ["র‍্যাব", "গেল"]
    assert words("ॲप: छान!", "mr") == ["ॲप", "छान"]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("राजा आया। रानी गई! क्या हुआ?", "hi", 3),
        ("“तुम कौन हो?” उसने पूछा। “मैं राजू हूँ।”", "hi", 3),
        ("पहला वाक्य।\n\nदूसरा वाक्य", "hi", 2),
        ("तो घरी आला. ती म्हणाली.", "mr", 2),
        ("সে গেল। সে এল।", "bn", 2),
        ("A cat sat. It slept.", "en", 2),
    ],
)
def test_sentences(text, language, expected):
    assert len(sentences(text, language)) == expected


def test_a_closing_quotation_mark_is_no_sentence():
    assert sentences("“मैं राजू हूँ।”", "hi") == ["“मैं राजू हूँ।”"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abc"), max_size=9), min_size=1, max_size=6),
    st.lists(st.sampled_from("abcd"), max_size=9),
)
def test_matches_equal_brute_force(training, text):
    def longest(start: int) -> int:
        runs = range(1, len(text) - start + 1)
        windows = (story[i : i + n] for n in runs for story in training for i in range(len(story) - n + 1))
        return max((len(window) for window in windows if window == text[start : start + len(window)]), default=0)

    assert TrainingIndex(training).matches(text) == [longest(start) for start in range(len(text))]


def test_matches_with_a_large_vocabulary():
    """More words than fit below the surrogates, so that the private alphabet has to pass over them."""
    training = [[f"w{i}" for i in range(start, start + 500)] for start in range(0, 60_000, 500)]
    index = TrainingIndex(training)
    assert index.matches(["w55290", "w55291", "w55292", "new", "w59999", "w0"]) == [3, 2, 1, 0, 1, 1]
    assert index.contains(training[3]) and not index.contains(training[3][:-1])


def test_measures_by_hand():
    index = TrainingIndex([words("एक दो तीन चार पाँच छह सात आठ नौ दस", "hi"), ["राजा"]])
    text = "वह एक दो तीन चार पाँच छह सात आठ नौ। वह एक दो तीन"
    story = measure(text, "hi", index)
    assert (len(story.words), story.sentences) == (14, 2)
    # 11 four-grams, of which "वह एक दो तीन" comes twice.
    assert (story.four_grams, story.repeated_four_grams) == (11, 1)
    # 7 runs of eight words; "एक … आठ" and "दो … नौ" stand in training.
    assert (story.runs, story.copied_runs, story.longest_copy, story.exact_copy) == (7, 2, 9, False)
    assert measure("राजा।", "hi", index).exact_copy


def test_summary_by_hand():
    stories = [measure(text, "hi", EMPTY) for text in ("क ख ग घ क ख ग घ", "क ख ग च")]
    found = summarise(stories, pool_words=4)
    assert found["words"].value == 6
    # 5 + 1 four-grams, one repeated (क ख ग घ).
    assert found["rep_4"].value == pytest.approx(1 / 6)
    assert found["distinct_1"].value == 1 and summarise(stories, pool_words=8)["distinct_1"].value == 0.5
    assert found["copied_runs"].value == 0 and found["own_script"].value == 1
    assert "copied_runs" not in summarise(stories[1:], pool_words=4)  # no run of eight words: nothing to divide by


def test_distinct_is_measured_on_pools_of_equal_size():
    """A text twice as long of the same making must not look less varied."""
    generator = random.Random(0)
    vocabulary = [f"{a}{b}" for a in "कखगघङचछजझञ" for b in "कखगघङचछजझञ"]
    stories = [measure(" ".join(generator.choices(vocabulary, k=100)), "hi", EMPTY) for _ in range(40)]
    short, long = summarise(stories[:20], pool_words=500), summarise(stories, pool_words=500)
    assert long["distinct_2"].value == pytest.approx(short["distinct_2"].value, abs=0.01)


def test_pools_fit_the_smaller_set():
    few, many = [measure("क ख ग", "hi", EMPTY)], [measure("क " * 3000, "hi", EMPTY)]
    assert (equal_pools(few, many), equal_pools(many, many)) == (3, 1000)


def test_an_empty_story_is_measured():
    found = summarise([measure("", "hi", EMPTY), measure("राजा आया।", "hi", EMPTY)], pool_words=2)
    assert found["words"].value == 1 and found["sentences"].value == 0.5


def test_copied_test_text_is_seen(hindi_stories):
    training = hindi_stories(10)
    index = TrainingIndex([words(story.text, "hi") for story in training])
    copy = measure(training[4].text, "hi", index)
    assert copy.exact_copy and copy.copied_runs == copy.runs and copy.longest_copy == len(copy.words)
