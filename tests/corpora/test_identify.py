"""Language identification: by script, by letters, by words."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.cleaning.identify import LANGUAGES, UNKNOWN, devanagari_scores, features, identify, sentences, words
from corpora.cleaning.normalize import normalize
from corpora.scripts import count_letters
from corpora.sources import Generator, Katha72, Markdown

NEPALI = (Path(__file__).parent / "identification" / "ne.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("एक गाँव में एक किसान रहता था।", "hi"),
        ("एका गावात एक शेतकरी राहत होता.", "mr"),
        ("एउटा गाउँमा एक जना किसान बस्थ्यो।", "ne"),
        ("राम घर गया।", "hi"),
        ("राम घरी गेला.", "mr"),
        ("राम घर गयो।", "ne"),
        ("এক গ্রামে এক কৃষক বাস করত।", "bn"),
        ("এখন গাঁৱত এজন খেতিয়ক বাস কৰিছিল।", "as"),
        ("ৰামে ভাত খায়।", "as"),
        ("A farmer lived in a village.", "en"),
        ("", UNKNOWN),
        ("१२३ … !", UNKNOWN),
        ("Жил-был старик", UNKNOWN),
        ("ஒரு ஊரில் ஒரு விவசாயி", UNKNOWN),
        ("मेरा phone खो गया है, माँ ने कहा।", "hi"),
    ],
)
def test_sentences(text, language):
    assert identify(text) == language


def test_nepali_is_not_taken_for_hindi_or_marathi():
    wrong = [sentence for sentence in NEPALI if identify(sentence) != "ne"]
    assert len(NEPALI) == 50 and len(wrong) <= 1


@pytest.mark.parametrize("language", ["hi", "mr", "bn", "en"])
def test_own_stories_sentence_by_sentence(language):
    """Katha-72, on which nothing was fitted."""
    found = [
        identify(sentence) == language
        for story in Katha72([language])
        for sentence in sentences(story.text)
        if len(sentence.split()) >= 5
    ]
    assert len(found) > 500 and sum(found) / len(found) >= 0.98


def test_generated_stories():
    stories = list(Generator(["hi", "mr", "bn", "en"], 5))
    assert [identify(story.text) for story in stories] == [story.language for story in stories]


def test_only_the_beginning_is_read():
    hindi, marathi = "वह घर में है। " * 10, "तो घरात आहे आणि ती बाहेर आहे. " * 100
    assert identify(hindi + marathi, characters=100) == "hi"
    assert identify(hindi + marathi, characters=5000) == "mr"


def test_punctuation_and_joiners_do_not_count():
    assert words()["“है!”"] == words()["है"]
    assert words()["कर्\u200dया"] == words()["कर्या"]
    assert words()["123"] == 0
    assert devanagari_scores([]) == (0.0, 0.0)


def test_features_of_a_word():
    assert list(features("है")) == ["<ह", "है", "ै>", "<है", "है>", "<है>"]
    assert list(features("था।"))[-1] == "<था।>"


def test_letters_by_script():
    assert count_letters("काँ कि, ab ড় १২3 Ж 😀\u200d़") == (6, 2, 2, 1)
    assert count_letters("").share("Latin") == 0


@given(st.text(max_size=60))
def test_any_text_has_an_answer(text):
    assert identify(text) in (*LANGUAGES, UNKNOWN)


@pytest.mark.real
@pytest.mark.skipif("KATHALAB_DATA" not in os.environ, reason="KATHALAB_DATA names no folder")
@pytest.mark.parametrize("language", ["hi", "mr", "bn", "en"])
def test_accuracy_on_text_that_was_not_fitted(language):
    data = Path(os.environ["KATHALAB_DATA"])
    flores = (data / f"flores/{language}.txt").read_text("utf-8").splitlines()
    assert sum(identify(line) == language for line in flores) / len(flores) >= 0.995
    odd = [book for book in Markdown(str(data / "pratham"), [language]) if int(book.group[-4:]) % 2]
    lines = [s for book in odd for s in sentences(normalize(book.text, language)) if len(s.split()) >= 5]
    assert sum(identify(line) == language for line in lines) / len(lines) >= 0.98
