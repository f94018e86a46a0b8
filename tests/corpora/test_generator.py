"""The embedded generator: the same stories in every language, whole, distinct and repeatable."""

import json
from itertools import chain

import pytest

from corpora.errors import UserError
from corpora.generator import SLOT, Generator, draw_outline, load_world
from corpora.languages import LANGUAGES
from corpora.lexicon import FOLDER, load_lexicon

CODES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
SECTIONS = {"nouns": 150, "verbs": 60, "adjectives": 60}


def test_every_language_of_the_registry_has_a_lexicon():
    assert set(LANGUAGES) == set(CODES)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("section", SECTIONS)
def test_lexicon_is_large_enough_and_has_the_same_concepts_as_english(code, section):
    words = load_lexicon(code).lexemes[section]
    assert len({lexeme.word for lexeme in words.values()}) >= SECTIONS[section]
    assert set(words) >= set(load_lexicon("en").lexemes[section])


@pytest.mark.parametrize("code", CODES)
def test_every_concept_of_the_world_has_a_word(code):
    lexicon, world = load_lexicon(code), load_world()
    for concept in chain.from_iterable(world["classes"].values()):
        assert lexicon.find(concept).word


@pytest.mark.parametrize("code", CODES)
def test_every_beat_has_sentences(code):
    beats = set()
    for name, plot in load_world()["plots"].items():
        beats.add(f"title.{name}")
        beats.update(beat.rstrip("?") for beat in chain.from_iterable(plot["story"]))
    assert beats == set(load_lexicon(code).sentences)


def test_there_are_at_least_twelve_plots_and_eight_themes():
    plots = load_world()["plots"]
    assert len(plots) >= 12
    assert len({plot["theme"] for plot in plots.values()}) == 8


@pytest.mark.parametrize("code", CODES)
def test_hundreds_of_stories_are_told_whole_and_distinct(code):
    stories = list(Generator([code], stories=480, seed=11))
    assert len({story.text for story in stories}) == len(stories)
    for story in stories:
        assert not SLOT.search(story.text + story.title) and "{" not in story.text
        assert "  " not in story.text and " ." not in story.text
        assert 4 <= story.text.count("\n\n") + 1 <= 7
        assert 50 <= len(story.text.split()) <= 260
        words = json.loads(story.prompt)["words"]
        assert words["nouns"] and words["verbs"] and set(words) == set(SECTIONS)


def test_the_same_seed_gives_the_same_stories_and_any_part_can_be_made_alone():
    whole = list(Generator(["en"], stories=40, seed=3))
    assert whole == list(Generator(["en"], stories=40, seed=3))
    assert whole[25:35] == list(Generator(["en"], stories=10, seed=3, first=25))
    assert whole != list(Generator(["en"], stories=40, seed=4))


def test_one_story_in_several_languages_shares_its_group_and_its_paragraphs():
    stories = list(Generator(CODES, stories=16, seed=5))
    for number in range(16):
        told = stories[number * len(CODES) : (number + 1) * len(CODES)]
        assert [story.language for story in told] == CODES
        assert len({story.group for story in told}) == 1
        assert len({story.text.count("\n\n") for story in told}) == 1
        assert len({json.loads(story.prompt)["plot"] for story in told}) == 1


def test_plots_are_told_equally_often():
    plots = [draw_outline(0, number).plot for number in range(64)]
    assert all(plots.count(plot) == 4 for plot in load_world()["plots"])


def test_no_stories_asked_for_is_a_mistake():
    with pytest.raises(UserError, match="0 stories"):
        list(Generator(["hi"], stories=0))
