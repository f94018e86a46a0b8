"""The comparison's page and its Markdown: whole, safe against names and texts, every number and definition there."""

import copy
import json
import re
from html.parser import HTMLParser

import pytest

from corpora.folders import read_json
from tokenization.comparing.markdown import render
from tokenization.comparing.page import embedded, write_comparison_page
from tokenization.comparing.tables import intrinsic


class Page(HTMLParser):
    """Checks nesting; collects ids, links, scripts and the words of every table row."""

    void = {"meta", "link", "img", "br", "hr", "input"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.scripts: list[str] = []
        self.pieces: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag not in self.void:
            self.open.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given[name] or "" for name in ("src", "href", "action", "data") if name in given]
        if tag == "script":
            self.scripts.append("")
        if given.get("class") == "piece":
            self.pieces.append("")

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif "dd" in self.open and self.pieces and self.open[-1] != "sup":
            self.pieces[-1] += data


@pytest.fixture
def text(comparisons, tmp_path):
    write_comparison_page(comparisons, tmp_path / "page.html")
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_page_is_whole_and_fetches_nothing(text):
    page = Page(text)
    assert page.links and all(link.startswith("#") for link in page.links)
    assert len(set(page.ids)) == len(page.ids)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert not re.search(r"https?:|@import|url\(", text)


def test_texts_and_names_cannot_break_out(text, comparisons):
    page = Page(text)
    assert text.count("</script>") == len(page.scripts) == 3
    assert "<b>भागी" not in text and "by|tes<b>" not in text
    for script, comparison in zip(page.scripts[:2], comparisons, strict=True):
        data = json.loads(script)
        assert data["sentences"] == comparison["explorer"]["sentences"]
        for tokenizer in data["tokenizers"]:
            for sentence, found in zip(data["sentences"], tokenizer["sentences"], strict=True):
                runs = [run if isinstance(run, str) else run[0] for group in found["groups"] for run in group]
                assert "".join(runs) == sentence
    assert embedded("</script><!--&\u2028") == '"\\u003c/script\\u003e\\u003c!--\\u0026\\u2028"'


def test_readers_without_script_see_the_first_sentences(text, comparisons):
    sentence = comparisons[0]["explorer"]["sentences"][0]
    drawn = "".join(Page(text).pieces)
    assert sentence in drawn
    assert '<span class="broken" title="one akshara, 3 pieces">क्ष</span><sup>3</sup>' in text
    assert '<span class="torn" title="one akshara, 18 pieces">स्त्री</span><sup>18</sup>' in text
    assert '<span class="piece"> क्षमा</span>' in text


def test_every_number_stands_with_its_interval(text):
    for expected in (
        "1.423",
        "1.413–1.433",
        "<small>−0.098 to −0.082</small><small>p &lt; 0.001</small>",
        "80.0\u202f%",
        "4.2 · 10¹²",
        "1.723",
        "Not probed: too large for 1 M.",
        "48.2\u202f%",
        "1\u202f234\u202f567",
        "−0.700",
        "optimum 5\u202f000",
        "Repeated 4-grams",
        "ids never used &amp; &lt;never&gt;",
        "Ács 2019",
    ):
        assert expected in text, expected
    assert text.count("Use words-8k: 0.090") == 4  # on top and in the language's part
    assert "Boundary F1</a>" not in text  # measured for no tokenizer


def test_the_best_of_a_column_is_marked_only_where_one_end_is_better(text):
    assert '<td class="best" data-order="1.3">1.300' in text
    assert '<td data-order="5.2">5.200' in text
    assert '<td data-order="1.0">100.0\u202f%' in text  # all equal
    assert '<td data-order="1170">1\u202f170' in text  # no better end


def test_the_json_beside_one_comparison_is_the_comparison(comparison, comparisons, tmp_path):
    write_comparison_page([comparison], tmp_path / "comparison.html")
    assert read_json(tmp_path / "comparison.json") == comparison
    write_comparison_page(comparisons, tmp_path / "all.html")
    assert read_json(tmp_path / "all.json")["comparisons"] == comparisons


def test_a_bare_comparison_still_makes_a_page(comparison, tmp_path):
    bare = copy.deepcopy(comparison)
    for entry in bare["tokenizers"]:
        entry["probe"] = {"skipped": "not asked for."}
        entry["scripts"] = {}
    bare |= {"ranking": None, "curve": None, "prediction": [], "explorer": {"sentences": [], "cuts": {}}}
    write_comparison_page([bare], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    Page(page)
    assert "No tokenizer was probed, so none can be recommended." in page
    assert "No tokenizer was probed, so none can be recommended." in render(bare)


def test_a_tokenizer_that_loses_text_is_neither_ranked_nor_best(comparison, tmp_path):
    comparison["ranking"] |= {"order": ["characters"], "best": "characters", "sentence": "Use characters."}
    write_comparison_page([comparison], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    sentence = "Not ranked, for what they do not give back costs them nothing: words-8k."
    assert sentence in page and sentence in render(comparison).splitlines()
    assert '<td data-order="1.423">1.423' in page


def test_the_ranking_says_how_far_each_lies_above_the_best(comparison, tmp_path):
    difference = {"value": 0.09, "low": 0.08, "high": 0.1, "p": 0.01, "p_holm": 0.02}
    comparison["ranking"]["against_best"] = {"characters": difference}
    assert "| +0.090 [+0.080 to +0.100; p = 0.020] |" in render(comparison)


def test_markdown_has_the_verdict_few_columns_and_definitions(comparison):
    text = render(comparison)
    lines = text.splitlines()
    assert lines[2] == "Use words-8k: 0.090 bits per character below characters (p < 0.001)."
    tables = [line for line in lines if line.startswith("|")]
    assert max(len(re.findall(r"(?<!\\)\|", line)) for line in tables) <= 8
    assert "| characters | 1.513 [1.503–1.523] | reference |" in text
    assert "| words-8k (published) | **1.423** [1.413–1.433] | −0.090 [−0.098 to −0.082; p < 0.001] |" in text
    assert "by\\|tes\\<b> was not probed: too large for 1 M." in lines
    assert "- **Fertility** (lower is better): tokens / whitespace-separated words. [Ács 2019]" in lines
    assert "| Characters per token | −0.700 [−0.950 to −0.300] | 9 |" in lines


def test_a_group_of_many_measures_is_parted_by_what_changes(comparison):
    for variant in range(9):
        for kind in ("change in tokens", "words cut anew"):
            definition = {
                **comparison["definitions"]["fertility"],
                "title": f"V{variant}: {kind}",
                "group": "robustness",
            }
            comparison["definitions"][f"{variant} {kind}"] = definition
            for entry in comparison["tokenizers"]:
                entry["measures"][f"{variant} {kind}"] = {"value": float(variant), "low": None, "high": None}
    found = [table for table in intrinsic(comparison) if table.title.startswith("Robustness")]
    assert [(table.title, len(table.columns)) for table in found] == [
        ("Robustness: change in tokens", 5),
        ("Robustness: change in tokens", 4),
        ("Robustness: words cut anew", 5),
        ("Robustness: words cut anew", 4),
    ]
    assert [column.title for column in found[1].columns] == ["V5", "V6", "V7", "V8"]
    assert all(len(row.cells) == 4 for row in found[1].rows)
