"""The translated source: structure kept, doubtful stories apart, nothing done twice and nothing lost in a kill."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from corpora.building.build import build_corpus
from corpora.errors import UserError
from corpora.sources import Source, Translation
from corpora.stories import SPLITS, Story, read_corpus
from corpora.translation.models import Translated

ENGLISH = "abcdefghijklmnopqrstuvwxyz"
HINDI = "अबकदएफगहइजखलमनओपटरसतउवथछयझ"


class Letters:
    """Translates letter by letter; the word `oops` makes it copy the sentence."""

    def __init__(self):
        self.calls = []

    def fingerprint(self):
        return "letters-1"

    def translate(self, sentences, source, target):
        self.calls.append(list(sentences))
        table = str.maketrans(ENGLISH + ENGLISH.upper(), HINDI + HINDI)
        return [Translated(one if "oops" in one else one.translate(table)) for one in sentences]


class Stories(Source):
    def __init__(self, stories):
        self.held = stories

    def __iter__(self):
        return iter(self.held)


def story(number, text="The cat sat. It was 5 o'clock.\n\n“Go!” said she.\nThe end.", **fields):
    fields = {"id": f"s{number}-en", "title": f"Cat {number}", "group": f"s{number}", **fields}
    return Story(**{"language": "en", "text": text, "source": "tests", "license": "CC-BY-4.0", **fields})


def translation(stories, work, model=None, **options):
    source = Translation("letters", ["hi"], str(work), stories=Stories(stories), **options)
    source.__dict__["translator"] = model or Letters()
    return source


def test_sentences_are_translated_and_the_structure_stays(tmp_path):
    model = Letters()
    first = story(1, attribution="“Cat”, by A", prompt='{"theme": "friendship", "words": {"nouns": ["cat"]}}')
    (made,) = translation([first, story(2, language="hi")], tmp_path, model)
    assert made.text == "तहए कअत सअत. इत थअस 5 ओ'कलओकख.\n\n“गओ!” सअइद सहए.\nतहए एनद."
    assert made.text.count("\n\n") == 1 and made.title == "कअत 1"
    assert (made.id, made.group, made.language, made.generator) == ("s1-en-hi", "s1", "hi", "letters")
    assert (made.license, made.source) == ("CC-BY-4.0", "tests")
    assert made.attribution == "“Cat”, by A; machine translation: letters"
    assert json.loads(made.prompt) == {"theme": "friendship", "translated_from": "s1-en"}
    assert model.calls == [["The cat sat.", "It was 5 o'clock.", "“Go!” said she.", "The end.", "Cat 1"]]


def test_a_doubtful_story_is_kept_apart_with_its_reasons_and_not_given_out(tmp_path):
    source = translation([story(1), story(2, "All was well.\n\nThen oops it all went wrong."), story(3)], tmp_path)
    assert [made.group for made in source] == ["s1", "s3"]
    assert source.skipped == ["'s2-en' in Hindi: 1 doubtful sentences (copied, script)."]
    (flagged,) = map(json.loads, (tmp_path / "flagged.jsonl").read_text().splitlines())
    (flag,) = flagged["flags"]
    assert flagged["id"] == "s2-en" and flag["sentence"] == "Then oops it all went wrong."
    assert flag["reasons"] == ["script", "copied"]
    assert len((tmp_path / "stories.jsonl").read_text().splitlines()) == 2


def test_what_is_done_is_not_done_again(tmp_path):
    stories = [story(1), story(2, "Well, oops it all went wrong."), *(story(n) for n in range(3, 40))]
    begun = translation(stories[:20], tmp_path)
    first = list(begun)
    model = Letters()
    source = translation(stories, tmp_path, model)
    made = list(source)
    assert made[: len(first)] == first and len(made) == 38
    assert source.skipped == ["'s2-en' in Hindi: 1 doubtful sentences (copied, script)."]
    titles = [sentence for call in model.calls for sentence in call if sentence.startswith("Cat")]
    assert titles[0] == "Cat 16" or titles[0] == "Cat 17"  # the window of 16 that was not whole begins here
    again = translation(stories, tmp_path, quiet := Letters())
    assert list(again) == made and quiet.calls == []


def test_a_torn_last_line_is_made_again(tmp_path):
    stories = [story(1), story(2)]
    made = list(translation(stories, tmp_path))
    log = tmp_path / "stories.jsonl"
    log.write_bytes(log.read_bytes()[:-25])
    assert list(translation(stories, tmp_path)) == made
    assert len(log.read_text().splitlines()) == 2


def test_a_folder_of_other_stories_or_settings_is_refused(tmp_path):
    stories = [story(n) for n in range(3)]
    list(translation(stories, tmp_path))
    with pytest.raises(UserError, match="other settings .beams."):
        list(translation(stories, tmp_path, beams=2))
    with pytest.raises(UserError, match="goes on with the story 's1-en'"):
        list(translation([stories[0], story(9)], tmp_path))
    with pytest.raises(UserError, match="goes on with the story 's2-en'"):
        list(translation(stories[:2], tmp_path))
    assert len(list(translation(stories, tmp_path, limit=2))) == 2


def test_a_licence_without_changes_is_not_translated(tmp_path):
    source = translation([story(1), story(2, license="CC-BY-ND-4.0")], tmp_path)
    assert [made.group for made in source] == ["s1"]
    assert source.skipped == ["1 stories under a licence that allows no translations (ND)."]


def test_a_corpus_keeps_its_splits_and_groups_in_translation(tmp_path):
    english = [story(n, f"The cat number {n} sat by the {word} tree.") for n, word in enumerate("abcdefgh")]
    build_corpus(Stories(english), tmp_path / "en", cleaning=None, duplicates=None)
    source = Translation("letters", ["hi", "bn"], str(tmp_path / "work"), corpus=str(tmp_path / "en"))
    model = Letters()
    source.__dict__["translator"] = model
    made = [one for one in source if one.language == "hi"]  # in Bengali the letters are of the wrong script
    assert len(made) == 8 and len(source.skipped) == 8
    assert set(source.inputs()) == {"corpus", "letters"}
    assert source.splits() == {
        one.group: split for split in SPLITS for one in read_corpus(tmp_path / "en", split, ["en"])
    }
    build_corpus(source, tmp_path / "hi", cleaning=None, duplicates=None)
    for split in SPLITS:
        ours, theirs = (read_corpus(tmp_path / folder, split) for folder in ("en", "hi"))
        assert {one.group for one in ours} == {one.group for one in theirs}
    assert "Machine translations from English" in (tmp_path / "hi" / "README.md").read_text()


def test_nonsense_is_refused(tmp_path):
    for options, sentence in (
        ({}, "say what to translate"),
        ({"corpus": "x", "stories": Stories([])}, "say what to translate"),
        ({"corpus": "x", "source_language": "hi"}, "cannot be translated"),
        ({"corpus": "x", "source_language": "xx"}, "not known"),
        ({"corpus": "x", "beams": 0}, "at least 1"),
    ):
        with pytest.raises(UserError, match=sentence):
            Translation("letters", ["hi"], str(tmp_path), **options)


KILLED = """
import os, signal, sys
sys.path[:0] = {paths!r}
from test_translation import Letters, story, translation

class Deadly(Letters):
    def translate(self, sentences, source, target):
        if len(self.calls) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().translate(sentences, source, target)

list(translation([story(n) for n in range(60)], {work!r}, Deadly()))
"""


def test_a_killed_run_goes_on_to_the_same_stories(tmp_path):
    stories = [story(n) for n in range(60)]
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    script = KILLED.format(paths=paths, work=str(tmp_path / "killed"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL
    model = Letters()
    made = list(translation(stories, tmp_path / "killed", model))
    assert len(model.calls) == 2  # two windows of four were there
    assert made == list(translation(stories, tmp_path / "whole"))
    for name in ("stories.jsonl", "flagged.jsonl"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
