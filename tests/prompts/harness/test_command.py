"""`kathalab prompts study`: its files, its page, and that a killed study goes on."""

import json
import re

import pytest

import kathalab
from corpora.folders import read_json, read_manifest
from prompts.harness.figures import seen_unseen


def study(plan, folder, data, *options):
    return kathalab.main(["prompts", "study", str(plan), "--data", str(data), "--output", str(folder), *options])


def test_the_folder_holds_runs_results_and_a_page_that_needs_nothing_else(finished):
    manifest = read_manifest(finished, "prompt-study")
    assert {"results.json", "results.md", "report.html", "report.json"} <= set(manifest["files"])
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?!#)', page) and "<script" not in page
    assert "From two English sentences of each class" in page and "Four classes seen, three not" in page
    assert page.count('class="matrix"') == 4 + 2 * 2 and page.count("<polyline") == 2
    assert read_json(finished / "report.json") == read_json(finished / "results.json")


def test_markdown_and_page_say_what_the_results_say(finished):
    results, text = read_json(finished / "results.json"), (finished / "results.md").read_text(encoding="utf-8")
    row = next(row for row in results["parts"][0]["rows"] if row["method"] == "good")
    mean = row["measures"]["accuracy"]["mean"]
    written = f"**{100 * mean['value']:.1f}\u202f%** ({100 * mean['low']:.1f}–{100 * mean['high']:.1f}\u202f%)"
    line = next(line for line in text.splitlines() if line.startswith("| Trained prompt |") and "**" in line)
    assert written in line
    assert "Told nothing (control)" in text and "at chance" in text
    assert "There is no test split here: evaluated are 21 texts of the train split" in text
    assert "Of the methods that learn, Trained prompt is above the best untrained prompt (Untrained prompt" in text
    difference = row["differences"]["hint"]
    assert f"**{100 * difference['value']:+.1f}** ({100 * difference['low']:+.1f} to" in text.replace("−", "-")
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert f"{100 * mean['value']:.1f}\u202f%" in page


def test_a_study_in_pieces_ends_like_one_in_a_go(finished, content, write_plan, data, tmp_path, capsys):
    plan = write_plan({"prompts": content}, "pieces.yaml")
    other = tmp_path / "pieces"
    assert study(plan, other, data, "--methods", "[hint]", "--parts", "[transfer]") == 0
    assert (
        capsys.readouterr().out.splitlines()[-1]
        == f"20 runs are still to be done; tables of the others are in {other}."
    )
    assert not (other / "manifest.json").exists() and "Not finished" in (other / "results.md").read_text()
    assert study(plan, other, data) == 0
    first, second = read_json(finished / "results.json"), read_json(other / "results.json")
    for results in (first, second):
        for part in results["parts"]:
            for row in part["rows"]:
                del row["seconds"]
    assert first == second


def test_neighbours_stand_in_three_scripts_and_are_escaped(content, write_plan, data, tmp_path, told, monkeypatch):
    words = [
        {"class": "travel", "language": code, "name": "यात्रा", "piece": "▁x", "text": text, "weight": 0.25}
        for code, text in (("en", "<b>journey"), ("hi", "सफ़र"), ("bn", "ভ্রমণ"))
    ]
    create = told.__init__

    def with_words(self, *given, **options):
        create(self, *given, **options)
        self.facts = {"verbalizer": words}

    monkeypatch.setattr(told, "__init__", with_words)
    del content["parts"]["generalized"]
    study(write_plan(content), tmp_path / "out", data)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "सफ़र" in page and "ভ্রমণ" in page and "&lt;b&gt;journey" in page and "<b>journey" not in page


def test_the_curve_stands_where_its_numbers_are():
    measures = {"accuracy_unseen": {"mean": {"value": 0.5}}, "accuracy_seen": {"mean": {"value": 1.0}}}
    svg = seen_unseen([{"curve": [(0, 1), (1, 0)], "measures": measures}])
    # the axes run from (40, 300) to (426, 26)
    assert '<polyline class="curve c0" points="40.0,26.0 426.0,300.0"/>' in svg
    assert '<circle class="dot c0" cx="233.0" cy="26.0"' in svg


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: c.pop("parts"), "needs the mappings 'tasks', 'methods' and 'parts'"),
        (lambda c: c["parts"]["transfer"].update(k="eight"), "has k: 'eight', which should be of the kind int"),
        (lambda c: c["parts"]["transfer"].update(shots=8), "has no 'shots'; it may have"),
        (lambda c: c["parts"]["transfer"]["methods"].append("other"), "names the method 'other', which the plan lacks"),
        (lambda c: c["parts"]["transfer"].update(task="mtop"), "is of the task 'mtop', which the plan lacks"),
        (lambda c: c["parts"]["generalized"].update(by="speed"), "compares by 'speed', which is no measure"),
        (lambda c: c["parts"]["transfer"].update(rotations=2), "has rotations but no number of seen classes"),
        (lambda c: c["parts"]["generalized"].update(rotations=9), "4 of 7 classes rotate 7 times, not 9"),
        (lambda c: c["methods"]["good"].update(method="magic"), "there is no method 'magic'; choose from"),
        (lambda c: c["methods"]["good"].update(talent=1), "the method 'told' cannot be made of"),
        (lambda c: c["tasks"]["sib200"].update(held_out=99), "99 texts cannot be kept for evaluation"),
        (lambda c: c["tasks"]["sib200"].update(held_out_set=4), "21 texts cannot be kept for evaluation for set 4"),
        (lambda c: c["tasks"]["sib200"].update(held_out_set=-1), "21 texts cannot be kept for evaluation for set -1"),
        (lambda c: c["tasks"]["sib200"].update(source="news"), "there is no data set 'news'; choose from"),
        (lambda c: c["parts"]["transfer"].update(k=40), "has 9 texts, but"),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused_in_a_sentence(
    change, sentence, content, write_plan, data, tmp_path, capsys
):
    change(content)
    assert study(write_plan(content), tmp_path / "out", data) == 1
    error = capsys.readouterr().err
    assert sentence in error and "Traceback" not in error and error.count("\n") == 1


def test_a_damaged_record_is_named(study_folder, content, write_plan, data, capsys):
    file = next((study_folder / "runs/sib200/good").glob("*.jsonl"))
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[:-1]))
    assert study(write_plan(content), study_folder, data) == 1
    assert f"{file.name}' holds other items in" in capsys.readouterr().err
    file.write_text(json.dumps({"language": "hi"}))
    assert study(write_plan(content), study_folder, data) == 1
    assert f"{file.name}' is damaged" in capsys.readouterr().err
