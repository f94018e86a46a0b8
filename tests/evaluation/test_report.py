"""`kathalab evaluation report`: one page that needs nothing else, safe against its own stories, whole or in parts."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

import kathalab
from corpora.folders import read_json, write_json
from evaluation.figures import Bar, Line, interval_plot, line_chart
from evaluation.report import bounds, written


def interval(value: float, width: float = 0.1) -> dict[str, float]:
    return {"value": value, "low": value - width, "high": value + width}


SCORES = {
    "model": "models/hi",
    "split": "test",
    "languages": ["hi"],
    "documents": 9,
    "parameters": {"total": 1066112, "non_embedding": 803968},
    "bits_per_character": interval(1.234),
    "bits_per_akshara": interval(2.468),
    "bits_per_byte": interval(0.482),
    "loss_per_token": interval(2.0),
    "floors": {
        "compressor": {"bits_per_character": {"value": 2.777, "low": None, "high": None}},
        "character_ngram": {"bits_per_character": interval(2.345), "order": 6, "above_model": interval(1.111)},
    },
    "generation": {
        "stories": 2,
        "settings": {},
        "statistics": {"finished": interval(0.75, 0.05), "impossible_sequences": interval(0.00123, 0.001)},
        "reference": {"words": interval(160)},
    },
    "fingerprints": {},
}
MEASURES = {"fertility": interval(1.31), "characters_per_token": {"value": None, "low": None, "high": None}}
TOKENIZER = {"kind": "sentencepiece-bpe", "vocabulary_size": 4096, "published": False, "measures": MEASURES}
COMPARISON = {
    "setup": {"reference": "beta"},
    "ranking": {
        "text": "test",
        "order": ["alpha", "beta"],
        "best": "alpha",
        "tied": [],
        "sentence": "Use alpha & no other.",
    },
    "tokenizers": [
        {
            "name": "alpha",
            **TOKENIZER,
            "probe": {
                "texts": {"test": {"bits_per_character": interval(1.525)}},
                "difference": {"test": {**interval(-0.25), "p": 0.01, "p_holm": 0.021}},
            },
        },
        {
            "name": "beta",
            **TOKENIZER,
            "probe": {"texts": {"test": {"bits_per_character": interval(1.775)}}, "difference": None},
        },
        {"name": "gamma", **TOKENIZER, "published": True, "probe": {"skipped": "the embedding alone is too large."}},
    ],
}
STORIES = [
    {"prompt": "एक दिन <b>", "text": "एक दिन <b> राजा & </p><script>alert(1)</script>", "finished": True, "tokens": 12},
    {"prompt": "", "text": "फिर वह", "finished": False, "tokens": 300},
]


@pytest.fixture
def study(tmp_path, corpus) -> Path:
    folder = tmp_path / "tiny-study"
    shutil.copytree(corpus, folder / "corpus")
    write_json(folder / "scores/hi/scores.json", SCORES)
    lines = "".join(json.dumps(story, ensure_ascii=False) + "\n" for story in STORIES)
    (folder / "scores/hi/generations.jsonl").write_text(lines, encoding="utf-8")
    (folder / "runs/hi").mkdir(parents=True)
    (folder / "runs/hi/metrics.csv").write_text(
        "step,tokens,epoch,learning_rate,train_loss,validation_loss,validation_bits_per_character\n"
        "1,2048,0,0.1,7.5,,\n2,4096,0,0.1,,6.5,3.5\n4,8192,1,0.1,1.25,1.2,1.3\n"
    )
    write_json(folder / "comparisons/hi/comparison.json", COMPARISON)
    (folder / "comparisons/hi/comparison.html").write_text("whole comparison")
    task = {"task": "themes", "items": 99, "classes": 6, "accuracy": interval(0.4), "at_chance": True}
    baselines = {"majority": {"class": "help", "accuracy": interval(0.331)}}
    write_json(folder / "classification/hi/scores.json", {"tasks": [{**task, "baselines": baselines}]})
    (folder / "runs/hi.before-1").mkdir()
    (folder / "runs/hi.before-1/metrics.csv").write_text("set aside")
    return folder


def report(folder: Path, *options: str) -> int:
    return kathalab.main(["evaluation", "report", str(folder), *options])


class Page(HTMLParser):
    """Checks nesting and collects what the page would fetch."""

    void = {"meta", "link", "img", "br", "hr", "input", "circle", "line", "polyline"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.languages: set[str] = set()
        self.tags: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag not in self.void:
            self.open.append(tag)
        self.links += [value or "" for name, value in attributes if name in ("src", "href", "action", "data")]
        self.languages |= {value or "" for name, value in attributes if name == "lang"}

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"


def test_the_page_is_whole_and_fetches_nothing(study, capsys):
    assert report(study) == 0
    said = capsys.readouterr().out.strip().splitlines()[-1]
    assert said == f"Report on Hindi: {study / 'report.html'}"
    text = (study / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not page.open
    assert all(link.startswith("#") or link == "comparisons/hi/comparison.html" for link in page.links)
    assert not re.search(r"https?:|@import|url\(", text)
    assert "script" not in page.tags and "svg" in page.tags
    assert {"en", "hi"} <= page.languages
    assert len(text.encode()) < 3_000_000


def test_the_tokenizers_part_tells_the_verdict_and_leads_to_the_whole_comparison(study, tmp_path):
    (tmp_path / "else where").mkdir()
    report(study, "--output", str(tmp_path / "else where" / "page.html"))
    text = (tmp_path / "else where" / "page.html").read_text(encoding="utf-8")
    section = text[text.index('<section id="tokenizers">') : text.index('<section id="training">')]
    for expected in (
        "Use alpha &amp; no other.",
        "−0.250",
        "−0.350 to −0.150",
        "p = 0.021",
        "the embedding alone is too large.",
        "sentencepiece-bpe, published",
        'href="../tiny-study/comparisons/hi/comparison.html"',
    ):
        assert expected in section, expected
    assert section.count("<td>reference</td>") == 1
    (study / "comparisons/hi/comparison.html").unlink()
    report(study)
    assert "comparison.html" not in (study / "report.html").read_text(encoding="utf-8")


def test_tokenizers_that_were_not_probed_are_shown_without_a_verdict(study):
    skipped = [{**row, "probe": {"skipped": "not asked for."}} for row in COMPARISON["tokenizers"]]
    write_json(study / "comparisons/hi/comparison.json", {**COMPARISON, "ranking": None, "tokenizers": skipped})
    assert report(study) == 0
    text = (study / "report.html").read_text(encoding="utf-8")
    assert "No tokenizer was probed, so none can be recommended." in text and text.count("not asked for.") == 3


def test_numbers_of_every_part_stand_in_it(study):
    report(study)
    text = (study / "report.html").read_text(encoding="utf-8")
    expected = ["1\u202f066\u202f112", "803\u202f968", "1.234", "1.134–1.334", "2.777", "2.345", "75.0\u202f%"]
    expected += [
        "alpha",
        "1.525",
        "1.31",
        "4\u202f096",
        "1.111",
        "order 6",
        "40.0\u202f%",
        "33.1\u202f%",
        "not above chance",
        "CC0-1.0",
        "8\u202f192 tokens",
    ]
    assert [number for number in expected if number not in text] == []
    data = read_json(study / "report.json")
    assert data["scores"]["hi"]["bits_per_character"]["value"] == 1.234
    assert data["corpus"]["languages"]["hi"]["splits"]["test"]["stories"] == 9
    assert data["runs"]["hi"]["validation_bits_per_character"] == [[2, 3.5], [4, 1.3]]
    assert data["missing"] == {}


def test_stories_cannot_write_html(study):
    report(study, "--title", "<i>Title</i>")
    text = (study / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in text and "<i>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<mark>एक दिन &lt;b&gt;</mark>" in text and "cut off at the limit" in text


def test_the_same_study_gives_the_same_bytes(study, tmp_path):
    report(study, "--output", str(tmp_path / "a.html"))
    report(study, "--output", str(tmp_path / "b.html"))
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert (tmp_path / "a.json").is_file()


def test_katha72_stands_beside_the_test_split(study):
    choice = {"items": 72, "accuracy": interval(0.8125, 0.09), "unigram": interval(0.4861)}
    blind = {**choice, "accuracy": interval(0.5417)}
    found = {
        "stories": 72,
        "bits_per_character": interval(3.217),
        "character_ngram": interval(4.329),
        "cloze": {**blind, "without_story": interval(0.5139)},
        "minimal_pairs": {**choice, "phenomena": {"gender": choice, "case": blind}},
    }
    scores = {**SCORES, "katha72": {"split": "all", "languages": {"hi": found, "en": found}}}
    write_json(study / "scores/hi/scores.json", scores)
    assert report(study) == 0
    page = (study / "report.html").read_text(encoding="utf-8")
    section = page[page.index('id="katha72"') : page.index('id="statistics"')]
    for number in ("1.234", "3.217", "4.329", "54.2", "51.4", "48.6", "81.2", "gender", "case"):
        assert number in section, number
    # At chance where 50 % lies in the interval: the cloze task and the case pairs.
    assert section.count("not above chance") == 2
    del found["minimal_pairs"]
    write_json(study / "scores/hi/scores.json", scores)
    assert report(study) != 0


@pytest.mark.parametrize("part", ["corpus", "scores", "runs", "comparisons", "classification"])
def test_a_missing_part_is_left_out_with_a_note(study, part):
    shutil.rmtree(study / part)
    assert report(study) == 0
    page = Page((study / "report.html").read_text(encoding="utf-8"))
    assert not page.open
    notes = {"scores": "scores", "runs": "learning curve", "comparisons": "tokenizer comparison", "corpus": "corpus"}
    missing = read_json(study / "report.json")["missing"]
    assert missing == ({"hi": [notes[part]]} if part in notes else {})


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("scores/hi/scores.json", "{", "not valid JSON"),
        ("scores/hi/scores.json", "[]", "lacks or misshapes"),
        ("scores/hi/scores.json", '{"bits_per_character": 1}', "lacks or misshapes"),
        ("scores/hi/generations.jsonl", '{"prompt": "", \n', "line 1"),
        ("comparisons/hi/comparison.json", '{"tokenizers": [{}]}', "lacks or misshapes"),
        ("comparisons/hi/comparison.json", '{"tokenizers": 5}', "lacks or misshapes"),
        ("classification/hi/scores.json", "7", "lacks or misshapes"),
        ("classification/hi/scores.json", '{"tasks": [{"task": "themes"}]}', "lacks or misshapes"),
        ("runs/hi/metrics.csv", "step,validation_loss\n1,abc\n", "training metrics"),
        ("corpus/manifest.json", "no", "not valid JSON"),
    ],
)
def test_damaged_parts_are_named(study, capsys, file, content, words):
    (study / file).write_text(content, encoding="utf-8")
    assert report(study) == 1
    error = capsys.readouterr().err
    assert words in error and Path(file).name in error.replace("corpus'", "manifest.json")
    assert not (study / "report.html").exists()


def test_nothing_to_report(tmp_path, capsys):
    assert report(tmp_path / "absent") == 1
    assert "no study folder" in capsys.readouterr().err
    assert report(tmp_path) == 1
    assert "nothing to report" in capsys.readouterr().err


def test_the_page_must_be_named_as_one(study, tmp_path, capsys):
    assert report(study, "--output", str(tmp_path / "report.json")) == 1
    assert ".html" in capsys.readouterr().err


def test_how_numbers_are_written():
    assert written({"value": 0.1234}, "percent") == "12.3\u202f%"
    assert bounds({"value": 0, "low": 0.1, "high": 0.2}, "percent") == "10.0–20.0\u202f%"
    assert bounds({"value": 0, "low": -0.5, "high": 0.25}, "two") == "−0.50 to 0.25"
    assert written(None) == "–" and bounds({"value": 1.0, "low": None, "high": None}) == ""
    assert written({"value": 0.0012}, "thousandth") == "1.20"
    assert written(1234.56, "one") == "1\u202f234.6"


def test_figures_place_values_where_they_belong():
    svg = line_chart([Line("model", "m", [(0, 4.0), (50, 2.0), (100, 1.0)])], {"floor": ("f", 3.0)}, "step", "bits")
    curve = re.search(r'points="([^"]+)"', svg)
    assert curve
    (_, first), (_, middle), (_, last) = (map(float, point.split(",")) for point in curve[1].split())
    level = float(re.search(r'class="level f"[^>]* y1="([\d.]+)"', svg)[1])
    assert first < level < middle < last  # SVG counts downwards: 4 and 3 above 2 above 1
    assert "floor 3.00" in svg and "model 1.00" in svg
    bars = interval_plot([Bar("a<b", "m", 1.0, 0.9, 1.1), Bar("c", "f", 2.0, None, None)], "bits")
    assert "a&lt;b" in bars and bars.count('class="interval') == 1


def test_a_flat_or_single_point_curve_is_drawn():
    assert "polyline" in line_chart([Line("model", "m", [(5, 2.0)])], {}, "step", "bits")
    assert "polyline" in line_chart([Line("model", "m", [(0, 0.0), (1, 0.0)])], {}, "step", "bits")
