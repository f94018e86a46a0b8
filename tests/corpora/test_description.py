"""`kathalab corpora describe`: the numbers of the page by hand, one corpus and several, and whole words only."""

import itertools
import json
import re
import tracemalloc
from pathlib import Path

import pytest

import kathalab
from corpora.describing.charts import distributions
from corpora.describing.description import describe, rarefied, stop_words
from corpora.folders import new_folder, write_manifest
from corpora.stories import Story, stream_corpus, write_split


def corpus(path, stories, **facts):
    """A corpus folder of stories by split."""
    with new_folder(path) as folder:
        for split, found in stories.items():
            for code in dict.fromkeys(story.language for story in found):
                write_split(folder, split, [story for story in found if story.language == code])
        write_manifest(folder, "corpus", {"source": {"class": "Text", "path": "tales"}}, **facts)
    return str(path)


@pytest.fixture
def two(tmp_path):
    hindi = [
        Story(f"a-{n}", "hi", f"राजा ने कहा, “फल {'मीठा ' * n}है।”\n\nराजा <b>हँसा</b>।", "books", "शीर्षक", f"g{n // 2}",
              "CC-BY-4.0", f"रमा {n}")
        for n in range(6)
    ]  # fmt: skip
    bengali = [Story("b-0", "bn", "একটি ফুল ফুটল। ok", "books", "", "g9", "CC-BY-4.0", "আশা")]
    one = corpus(
        tmp_path / "one" / "corpus",
        {"train": [*hindi[:4], *bengali], "test": hindi[4:]},
        cleaning={"hi": {"joiner": 3, "white space": 31, "flag: two vowel signs": 1}, "bn": {}},
        rejected={"hi": {"too short": 2}},
        duplicates={"hi": {"exact": 1, "near": 2, "related": 3}},
        leaks=[
            {
                **{"language": "hi", "split": "test", "stories": 2, "similarity_median": 0.25, "run_median": 0},
                **{"similarity_highest": 0.5, "half_contained": 1, "run_longest": 21, "runs_of_20_words": 1},
            }
        ],
        stories_read=9,
        skipped=["x"],
    )
    generated = [Story(f"g-{n}", "hi", "फूल खिला। " * 3, "gen", generator="g") for n in range(3)]
    return one, corpus(tmp_path / "two" / "corpus", {"train": generated})


def test_the_page_and_its_numbers(two, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert kathalab.main(["corpora", "describe", *two, "--output", str(page)]) == 0
    out = capsys.readouterr().out
    assert (
        out.splitlines()[-1] == f"The description of one, two is in {page} (the numbers in {tmp_path / 'page.json'})."
    )
    found = json.loads((tmp_path / "page.json").read_text())
    hindi = found["corpora"]["one"]["languages"]["hi"]
    assert hindi["counts"]["stories"] == 6 and hindi["counts"]["groups"] == 3
    assert hindi["lengths"] == {str(length): 1 for length in range(7, 13)}
    assert hindi["words_quantiles"] == [7, 8, 10, 11, 12]
    assert hindi["frequent"][:2] == [["मीठा", 15], ["b", 12]]
    assert "ने" in dict(hindi["frequent"]) and "ने" not in dict(hindi["telling"])
    bengali = found["corpora"]["one"]["languages"]["bn"]
    assert bengali["own_script"] == pytest.approx(11 / 13)
    assert bengali["counts"]["scripts"] == {"Bengali": 11, "Latin": 2}
    assert found["samples"] == {"hi": 18, "bn": 4} and list(found["languages"]) == ["hi", "bn"]
    html = page.read_text()
    for text in ("शीर्षक", "too short", "white space", "CC-BY-4.0", "7 different ones, in ATTRIBUTION.csv", "0.50"):
        assert text in html
    assert "flag:" not in html and html.index("white space") < html.index("joiner") < html.index("two vowel signs")
    assert "may not be published: the licence of some stories is not known" in html
    assert html.count("may be published with its attributions") == 1
    assert "&lt;b&gt;हँसा&lt;/b&gt;" in html and "<b>" not in html
    assert not re.search(r'(src|href)="(?!#|https://(creativecommons|spdx)\.org)', html)
    assert html.count("<svg") == 2 and html.count('class="curve c1"') == 1


def test_a_single_corpus_is_described_in_its_folder_and_always_the_same(two, capsys):
    pages = []
    for _ in range(2):
        assert kathalab.main(["corpora", "describe", two[1], "--examples", "1"]) == 0
        pages.append(Path(two[1], "description.html").read_text())
    assert pages[0] == pages[1] and "Corpus two" in pages[0] and "Leaks" not in pages[0]
    assert pages[0].count('<article class="story">') == 1


def test_examples_do_not_depend_on_the_order_of_the_stories(tmp_path):
    stories = [Story(str(n), "hi", f"कहानी {n}।", "s") for n in range(30)]
    chosen = [
        describe([corpus(tmp_path / name, {"train": order})], examples=3)["corpora"][name]["languages"]["hi"]
        for name, order in (("a", stories), ("b", stories[::-1]))
    ]
    assert chosen[0] == chosen[1] and len(chosen[0]["examples"]) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{0}", "{0}"], "a corpus is given twice"),
        (["nowhere"], "is not a finished corpus folder"),
        (["{0}", "--output", "page.pdf"], "give it a name that ends in .html"),
    ],
)
def test_what_cannot_be_described_is_one_sentence(two, capsys, arguments, message):
    assert kathalab.main(["corpora", "describe", *(argument.format(*two) for argument in arguments)]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_rarefaction_is_the_mean_over_all_samples():
    words = {"क": 3, "ख": 2, "ग": 1}
    text = [word for word, times in words.items() for _ in range(times)]
    for sample in range(1, 6):
        drawn = [len(set(chosen)) for chosen in itertools.combinations(text, sample)]
        assert rarefied(words, sample) == pytest.approx(sum(drawn) / len(drawn))
    assert rarefied(words, 6) == rarefied(words, 99) == 3


def test_stop_words_are_whole_words_of_the_language():
    from corpora.languages import LANGUAGES

    for code, language in LANGUAGES.items():
        words = stop_words(code)
        assert len(words) > 60
        assert all(language.letters.match(word) for word in words)
    assert stop_words("xx") == frozenset()


def test_a_chart_of_nothing_is_empty_and_of_one_length_is_not():
    assert distributions([{}, {0: 3}], "words") == ""
    assert distributions([{7: 2}], "words").count("<polyline") == 1


def test_a_corpus_is_read_row_group_by_row_group(tmp_path):
    text = "एक था राजा। " * 250
    folder = corpus(tmp_path / "large", {"train": [Story(str(n), "hi", text, "s") for n in range(4000)]})
    tracemalloc.start()
    assert sum(len(story.text) for story in stream_corpus(folder, "train")) == 4000 * len(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 15e6  # all texts take 24 MB, a batch of them 6
