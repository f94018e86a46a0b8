"""Stories, shards, languages and statistics."""

import pyarrow.parquet as pq
import pytest

from corpora.describing.statistics import collect, frequent, scripts, table
from corpora.errors import UserError
from corpora.folders import new_folder, write_manifest
from corpora.languages import LANGUAGES, get_language
from corpora.stories import SCHEMA, Story, read_corpus, write_split

STORIES = [Story(str(n), "bn", f"গল্প {n}।", "test", title="র‍্যাব", license="CC0-1.0") for n in range(5)]


@pytest.fixture
def corpus(tmp_path):
    with new_folder(tmp_path / "corpus") as folder:
        paths = write_split(folder, "train", STORIES, stories_per_shard=2)
        assert [path.name for path in paths] == [f"train-bn-0000{n}-of-00003.parquet" for n in range(3)]
        write_split(folder, "train", [Story("hi-0", "hi", "कहानी", "test")])
        assert write_split(folder, "test", []) == []
        write_manifest(folder, "corpus", {})
    return tmp_path / "corpus"


def test_stories_come_back_as_they_were_written(corpus):
    assert read_corpus(corpus, "train", ["bn"]) == STORIES
    assert [story.id for story in read_corpus(corpus, "train")] == ["0", "1", "2", "3", "4", "hi-0"]
    assert pq.read_schema(corpus / "train-hi-00000-of-00001.parquet").equals(SCHEMA)


@pytest.mark.parametrize(
    ("split", "languages", "message"),
    [
        ("dev", None, "there is no split 'dev'"),
        ("train", ["xx"], "'xx' is not known"),
        ("train", ["mr"], "has no train stories in mr"),
        ("test", None, "has no test stories"),
    ],
)
def test_what_is_not_there_is_named(corpus, split, languages, message):
    with pytest.raises(UserError, match=message):
        read_corpus(corpus, split, languages)


def test_one_call_writes_one_language(tmp_path):
    with pytest.raises(ValueError):
        write_split(tmp_path, "train", [*STORIES, Story("x", "hi", "x", "test")])


def test_languages_have_the_codes_of_flores_and_letters_of_their_script():
    assert [language.flores for language in LANGUAGES.values()] == ["hin_Deva", "mar_Deva", "ben_Beng", "eng_Latn"]
    for code, text, letters in [("hi", "क़ि, a १।", 3), ("bn", "ড়ৎং ক १", 5), ("en", "Aé क 1!", 2)]:
        assert len(get_language(code).letters.findall(text)) == letters
    for language in LANGUAGES.values():
        assert [int(digit) for digit in language.digits] == list(range(10))


def test_statistics_by_hand():
    stories = [
        Story("1", "hi", "क्षत्रिय राजा।\n\nराजा हँसा।", "s", group="g", license="MIT"),
        Story("2", "hi", "र्‍या", "s", group="g"),
    ]
    counts = collect({"train": stories}).summary()["hi"]["train"]
    # aksharas: क्ष त्रि य _ रा जा । \n \n रा जा _ हँ सा ।  and र्‍या
    expected = {"stories": 2, "groups": 1, "words": 5, "distinct_words": 5, "aksharas": 16, "paragraphs": 3}
    assert {key: counts[key] for key in expected} == expected
    assert counts["characters"] == len(stories[0].text) + 5 and counts["characters_shortest"] == 5
    assert counts["licenses"] == {"MIT": 1, "unknown": 1} and counts["sources"] == {"s": 2}


def test_table_lists_languages_in_the_registrys_order():
    statistics = collect({"train": [*STORIES, Story("h", "hi", "एक दो", "s")], "test": []}).summary()
    lines = table(statistics).splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        [code, split, str(number if split == "train" else 0)]
        for code, number in (("hi", 1), ("bn", 5))
        for split in ("train", "validation", "test")
    ]
    assert table(statistics, markdown=True).splitlines()[2] == "| hi | train | 1 | 5 | 2 | 4 |"


def test_frequent_words_are_whole_and_bare():
    words = {"“कि": 3, "कि": 2, "धीरे-धीरे": 4, "र्‍या,": 2, "Don't": 1, "don't": 1, "है।उसने": 1, "—": 9, "१२": 1}
    assert frequent(words, 10) == [
        *[("कि", 5), ("धीरे-धीरे", 4), ("don't", 2), ("र्‍या", 2), ("उसने", 1), ("है", 1), ("१२", 1)]
    ]
    assert frequent(words, 1, without=["कि"]) == [("धीरे-धीरे", 4)]


def test_letters_and_marks_are_counted_by_script():
    assert scripts({"कि": 2, "aé1": 1, "ক্": 1, "।": 5}) == {"Devanagari": 4, "Latin": 2, "Bengali": 2}
