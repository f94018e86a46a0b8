"""Cleaning story by story: what comes out, what is counted, and that the log gives the originals back."""

import pickle
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonargparse import ArgumentParser

from corpora.cleaning.cleaner import EXAMPLES, Cleaner, Cleaning, Tally, restore_story
from corpora.cleaning.filters import Filters
from corpora.cleaning.normalize import Normalization
from corpora.errors import UserError
from corpora.sources import Generator
from corpora.stories import Story

GOOD = next(iter(Generator(["hi"], 1)))


def story(text=GOOD.text, name="a", language="hi", title=""):
    return Story(name, language, text, "test", title)


def test_a_clean_story_is_the_same_object():
    cleaner = Cleaner(Cleaning())
    assert cleaner(GOOD) == (GOOD, "")
    assert cleaner(GOOD)[0] is GOOD
    assert cleaner.tally == {"hi": Tally(kept=2)}


def test_text_and_title_are_normalised_and_counted():
    cleaner = Cleaner(Cleaning())
    kept, reason = cleaner(story(GOOD.text.replace("।", " ।", 2) + "\u200b", title="\u095bमीन "))
    assert reason == "" and kept == story(title="ज\u093cमीन")
    assert cleaner.tally["hi"].rules == {"space before punctuation": 2, "invisible character": 1}


def test_rejections_are_counted_by_language_with_a_few_examples():
    cleaner = Cleaner(Cleaning())
    for i in range(EXAMPLES + 3):
        assert cleaner(story("<b>" + GOOD.text, f"h{i}")) == (None, "html")
    assert cleaner(story(language="mr")) == (None, "language")
    assert cleaner.tally["hi"].rejected == {"html": EXAMPLES + 3}
    assert [example.id for example in cleaner.tally["hi"].examples] == [f"h{i}" for i in range(EXAMPLES)]
    assert cleaner.tally["mr"].examples[0].evidence == "reads like 'hi'"


def test_nothing_is_done_if_nothing_is_asked_for():
    bad = story("<b>\u200b")
    assert Cleaner(Cleaning(normalization=None, filters=None))(bad) == (bad, "")


def test_tallies_add_up():
    parts = [Cleaner(Cleaning()) for _ in range(2)]
    whole = Cleaner(Cleaning())
    for number in range(14):
        bad = story(("<i>" if number % 2 else "") + GOOD.text + " ", str(number))
        parts[number // 7](bad)
        whole(bad)
    assert parts[0].tally["hi"] + parts[1].tally["hi"] == whole.tally["hi"]
    assert whole.tally["hi"].rules == Counter({"space at an end": 14})


TEXT = st.text(
    st.sampled_from([*"अआकत ।.\n\u0301", "ा", "े", "्", "\u200d", "\u093c", "\ufeff", "\u00a0", "1", "“"]), max_size=30
)


@given(TEXT, TEXT, st.sampled_from(["keep", "native", "ascii"]))
def test_the_log_restores_every_kept_story(text, title, digits):
    records = []
    cleaner = Cleaner(Cleaning(Normalization(digits=digits), filters=None), log=records.append)
    original = story(text, title=title)
    kept, _ = cleaner(original)
    if kept == original:
        assert not records
    else:
        assert restore_story(kept, records[0]) == original
        assert records[0]["id"] == "a" and records[0]["language"] == "hi"


def test_a_record_of_another_story_is_refused():
    records = []
    kept, _ = Cleaner(Cleaning(filters=None), log=records.append)(story("एक  बार"))
    with pytest.raises(UserError, match="use the log that was written with this text"):
        restore_story(replace(kept, text="दो"), records[0])


def test_cleaning_is_the_same_with_and_without_log():
    bad = story(GOOD.text.replace(" ", "  ").replace("।", "|"))
    with_log, without = Cleaner(Cleaning(), log=lambda record: None), Cleaner(Cleaning())
    assert with_log(bad) == without(bad)
    assert with_log.tally == without.tally


def test_options_travel_to_other_processes_and_the_command_line():
    options = Cleaning(Normalization(digits="native"), Filters(least_words=5, without=["unfinished"]))
    assert pickle.loads(pickle.dumps(options)) == options
    parser = ArgumentParser()
    parser.add_argument("--cleaning", type=Cleaning, default=Cleaning())
    words = ["--cleaning.normalization.digits=native", "--cleaning.filters.least_words=5"]
    parsed = parser.instantiate_classes(parser.parse_args([*words, "--cleaning.filters.without=[unfinished]"]))
    assert parsed.cleaning == options
