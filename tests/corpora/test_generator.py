"""The embedded generator: the same stories in every language, whole, distinct and repeatable."""

import functools
import json
import re
from collections import Counter

import pytest

from corpora.errors import UserError
from corpora.grammar.capitals import capitalize
from corpora.grammar.coverage import WORD, Coverage, causes_hold
from corpora.grammar.generator import Generator, draw_outline
from corpora.grammar.lexicon import FOLDER, load_lexicon
from corpora.grammar.slots import SLOT
from corpora.grammar.world import load_world
from corpora.languages import LANGUAGES

CODES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
SECTIONS = {"nouns": 600, "verbs": 100, "adjectives": 120}
THEMES = {"friendship", "courage", "honesty", "sharing", "kindness", "learning", "perseverance", "care"}


@pytest.fixture(scope="module", params=CODES)
def told(request):
    return list(Generator([request.param], stories=570, seed=11))


def test_every_language_of_the_registry_has_a_lexicon():
    assert set(LANGUAGES) == set(CODES)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("section", SECTIONS)
def test_lexicon_is_large_enough(code, section):
    assert len({lexeme.word for lexeme in load_lexicon(code).lexemes[section].values()}) >= SECTIONS[section]


@pytest.mark.parametrize("code", CODES)
def test_nothing_is_missing_whatever_the_roles_stand_for(code):
    assert coverage(code).problems() == []


@functools.cache
def coverage(code: str) -> Coverage:
    """Of a language; what its slots say is worked out once for all tests."""
    return Coverage(load_lexicon(code))


def test_a_missing_word_form_or_role_is_named():
    lexicon = load_lexicon("en")
    del (broken := {**lexicon.lexemes["nouns"]})["mango"]
    sentences = {**lexicon.sentences, "bg.sky": [("", "{weather.loud} {umbrella_stand} {bird}")]}
    del sentences["moral.care"]
    changed = type(lexicon)(
        **{**vars(lexicon), "lexemes": {**lexicon.lexemes, "nouns": broken}, "sentences": sentences}
    )
    problems = "\n".join(Coverage(changed).problems())
    assert "no word for 'mango' (food, fruit)" in problems
    assert "moral.care: no sentences" in problems
    assert "bg.sky: {weather.loud}: 'cool_breeze' has no form 'loud'" in problems
    assert "bg.sky: {umbrella_stand}: the lexicon 'en' has no word for 'umbrella_stand'" in problems
    assert "bg.sky: {bird}: there is no role 'bird'" in problems


def test_there_are_forty_plots_eight_themes_and_six_styles():
    world = load_world()
    assert len(world.plots) >= 40
    assert {plot.theme for plot in world.plots.values()} == THEMES
    assert len(world.styles) >= 6


def test_every_episode_finds_what_it_needs_and_every_trouble_ends():
    world = load_world()
    for plot in world.plots.values():
        for sort in plot.sorts:
            courses = list(world.courses(plot, sort))
            assert courses
            for course in courses:
                assert causes_hold(world, course) == "", (plot.name, [episode.name for episode in course])


def test_an_episode_out_of_place_is_noticed():
    world = load_world()
    episodes = [world.episodes[name] for name in ("own", "lose", "find")]
    assert causes_hold(world, episodes) == ""
    assert causes_hold(world, episodes[1:]) == "lose needs owning"
    assert causes_hold(world, episodes[:2]) == "left at the end: loss"


def test_no_role_has_the_name_of_a_word():
    """In a sentence {tree} must be one of them; only the teacher is both, and the same."""
    words = {concept for section in load_lexicon("en").lexemes.values() for concept in section}
    assert load_world().role_names & words == {"teacher"}


def test_hundreds_of_stories_are_told_whole_and_distinct(told):
    assert len({story.text for story in told}) == len(told)
    for story in told:
        assert not SLOT.search(story.text + story.title) and "{" not in story.text and "%" not in story.text
        assert "  " not in story.text and " ." not in story.text
        assert 3 <= story.text.count("\n\n") + 1 <= 14
        assert 50 <= len(story.text.split()) <= 400
        words = json.loads(story.prompt)["words"]
        assert words["nouns"] and words["verbs"] and set(words) == {"nouns", "verbs", "adjectives"}


def test_every_word_told_is_among_the_word_forms(told):
    forms = {form.lower() for form in coverage(told[0].language).word_forms()}
    for story in told[:150]:
        assert not {word.lower() for word in WORD.findall(story.title + "\n" + story.text)} - forms


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


def test_plots_are_told_equally_often_and_every_style_is():
    plots = load_world().plots
    outlines = [draw_outline(0, number) for number in range(4 * len(plots))]
    assert set(Counter(outline.plot for outline in outlines).values()) == {4}
    assert {outline.style.name for outline in outlines} == set(load_world().styles)


@pytest.mark.parametrize(("style", "same"), [("refrain", True), ("questions", False)])
def test_a_refrain_is_always_the_same_and_questions_change(style, same):
    for number in range(300):
        outline = draw_outline(7, number)
        where = [i for i, beats in enumerate(outline.paragraphs) if beats[-1] is outline.style.between]
        if outline.style.name == style and len(where) >= 3:
            (story,) = Generator(["en"], stories=1, seed=7, first=number)
            paragraphs = story.text.split("\n\n")
            ends = {re.split(r"(?<=[.!?”]) (?=[A-Z“])", paragraphs[i])[-1] for i in where}
            assert len(ends) == 1 if same else len(ends) == len(where), story.text


def test_capitals_begin_sentences_and_speech_but_not_speech_that_goes_on():
    assert capitalize("he said, “come in.” then he sat.") == "He said, “Come in.” Then he sat."
    assert capitalize("“no,” said ravi, “not now.”") == "“No,” said ravi, “not now.”"
    assert capitalize("“why?” asked ravi. “well,” he said.") == "“Why?” asked ravi. “Well,” he said."


def test_no_stories_asked_for_is_a_mistake():
    with pytest.raises(UserError, match="0 stories"):
        list(Generator(["hi"], stories=0))
