import json
import shutil

import pytest

import kathalab
from corpora.folders import read_manifest
from prompts.verbalizers import load_verbalizer


def run(*arguments):
    return kathalab.main(["prompts", *map(str, arguments)])


def read_predictions(folder):
    return [json.loads(line) for line in (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]


def test_themes_and_topics_in_one_folder(model_folder, corpus, sib200, tmp_path, capsys):
    output = tmp_path / "out"
    code = run("evaluate", model_folder, "--corpus", corpus, "--sib200", sib200, "--languages=[hi]", "--output", output)
    printed = capsys.readouterr().out.splitlines()
    assert code == 0
    assert printed[-1] == f"Classified 22 texts in 2 tasks; scores and predictions are in {output}."
    tasks = json.loads((output / "scores.json").read_text())["tasks"]
    assert [(task["task"], task["language"], task["items"], task["classes"]) for task in tasks] == [
        ("themes", "hi", 16, 8),
        ("sib200", "hi", 6, 7),
    ]
    themes, topics = tasks
    assert themes["chance"] == 1 / 8 and themes["majority"] == 4 / 16
    assert themes["baselines"]["naive_bayes"]["supervised"] is True
    assert themes["baselines"]["naive_bayes"]["accuracy"]["value"] == 1  # the classes' sentences are the same
    # साहस and ईमानदारी stand in their stories; the others fall to the first class, friendship
    assert themes["baselines"]["name_in_text"]["accuracy"]["value"] == 3 / 4
    assert topics["baselines"]["majority"]["accuracy"]["value"] == topics["majority"] == 0.5
    for task, line in zip(tasks, printed, strict=False):
        records = [record for record in read_predictions(output) if record["task"] == task["task"]]
        right = [record["label"] == record["predicted"] for record in records]
        assert task["accuracy"]["value"] == pytest.approx(sum(right) / len(right))
        assert task["accuracy"]["low"] <= task["accuracy"]["value"] <= task["accuracy"]["high"]
        assert all(max(record["scores"], key=record["scores"].get) == record["predicted"] for record in records)
        assert sum(entry["predicted"] for entry in task["per_class"].values()) == task["items"]
        assert sum(entry["right"] for entry in task["per_class"].values()) == sum(right)
        assert task["at_chance"] == (task["accuracy"]["low"] <= max(task["chance"], task["majority"]))
        assert ("at chance" in line) == task["at_chance"]
    manifest = read_manifest(output, "classification")
    assert manifest["inputs"]["corpus"] == read_manifest(corpus)["fingerprint"]
    assert manifest["configuration"]["calibration"] == "content-free"


def test_same_command_same_bytes_and_other_settings_other_scores(model_folder, corpus, tmp_path):
    def scores(name, *options):
        output = tmp_path / name
        assert run("evaluate", model_folder, "--corpus", corpus, "--languages=[hi]", "--output", output, *options) == 0
        return (output / "scores.json").read_text(), (output / "predictions.jsonl").read_text()

    first = scores("a")
    assert scores("b") == first
    assert scores("a") == first  # replaces the folder
    assert scores("c", "--calibration=none")[1] != first[1]
    assert len(scores("d", "--items=5")[1].splitlines()) == 5


def test_model_at_chance_says_so_and_an_informed_one_does_not(model_folder, make_corpus, tmp_path, capsys, monkeypatch):
    from prompts.zero_shot import NameScorer

    # enough items that always saying one class (25%) is surely above 1 / 8: it is the majority that must be beaten
    corpus = make_corpus(tmp_path / "corpus", stories_per_theme=(2, 40))

    def verdict(name, label_of):
        classes = load_verbalizer("themes", "hi").classes

        def class_scores(self, texts, describe=""):
            import numpy as np

            return np.array([[float(label == label_of(text)) for label in classes] for text in texts])

        monkeypatch.setattr(NameScorer, "class_scores", class_scores)
        assert run("evaluate", model_folder, "--corpus", corpus, "--languages=[hi]", "--output", tmp_path / name) == 0
        (task,) = json.loads((tmp_path / name / "scores.json").read_text())["tasks"]
        assert task["accuracy"]["low"] > task["chance"]
        return task["at_chance"], capsys.readouterr().out.splitlines()[0]

    always, line = verdict("always", lambda text: "courage")
    assert always and "accuracy 25.0" in line and "at chance (25.0)" in line
    words = {"दोस्त": "friendship", "साहस": "courage", "सच": "honesty", "बाँटी": "sharing"}
    informed, line = verdict("informed", lambda text: next(label for word, label in words.items() if word in text))
    assert not informed and "accuracy 100.0" in line and "above chance (25.0)" in line


def test_a_trained_prompt_is_evaluated_by_its_own_words(model_folder, build_model, tokenizer, sib200, tmp_path, capsys):
    from prompts.models import AnswerModel
    from prompts.soft import Layout, initialise
    from prompts.soft.classifier import ZeroShotClassifier
    from prompts.soft.facts import Facts
    from prompts.soft.saving import save_prompt
    from prompts.verbalizers import from_names, load_labels

    model = AnswerModel(build_model(), tokenizer)
    labels = load_labels("sib200", ["hi"])
    known = labels.only(["health", "sports"])  # the others speak through the neighbours of their names
    facts = Facts({"en": "\nविषय: "}, ("en",), from_names(known, ["hi"], tokenizer))
    save_prompt(tmp_path / "p", initialise(Layout(infix=2), model, "random"), model, facts)
    asked = ["evaluate", tmp_path / "p", "--sib200", sib200, "--languages=[hi]", "--output", tmp_path / "out"]
    assert run(*asked) == 1 and "names no model; give the one it was made for" in capsys.readouterr().err
    assert run(*asked, "--base-model", model_folder) == 0
    (task,) = json.loads((tmp_path / "out" / "scores.json").read_text())["tasks"]
    assert (task["template"], task["score"], task["cut_items"]) == ("\nविषय: ", "prompt", 0)
    records = read_predictions(tmp_path / "out")
    texts = [line.split("\t")[2] for line in (sib200 / "hin_Deva" / "test.tsv").read_text().splitlines()[1:]]
    expected = ZeroShotClassifier.from_pretrained(tmp_path / "p", model).class_scores(texts, labels["hi"].names)[1]
    found = [value for record in records for value in record["scores"].values()]
    assert found == pytest.approx(expected.flatten().tolist(), abs=1e-5)
    assert "prompt" in read_manifest(tmp_path / "out", "classification")["inputs"]
    assert run(*asked, "--score=token") == 1 and "scores as it was made to" in capsys.readouterr().err
    assert evaluate_fails(model_folder, sib200, tmp_path, "--base-model=any")


def test_own_labels_file_without_a_class_of_the_data(model_folder, corpus, tmp_path, capsys):
    labels = tmp_path / "labels.yaml"
    labels.write_text("template: {hi: 'विषय: '}\nlabels:\n  courage: {hi: [साहस]}\n  sharing: {hi: [बाँटना]}\n")
    assert evaluate_fails(model_folder, corpus, tmp_path, "--labels", labels)
    assert "lacks (friendship, honesty)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--languages=[bn]"], "no test stories in bn"),
        (["--languages=[xx]"], "the language 'xx' is not known"),
        (["--languages=[]"], "there is no language to classify"),
        (["--split=dev"], "there is no split 'dev'"),
        (["--split=train"], "naive Bayes would learn from the train texts"),
        (["--labels=absent.yaml"], "there is no labels file 'absent.yaml'"),
        (["--items=0"], "ask for at least one"),
        (["--sib200=absent"], "there is no 'absent/hin_Deva/test.tsv'"),
        (["--labels=themes", "--sib200=absent"], "one labels file cannot serve"),
    ],
)
def test_bad_options_give_one_sentence_and_no_folder(options, message, model_folder, corpus, tmp_path, capsys):
    assert evaluate_fails(model_folder, corpus, tmp_path, *options)
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("kathalab: error: ") and message in error


def test_nothing_to_classify(model_folder, tmp_path, capsys):
    assert run("evaluate", model_folder, "--languages=[hi]", "--output", tmp_path / "out") == 1
    assert "give --corpus, --sib200 or both" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["absent", "no config", "no weights", "broken weights", "larger tokenizer"])
def test_wrong_model_folder(damage, model_folder, corpus, tmp_path, capsys):
    model = tmp_path / "model"
    if damage != "absent":
        shutil.copytree(model_folder, model)
    if damage == "no config":
        (model / "config.json").unlink()
    if damage == "no weights":
        (model / "model.safetensors").unlink()
    if damage == "broken weights":
        (model / "model.safetensors").write_bytes(b"not safetensors")
    if damage == "larger tokenizer":
        content = json.loads((model / "tokenizer.json").read_text())
        content["added_tokens"].append({**content["added_tokens"][0], "id": 9999, "content": "<more>"})
        content["model"]["vocab"]["<more>"] = 9999
        (model / "tokenizer.json").write_text(json.dumps(content))
    assert evaluate_fails(model, corpus, tmp_path)
    assert str(model) in capsys.readouterr().err


def test_folder_of_another_kind_is_left_alone(model_folder, corpus, tmp_path, capsys):
    place = tmp_path / "out"
    place.mkdir()
    (place / "thesis.txt").write_text("mine")
    assert run("evaluate", model_folder, "--corpus", corpus, "--languages=[hi]", "--output", place) == 1
    assert "was not made by kathalab" in capsys.readouterr().err
    assert (place / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("command", ["evaluate", "verbalizer"])
def test_help_says_what_is_read_and_written_and_gives_an_example(command, capsys):
    assert run(command, "--help") == 0
    text = capsys.readouterr().out
    assert "Reads a " in text and "rites " in text and f"Example: kathalab prompts {command} " in text


def evaluate_fails(model, corpus, tmp_path, *options):
    """Whether the command exits with 1 and leaves nothing behind."""
    output = tmp_path / "failed" / "out"
    options = ["--languages=[hi]", *options]
    code = run("evaluate", model, "--corpus", corpus, "--output", output, *options)
    return code == 1 and not (output.parent.exists() and any(output.parent.iterdir()))
