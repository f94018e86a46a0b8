"""Katha-72 as data: what the loader makes of a file, one sentence for a bad one, the corpus built of it."""

from __future__ import annotations

import json

import pytest
import yaml

import kathalab
from corpora.errors import UserError
from corpora.folders import read_manifest
from corpora.katha import LANGUAGES, PHENOMENA, THEMES, MinimalPair, Word, read_katha
from corpora.stories import read_corpus

TEXT = {
    "hi": ("एक लड़की थी।", "वह घर गई।", "वह बाज़ार गई।", "एक {लड़की|लड़का} थी।"),
    "mr": ("एक मुलगी होती.", "ती घरी गेली.", "ती बाजारात गेली.", "एक {मुलगी|मुलगा} होती."),
    "bn": ("একটি মেয়ে ছিল।", "সে বাড়ি গেল।", "সে বাজারে গেল।", "{একটি|একজন} মেয়ে ছিল।"),
    "en": ("There was a girl.", "She went home.", "She went out.", "There {was|were} a girl."),
}


def content():
    """A small file as YAML reads it."""
    languages = {
        code: {
            "title": story,
            "moral": "x",
            "characters": ["y"],
            "words": {"nouns": {"a": "b", "c": "d"}, "verbs": {"e": "f", "g": "h"}, "adjectives": {"i": "j", "k": "l"}},
            "story": f"{story}\n\n{story}\n",
            "ending": ending,
            "wrong_ending": wrong,
            "pairs": [{PHENOMENA[code][0]: pair}],
        }
        for code, (story, ending, wrong, pair) in TEXT.items()
    }
    return {"theme": "food", "split": "test", **languages}


def write(folder, fields, name="food-1.yaml"):
    (folder / name).write_text(yaml.safe_dump(fields, allow_unicode=True, width=10_000), encoding="utf-8")
    return folder


def test_a_file_in_four_languages(tmp_path):
    stories = read_katha(folder=write(tmp_path, content()))
    assert [story.language for story in stories] == list(LANGUAGES)
    english = stories[-1]
    assert (english.name, english.theme, english.split, english.group) == ("food-1", "food", "test", "katha72-food-1")
    assert english.text == "There was a girl.\n\nThere was a girl. She went home."
    assert english.pairs == (MinimalPair("number", "There was a girl.", "There were a girl."),)
    assert english.words[1:3] == (Word("nouns", "c", "d"), Word("verbs", "e", "f"))
    row = english.as_story()
    assert (row.id, row.group, row.license) == ("katha72-food-1-en", "katha72-food-1", "CC0-1.0")
    assert json.loads(row.prompt)["theme"] == "food"


def test_words_that_yaml_takes_for_values_stay_words(tmp_path):
    fields = content()
    fields["en"]["words"]["nouns"] = {"no": "yes", "on": "12"}
    (story,) = read_katha(["en"], write(tmp_path, fields))
    assert story.words[:2] == (Word("nouns", "no", "yes"), Word("nouns", "on", "12"))


def drop(*path):
    def change(fields):
        for key in path[:-1]:
            fields = fields[key]
        del fields[path[-1]]

    return change


def put(value, *path):
    def change(fields):
        for key in path[:-1]:
            fields = fields[key]
        fields[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop("mr"), "food-1.yaml' lacks mr."),
        (drop("bn", "ending"), "food-1.yaml', bn, lacks ending."),
        (put("x", "hi", "colour"), "food-1.yaml', hi, has unknown fields: colour"),
        (put("cooking", "theme"), "has the theme 'cooking'"),
        (put("animals", "theme"), "has the theme 'animals'"),
        (put("train", "split"), "has the split 'train'"),
        (put(" ", "en", "story"), "en, has no text in `story`"),
        (put("Mina", "en", "characters"), "list of names in `characters`"),
        (put({"a": "b"}, "en", "words", "nouns"), "two words in `words: nouns`"),
        (put(["x"], "en", "pairs"), "a list in `pairs`"),
        (put([{"gender": "She {was|were}."}], "en", "pairs"), "the phenomenon 'gender' in pair 1"),
        (put([{"number": "She was."}], "en", "pairs"), "one {right|wrong} in pair 1"),
        (put([{"number": "{She|He} {was|were}."}], "en", "pairs"), "one {right|wrong} in pair 1"),
        (put("story", "hi"), "hi, must have the fields"),
    ],
)
def test_a_file_that_is_not_right(tmp_path, change, said):
    fields = content()
    change(fields)
    with pytest.raises(UserError) as error:
        read_katha(folder=write(tmp_path, fields))
    assert said in str(error.value)


def test_damaged_missing_and_unknown(tmp_path):
    with pytest.raises(UserError, match="holds no stories"):
        read_katha(folder=tmp_path)
    (tmp_path / "food-1.yaml").write_text("theme: [", encoding="utf-8")
    with pytest.raises(UserError, match="not valid YAML"):
        read_katha(folder=tmp_path)
    with pytest.raises(UserError, match="'xx' is not known"):
        read_katha(["xx"])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("katha") / "corpus"
    assert kathalab.main(["corpora", "build", "--source", "Katha72", "--output", str(folder)]) == 0
    return folder


def test_it_builds_a_corpus_that_never_trains(corpus):
    splits = {split: read_corpus(corpus, split) for split in ("validation", "test")}
    assert {split: len(stories) for split, stories in splits.items()} == {"validation": 48 * 4, "test": 24 * 4}
    with pytest.raises(UserError, match="has no train stories; it holds validation and test"):
        read_corpus(corpus, "train")
    told = {story.as_story().id: story for story in read_katha()}
    for split, stories in splits.items():
        for story in stories:
            assert story.text == told[story.id].text and told[story.id].split == split
        themes = [json.loads(story.prompt)["theme"] for story in stories if story.language == "bn"]
        assert {theme: themes.count(theme) for theme in THEMES} == dict.fromkeys(THEMES, len(themes) // 8)
    manifest = read_manifest(corpus, "corpus")
    assert manifest["licenses"] == ["CC0-1.0"] and len(manifest["inputs"]) == 72 and manifest["removed"] == []


def test_datasets_opens_it_with_endings_and_pairs(corpus, tmp_path):
    from datasets import load_dataset

    for name, rows in {"default": 96, "hi": 24, "endings": 96, "minimal_pairs": 288}.items():
        loaded = load_dataset(str(corpus), name, cache_dir=str(tmp_path))
        assert set(loaded) == {"validation", "test"} and len(loaded["test"]) == rows
    card = (corpus / "README.md").read_text(encoding="utf-8")
    assert "machine-assisted writing" in card and "cc0-1.0" in card


def test_describe_shows_what_there_is(corpus, capsys):
    assert kathalab.main(["corpora", "describe", str(corpus)]) == 0
    assert "validation" in capsys.readouterr().out
    page = (corpus / "description.html").read_text()
    assert "<code>katha72-" in page and "CC0-1.0" in page
