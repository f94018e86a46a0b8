"""Prompts: drawn without replacement, the same wherever they are computed, whole sentences in every language."""

import os
import re
from pathlib import Path

import pytest

from corpora.errors import UserError
from corpora.languages import get_language
from corpora.llm.checks import Checks, check
from corpora.llm.knowledge import knowledge
from corpora.llm.prompts import PROFILES, Prompts
from corpora.llm.wordlists import KINDS, word_lists

LANGUAGES = ["hi", "mr", "bn", "en"]


def test_no_combination_comes_twice_and_levels_take_turns():
    prompts = Prompts(["hi"], seed=3)
    drawn = [prompts.prompt("hi", index) for index in range(2000)]
    assert len({(p.noun, p.verb, p.adjective, p.feature) for p in drawn}) == 2000
    assert [p.level for p in drawn[:7]] == ["1", "2", "3", "4", "5", "1", "2"]
    assert {p.noun for p in drawn} == set(word_lists(["hi"])["hi"].nouns)


def test_small_lists_are_used_up_exactly_once(tmp_path):
    folder = published(tmp_path)
    prompts = Prompts(["hi", "bn"], words=str(folder))
    drawn = [prompts.prompt("hi", index) for index in range(len(prompts))]
    assert len(prompts) == 2 * 2 * 2 * 2 == len({(p.noun, p.verb, p.adjective, p.feature) for p in drawn})
    assert {p.noun for p in drawn} == {"नदी", "ऊँट"}  # stripped, without what is there twice
    assert {p.group for p in drawn} == {f"hi-{triple}" for triple in range(8)}
    assert {p.feature for p in (prompts.prompt("bn", i) for i in range(8))} <= {"শান্ত", "মজার"}
    with pytest.raises(IndexError):
        prompts.prompt("hi", len(prompts))


def published(folder):
    """Word lists in the published layout: duplicates, trailing spaces, quotation marks, a list in English beside."""
    for language, short, lists in [
        ("hindi", "hindi", ["नदी  \nऊँट\nनदी (बड़ी)\n", "आना\nबंद करना", "छोटा\nनया\n\n", "शांत\nमज़ेदार"]),
        ("bangla", "bangla", ["নদী\nউট", "আসা\nযাওয়া", "ছোট\nনতুন", '"শান্ত"\n"মজার"']),
    ]:
        (folder / language).mkdir()
        (folder / language / "english-features.txt").write_text("calm\nfunny")
        for kind, text in zip(KINDS, lists, strict=True):
            (folder / language / f"{short}-{kind}.txt").write_text(text)
    return folder


def test_word_lists_that_are_not_there_are_named(tmp_path):
    folder = published(tmp_path)
    with pytest.raises(UserError, match="no folder mr or mar or marathi"):
        Prompts(["mr"], words=str(folder))
    (folder / "hindi" / "hindi-verbs.txt").unlink()
    with pytest.raises(UserError, match="holds 0 files that end in verbs.txt"):
        Prompts(["hi"], words=str(folder))


def test_number_n_is_the_same_idea_in_every_language():
    prompts = Prompts(LANGUAGES, seed=5)
    lists = word_lists(LANGUAGES)
    for index in range(50):
        asked = [prompts.prompt(code, index) for code in LANGUAGES]
        assert len({p.group for p in asked}) == 1
        assert len({lists[p.language].verbs.index(p.verb) for p in asked}) == 1
    alone = Prompts(["bn"], seed=5)
    assert alone.prompt("bn", 49) == prompts.prompt("bn", 49)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_level_is_asked_for_in_whole_sentences_of_the_language(profile, language):
    prompts = Prompts([language], profile=profile)
    known = get_language(language)
    for index in range(8 * len(PROFILES[profile])):
        prompt = prompts.prompt(language, index)
        lines = prompt.text.split("\n")
        assert all(line.endswith(tuple(known.sentence_final)) for line in lines)
        assert f"“{prompt.noun}”" in prompt.text and f"“{prompt.verb}”" in prompt.text
        assert "{" not in prompt.text
        letters = re.sub(r"[\W\d_]", "", prompt.text)
        assert len(known.letters.findall(letters)) == len(letters)
        numbers = "".join(re.findall(r"\d", prompt.text))
        native = language in ("mr", "bn")
        assert all((digit in known.digits) == (native or language == "en") for digit in numbers)
        # What the prompt itself says is recognised when it comes back.
        assert check(prompt.text, prompt, Checks())[0] == "instructions"


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_know_all_requests_and_as_many_structures(language):
    known, english = knowledge(language), knowledge("en")
    assert set(known.requests) == set(english.requests) and set(known.template) == set(english.template)
    assert len(known.structures) == len(english.structures)
    asked = {request for levels in PROFILES.values() for level in levels.values() for request in level["requests"]}
    assert asked <= set(known.requests)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_committed_lists_are_in_the_script_and_without_repetition(language):
    lists = word_lists([language])[language]
    known = get_language(language)
    for kind in KINDS:
        entries = getattr(lists, kind)
        assert len(set(entries)) == len(entries)
        for entry in entries:
            assert re.sub(r"[\s,'\-]", "", entry) == "".join(known.letters.findall(entry)), entry
    assert all(
        verb.split()[-1].endswith({"hi": "ना", "mr": "णे", "bn": ("া", "ো"), "en": ""}[language]) for verb in lists.verbs
    )


def test_unknown_profiles_and_levels_are_named():
    with pytest.raises(UserError, match="no level '9'; choose from 1, 2, 3, 4, 5"):
        Prompts(["hi"], levels=["9"])
    with pytest.raises(UserError, match="no profile 'x'"):
        Prompts(["hi"], profile="x")
    with pytest.raises(UserError, match="no language is given"):
        Prompts([])


@pytest.mark.real
def test_the_published_word_lists_are_a_profile():
    folder = Path(os.environ["KATHALAB_DATA"]) / "regional-tinystories" / "words"
    prompts = Prompts(["hi", "mr", "bn"], profile="regional-tinystories", words=str(folder))
    sizes = {"hi": (345, 199, 288, 20), "mr": (197, 186, 190, 20), "bn": (200, 194, 198, 20)}  # entries that differ
    assert {code: lists.sizes for code, lists in word_lists(["hi", "mr", "bn"], str(folder)).items()} == sizes
    for code in sizes:
        drawn = [prompts.prompt(code, index) for index in range(7000)]
        assert len({(p.noun, p.verb, p.adjective, p.feature) for p in drawn}) == 7000
        assert {p.level for p in drawn} == {"1", "2", "2+", "3", "4", "4+", "5"}
    with pytest.raises(UserError, match="no folder en or eng or english"):
        Prompts(["en"], words=str(folder))
