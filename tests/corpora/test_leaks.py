"""Leaks: runs and similarities as a plain search finds them, what a build reports, and one corpus against another."""

import json
import random
import unittest.mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kathalab
from corpora.building.leaks import Summary, find_leaks, table
from corpora.building.runs import SHORTEST, longest_runs
from corpora.building.signatures import sign
from corpora.building.similarity import Collection
from corpora.folders import read_manifest
from corpora.stories import read_corpus


def longest_shared(a, b):
    """(words, begin in a) of the longest run that two lists of words share, by trying every pair of places."""
    best = (0, 0)
    for i in range(len(a)):
        for j in range(len(b)):
            n = 0
            while i + n < len(a) and j + n < len(b) and a[i + n] == b[j + n]:
                n += 1
            best = max(best, (n, -i))
    return best[0], -best[1]


STORY = st.lists(st.sampled_from("ab"), max_size=40).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(STORY, min_size=1, max_size=4), min_size=1, max_size=3),
    st.lists(STORY, min_size=1, max_size=3),
    st.sampled_from([0, 10]),
)
def test_longest_runs_are_those_a_plain_search_finds(tmp_path_factory, parts, held, few):
    training = [text for part in parts for text in part]
    collection = Collection([sign(part, 3) for part in [*parts, held]], 3)
    chosen = np.arange(len(collection)) < len(training)
    with unittest.mock.patch("corpora.building.runs._FEW", few):
        runs = longest_runs(collection, chosen, np.flatnonzero(~chosen), tmp_path_factory.mktemp("runs"), 1)
    for row, text in enumerate(held):
        found = [longest_shared(text.split(), other.split()) for other in training]
        longest = max(length for length, _ in found)
        if longest < SHORTEST:
            assert (runs.words[row], runs.story[row]) == (0, -1)
            continue
        assert runs.words[row] == longest
        assert runs.begin[row] == min(begin for length, begin in found if length == longest)
        run = text.split()[runs.begin[row] :][:longest]
        assert f" {' '.join(run)} " in f" {training[runs.story[row]]} "


def salad(seed, length=80):
    rng = random.Random(seed)
    return [f"शब्द{rng.randrange(3000)}" for _ in range(length)]


def test_nearest_story_similarity_and_containment(tmp_path):
    half = salad(1)
    training = [" ".join(salad(n)) for n in range(100, 160)] + [" ".join([*half[:50], *salad(2, 200)])]
    held = [" ".join(half), " ".join(salad(3)), training[7]]
    collection = Collection([sign(training, 3), sign(held, 3)], 3)
    chosen = np.arange(len(collection)) < len(training)
    for workers in (1, 2):
        leaks = find_leaks(collection, chosen, np.flatnonzero(~chosen), tmp_path, workers)
        # 48 of the 78 trigrams; the other story has 248
        assert leaks.nearest.tolist() == [60, -1, 7]
        assert leaks.similarity.tolist() == pytest.approx([48 / (78 + 248 - 48), 0, 1])
        assert leaks.containment.tolist() == pytest.approx([48 / 78, 0, 1])
        assert leaks.runs.words.tolist() == [50, 0, 80] and leaks.runs.story.tolist() == [60, -1, 7]
    assert list(tmp_path.iterdir()) == []


def test_summary_and_its_table():
    summary = Summary()
    for similarity, containment, run in ((0.1, 0.2, 0), (0.2, 0.6, 21), (0.5, 0.7, 9)):
        summary.add(
            {
                "language": "hi",
                "split": "test",
                "similarity": similarity,
                "containment": containment,
                "run_words": run,
            }
        )
    (row,) = summary.rows()
    assert row["stories"] == 3 and row["half_contained"] == 2 and row["runs_of_20_words"] == 1
    assert (row["similarity_median"], row["similarity_highest"], row["run_median"], row["run_longest"]) == (
        0.2,
        0.5,
        9,
        21,
    )
    assert table([row]).splitlines()[1].split() == ["hi", "test", "3", "0.20", "0.50", "2", "9", "21"]


@pytest.fixture
def corpus(tmp_path):
    """A hundred stories, of which those numbered 5 share a passage of 31 words."""
    passage = salad("passage", 31)
    path = tmp_path / "stories.jsonl"
    with open(path, "w", encoding="utf-8") as file:
        for n in range(100):
            words = [*salad(n), *passage, *salad(-n, 20)] if n % 5 == 0 else salad(n)
            file.write(json.dumps({"id": f"s{n}", "text": " ".join(words) + "।"}, ensure_ascii=False) + "\n")
    build = ["corpora", "build", "--source", "JSONLines", "--source.path", str(path), "--source.language", "hi"]
    assert kathalab.main([*build, "--cleaning", "null", "--output", str(tmp_path / "corpus")]) == 0
    return tmp_path / "corpus"


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_build_reports_the_leaks_of_its_splits(corpus, capsys):
    records = read(corpus / "leaks.jsonl")
    held = {s.id: s for split in ("validation", "test") for s in read_corpus(corpus, split)}
    assert {r["id"]: r["split"] for r in records}.keys() == held.keys()
    training = {s.id: s.text for s in read_corpus(corpus, "train")}
    shared = [r for r in records if r["run_words"]]
    assert shared and all(r["run_words"] == 31 and int(r["id"][1:]) % 5 == 0 for r in shared)
    for record in shared:
        assert record["run"] in held[record["id"]].text and record["run"] in training[record["run_in"]]
    rows = read_manifest(corpus)["leaks"]
    assert {row["split"] for row in rows} == {"validation", "test"}
    assert max(row["run_longest"] for row in rows) == 31
    assert sum(row["runs_of_20_words"] for row in rows) == len(shared)


def test_a_corpus_against_a_test_set(corpus, tmp_path, capsys):
    (story,) = read_corpus(corpus, "train")[:1]
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "copied.txt").write_text("अलग शुरुआत। " + " ".join(story.text.split()[10:40]).upper(), encoding="utf-8")
    (tests / "new.txt").write_text(" ".join(salad("new")), encoding="utf-8")
    output = tmp_path / "report"
    against = ["--against", "Text", "--against.path", str(tests), "--against.languages", "[hi]"]
    assert kathalab.main(["corpora", "leaks", str(corpus), *against, "--output", str(output)]) == 0
    out = capsys.readouterr().out
    copied, new = read(output / "leaks.jsonl")
    assert (copied["id"], copied["run_words"], copied["run_in"]) == ("tests/copied-hi", 30, story.id)
    assert copied["split"] == "tests" and copied["containment"] > 0.8
    assert (new["run_words"], new["run"], new["similarity"]) == (0, "", 0.0)
    assert out.splitlines()[-1].startswith("1 of 2 stories share a run of 20 words or more")
    assert read_manifest(output, "leaks")["leaks"][0]["run_longest"] == 30


def test_leaks_of_its_own_splits_and_bad_input(corpus, tmp_path, capsys):
    assert kathalab.main(["corpora", "leaks", str(corpus), "--output", str(tmp_path / "own")]) == 0
    own, built = ({r["id"]: r for r in read(folder / "leaks.jsonl")} for folder in (tmp_path / "own", corpus))
    assert own == built
    assert kathalab.main(["corpora", "leaks", str(tmp_path), "--output", str(tmp_path / "x")]) == 1
    assert "is not a finished corpus folder" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "own", "stories.jsonl"]
