"""`kathalab prompts fit` on a tiny random model: what is trained, chosen, written and resumed."""

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch
from safetensors.torch import load_file

import kathalab
from corpora.folders import read_manifest
from prompts.training.checkpoints import LAST, load

REPOSITORY = Path(kathalab.__file__).parent


@pytest.fixture(scope="module")
def topics(tmp_path_factory):
    """Two topics in English: three sentences each to train on, three to validate on; `swapped` has the wrong labels."""
    folder = tmp_path_factory.mktemp("topics")
    sentences = {"sports": "the team won a ball", "health": "a doctor came by"}
    for split, wrong in (("train", False), ("dev", False), ("swapped", True)):
        lines = ["index_id\tcategory\ttext"]
        for number in range(6):
            label, other = ("sports", "health")[number % 2], ("health", "sports")[number % 2]
            lines.append(f"{split}{number}\t{other if wrong else label}\t{sentences[label]} {number} {split}")
        place = folder / "eng_Latn"
        place.mkdir(exist_ok=True)
        (place / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def command(model_folder, topics):
    """A function that gives the arguments to train into a run folder."""

    def arguments(run):
        return [
            "prompts",
            "fit",
            f"--model.model={model_folder}",
            "--model.infix=2",
            "--model.rates.infix=0.3",
            "--model.objective.smoothing=class_uniform",
            f"--data.folder={topics}",
            "--data.shots=3",
            "--data.batch_size=3",
            f"--trainer.default_root_dir={run}",
            "--trainer.max_epochs=3",
            "--trainer.accelerator=cpu",
        ]

    return arguments


@pytest.fixture(scope="module")
def fit(command):
    """A function that trains into a run folder, with further options; gives the exit code."""
    return lambda run, *options: kathalab.main([*command(run), *options])


@pytest.fixture(scope="module")
def whole(fit, tmp_path_factory):
    """A finished run, not to be changed."""
    run = tmp_path_factory.mktemp("whole") / "run"
    assert fit(run) == 0
    return run


def rows(run):
    with open(run / "metrics.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(run):
    """The bytes that a resumed run must write again: the log, and all of the prompt."""
    files = [run / "metrics.csv", *sorted((run / "prompt").rglob("*"))]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in files if path.is_file()}


def leaves(value, path=""):
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}/{key}")
    elif isinstance(value, (list, tuple)):
        for number, each in enumerate(value):
            yield from leaves(each, f"{path}/{number}")
    else:
        yield path, value.numpy().tobytes() if isinstance(value, torch.Tensor) else value


def test_a_run_lowers_the_loss_and_writes_its_folder(whole):
    log = rows(whole)
    assert [row["step"] for row in log] == ["2", "4", "6"]
    assert float(log[-1]["loss"]) < float(log[0]["loss"])
    best = min(log, key=lambda row: float(row["validation_loss"]))
    manifest = read_manifest(whole, "prompt_run")
    assert manifest["best"]["update"] == int(best["step"]) and manifest["updates"] == 6
    assert set(manifest["files"]) >= {"config.yaml", "metrics.csv", "prompt/rosprompt.json"}
    facts = json.loads((whole / "prompt" / "rosprompt.json").read_text(encoding="utf-8"))
    assert facts["layout"] == {"prefix": 0, "infix": 2, "suffix": 0}
    assert facts["seen"] == ["health", "sports"] and len(facts["verbalizer"]["classes"]) == 7  # all of the labels file


def test_only_the_vectors_are_trained_and_saved(whole):
    checkpoint = load(whole / LAST)
    assert {name: tuple(value.shape) for name, value in checkpoint["state_dict"].items()} == {"soft.matrix": (2, 32)}
    (state,) = checkpoint["optimizer_states"]
    assert [tuple(state["state"][0][name].shape) for name in ("exp_avg", "exp_avg_sq")] == [(2, 32)] * 2
    assert (whole / LAST).stat().st_size < 20_000  # the model is not in it


def test_the_same_command_gives_the_same_bytes_and_another_order_others(fit, whole, tmp_path, capsys):
    assert fit(tmp_path / "again") == 0
    assert written(tmp_path / "again") == written(whole)
    told = capsys.readouterr().out.splitlines()[-1]
    assert told.startswith("trained 6 updates") and told.endswith(
        f"the prompt is in '{tmp_path / 'again' / 'prompt'}'."
    )
    assert fit(tmp_path / "other", "--data.order_seed=1") == 0
    assert written(tmp_path / "other")["metrics.csv"] != written(whole)["metrics.csv"]


@pytest.mark.parametrize("step", [2, 6])
def test_a_run_killed_after_a_validation_ends_the_same(fit, whole, tmp_path, monkeypatch, step):
    run = tmp_path / "run"
    save = pl.Trainer.save_checkpoint

    def save_and_die(trainer, path, *arguments, **options):
        save(trainer, path, *arguments, **options)
        if trainer.global_step == step:
            raise OSError("killed")  # before the step's row is written

    monkeypatch.setattr(pl.Trainer, "save_checkpoint", save_and_die)
    assert fit(run) == 1
    assert not (run / "prompt").exists()
    monkeypatch.setattr(pl.Trainer, "save_checkpoint", save)
    assert fit(run, "--ckpt_path=last") == 0
    assert written(run) == written(whole)
    one, other = (dict(leaves(load(folder / LAST))) for folder in (whole, run))
    assert one == other


def test_the_best_prompt_is_chosen_by_validation_alone(fit, tmp_path):
    """What is learned is wrong on this validation, so that the first prompt that was validated is the best."""
    run = tmp_path / "run"
    assert fit(run, "--data.validation_split=swapped") == 0
    log = rows(run)
    losses = [float(row["validation_loss"]) for row in log]
    assert min(losses) == losses[0] < losses[-1]
    assert float(log[-1]["loss"]) < float(log[0]["loss"])
    assert read_manifest(run)["best"]["update"] == 2
    checkpoint = load(run / LAST)
    saved = load_file(run / "prompt" / "rosprompt.safetensors")["infix"]
    (best,) = (state["best"] for state in checkpoint["callbacks"].values() if "best" in state)
    assert torch.equal(saved, best["prompt"]["matrix"])
    assert not torch.equal(saved, checkpoint["state_dict"]["soft.matrix"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--ckpt_path=last", "--model.rates.infix=0.01"], "model.rates.infix was 0.3 and is now 0.01"),
        (["--ckpt_path=last", "--trainer.max_epochs=4"], "trainer.max_epochs was 3 and is now 4"),
        (["--ckpt_path=last", "--data.shots=2"], "data.training was"),
        ([], "go on with it by `--ckpt_path last`"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(fit, whole, capsys, options, told):
    before = {path: path.read_bytes() for path in whole.rglob("*") if path.is_file()}
    assert fit(whole, *options) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert told in error and error.endswith(".")
    assert {path: path.read_bytes() for path in whole.rglob("*") if path.is_file()} == before


def test_a_damaged_or_foreign_checkpoint_is_one_sentence(fit, tmp_path, capsys):
    path = tmp_path / "run" / LAST
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no checkpoint")
    assert fit(tmp_path / "run", "--ckpt_path=last") == 1
    assert "is damaged" in capsys.readouterr().err
    torch.save({"state_dict": {}}, path)
    assert fit(tmp_path / "run", "--ckpt_path=last") == 1
    assert "was not made by `kathalab prompts fit`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--model.infix=0"], "a soft prompt needs a vector somewhere"),
        (["--data.shots=4"], "the class 'health' has 3 texts, but 4 are wanted"),
        (["--data.unseen=[music]"], "names classes that the data has not (music)"),
        (["--data.validation_split=train"], "give two splits"),
        (["--model.kind=deep"], "only a prefix can be deep"),
        (["--trainer.max_epochs=0"], "at least one pass"),
        (["--trainer.max_steps=3"], "give `--trainer.max_epochs` alone"),
        (["--model.verbalizer.languages=[xx]"], "xx"),
    ],
)
def test_mistakes_are_one_sentence(fit, tmp_path, capsys, options, told):
    assert fit(tmp_path / "run", *options) in (1, 2)
    error = capsys.readouterr().err.strip()
    assert told in error and "Traceback" not in error
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_under_sigkill_ends_the_same(fit, command, tmp_path):
    whole, run = tmp_path / "whole", tmp_path / "run"
    options = ["--trainer.max_epochs=25"]
    assert fit(whole, *options) == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "kathalab", *command(run), *options], cwd=REPOSITORY, stderr=subprocess.DEVNULL
    )
    while not (run / LAST).is_file() and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not (run / "manifest.json").exists()
    assert fit(run, *options, "--ckpt_path=last") == 0
    assert written(run) == written(whole)


def test_a_prompt_starts_from_another_and_keeps_its_own_wording(fit, whole, tmp_path, capsys):
    still = ("--model.start=prompt", "--model.rates.infix=1e-12", "--trainer.max_epochs=1", "--data.wording= so: ")
    assert fit(tmp_path / "next", *still, f"--model.start_prompt={whole / 'prompt'}") == 0
    first, second = (load_file(run / "prompt" / "rosprompt.safetensors") for run in (whole, tmp_path / "next"))
    assert torch.allclose(first["infix"], second["infix"], atol=1e-9)
    facts = json.loads((tmp_path / "next" / "prompt" / "rosprompt.json").read_text(encoding="utf-8"))
    assert facts["templates"] == {"en": " so: "}
    assert fit(tmp_path / "none", *still) == 1
    assert "needs both `model.start` prompt and `model.start_prompt`" in capsys.readouterr().err
    assert fit(tmp_path / "none", *still, f"--model.start_prompt={tmp_path}") == 1
    error = capsys.readouterr().err
    assert "is not a finished prompt folder" in error.splitlines()[-1] and "Traceback" not in error


def test_a_probe_is_fitted_beside_the_prompt_and_speaks_for_its_own_classes(
    fit, whole, topics, model_folder, tmp_path, capsys
):
    import numpy as np

    from prompts import ZeroShotClassifier
    from prompts.data import sib200_items
    from prompts.models import open_answer_model

    assert fit(tmp_path / "run", "--model.probe.layer=1", "--model.probe.share=0.25") == 0
    assert (tmp_path / "run/prompt/rosprompt.safetensors").read_bytes() == (
        whole / "prompt/rosprompt.safetensors"
    ).read_bytes()
    assert "states after block 1, weight 0.25" in (tmp_path / "run/prompt/README.md").read_text(encoding="utf-8")
    model = open_answer_model(model_folder, "cpu")
    with_probe, without = (
        ZeroShotClassifier.from_pretrained(run / "prompt", model) for run in (tmp_path / "run", whole)
    )
    training = sib200_items(topics, "train", "en")
    texts, own = [item.text for item in training], ["sports", "health"]
    assert [result["labels"][0] for result in with_probe(texts, own)] == [item.label for item in training]
    probe = with_probe.probe
    words = without.class_scores(texts, own)[1]
    asked = model.ask(texts, without.facts.templates["en"], ["sports", "health"])
    states = torch.stack([model.answer_states([item], layer=1)[0] for item in asked]).double()
    unit = (states - states.mean(0)) / states.std(0, correction=0)
    unit = unit / unit.norm(dim=1, keepdim=True)
    logits = (unit @ probe.weights.double().T + probe.biases).numpy()[:, [probe.classes.index(label) for label in own]]
    logs = [values - np.log(np.exp(values).sum(axis=1, keepdims=True)) for values in (words, logits)]
    assert with_probe.class_scores(texts, own)[1] == pytest.approx(logs[0] + 0.25 * logs[1], abs=1e-3)
    mixed = [*own, "music"]  # a class that the probe has never met keeps its probability
    before, after = (np.exp(one.class_scores(texts, mixed)[1]) for one in (without, with_probe))
    before /= before.sum(axis=1, keepdims=True)
    assert after[:, 2] == pytest.approx(before[:, 2], rel=1e-4) and after.sum(axis=1) == pytest.approx(1, rel=1e-4)
    inside = np.exp(logs[0] + 0.25 * logs[1])
    assert after[:, 0] / after[:, 1] == pytest.approx(inside[:, 0] / inside[:, 1], rel=1e-2)
    new = ["music", "rain"]
    assert with_probe.class_scores(texts, new)[1] == pytest.approx(without.class_scores(texts, new)[1])
    assert fit(tmp_path / "none", "--model.probe.layer=9") == 1
    assert "no states after block 9" in capsys.readouterr().err.splitlines()[-1]
