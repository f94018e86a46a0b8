"""`kathalab prompts fit` on a tiny random model: what is trained, chosen, written and resumed."""

import csv
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import kathalab
from corpora.folders import read_manifest
from prompts.training.checkpoints import LAST, load

REPOSITORY = Path(kathalab.__file__).parent


@pytest.fixture
def fit(model_folder, sib200):
    """A function that trains into a run folder, with further options; gives the exit code."""

    def run(folder, *options):
        return kathalab.main(["prompts", *command(model_folder, sib200, folder), *options])

    return run


def command(model, sib200, folder):
    return [
        "fit",
        f"--model.model={model}",
        "--model.infix=2",
        "--model.objective.smoothing=class_uniform",
        f"--data.folder={sib200}",
        "--data.validation_split=test",
        "--data.shots=3",
        "--data.batch_size=2",
        f"--trainer.default_root_dir={folder}",
        "--trainer.max_epochs=3",
        "--trainer.accelerator=cpu",
    ]


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


def test_a_run_lowers_the_loss_and_writes_its_folder(fit, tmp_path, capsys):
    run = tmp_path / "run"
    assert fit(run, "--model.rates.infix=0.3") == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[-1].endswith(f"the prompt is in '{run / 'prompt'}'.")
    log = rows(run)
    assert [row["step"] for row in log] == ["3", "6", "9"]
    assert float(log[-1]["loss"]) < float(log[0]["loss"])
    best = min(log, key=lambda row: float(row["validation_loss"]))
    manifest = read_manifest(run, "prompt_run")
    assert manifest["best"]["update"] == int(best["step"]) and manifest["updates"] == 9
    assert set(manifest["files"]) >= {"config.yaml", "metrics.csv", "prompt/rosprompt.json"}
    facts = json.loads((run / "prompt" / "rosprompt.json").read_text(encoding="utf-8"))
    assert facts["layout"] == {"prefix": 0, "infix": 2, "suffix": 0} and facts["seen"] == ["health", "sports"]


def test_only_the_vectors_are_trained_and_saved(fit, tmp_path):
    assert fit(tmp_path / "run") == 0
    checkpoint = load(tmp_path / "run" / LAST)
    assert {name: tuple(value.shape) for name, value in checkpoint["state_dict"].items()} == {"soft.matrix": (2, 32)}
    (state,) = checkpoint["optimizer_states"]
    assert [tuple(state["state"][0][name].shape) for name in ("exp_avg", "exp_avg_sq")] == [(2, 32)] * 2


def test_the_same_command_gives_the_same_bytes_and_other_seeds_others(fit, tmp_path):
    assert fit(tmp_path / "a") == 0 and fit(tmp_path / "b") == 0
    assert written(tmp_path / "a") == written(tmp_path / "b")
    assert fit(tmp_path / "c", "--data.order_seed=1") == 0
    assert fit(tmp_path / "d", "--model.start=random", "--model.seed=1") == 0
    assert fit(tmp_path / "e", "--model.start=random", "--model.seed=2") == 0
    logs = [(tmp_path / name / "metrics.csv").read_bytes() for name in "acde"]
    assert len(set(logs)) == 4


@pytest.mark.parametrize("step", [3, 6, 9])
def test_a_run_killed_after_any_validation_ends_the_same(fit, tmp_path, monkeypatch, step):
    import lightning.pytorch as pl

    whole, run = tmp_path / "whole", tmp_path / "run"
    assert fit(whole) == 0
    save = pl.Trainer.save_checkpoint

    def save_and_die(trainer, path, *arguments, **options):
        save(trainer, path, *arguments, **options)
        if trainer.global_step == step:
            raise OSError("killed")  # before the row is written

    monkeypatch.setattr(pl.Trainer, "save_checkpoint", save_and_die)
    assert fit(run) == 1
    monkeypatch.setattr(pl.Trainer, "save_checkpoint", save)
    assert fit(run, "--ckpt_path=last") == 0
    assert written(run) == written(whole)
    one, other = (dict(leaves(load(folder / LAST))) for folder in (whole, run))
    if step < 9:
        assert one == other


def test_best_prompt_is_the_one_with_the_lowest_validation_loss(fit, tmp_path):
    """With a rate far too high the loss grows, so that an early prompt is the best."""
    assert fit(tmp_path / "run", "--model.rates.infix=30", "--trainer.max_epochs=6") == 0
    log = rows(tmp_path / "run")
    best = min(log, key=lambda row: float(row["validation_loss"]))
    checkpoint = load(tmp_path / "run" / LAST)
    kept = next(state for state in checkpoint["callbacks"].values() if "best" in state)["best"]
    assert kept["step"] == int(best["step"]) < 18
    assert not torch.equal(kept["prompt"]["matrix"], checkpoint["state_dict"]["soft.matrix"])
    from safetensors.torch import load_file

    saved = load_file(tmp_path / "run" / "prompt" / "rosprompt.safetensors")
    assert torch.equal(saved["infix"], kept["prompt"]["matrix"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--ckpt_path=last", "--model.rates.infix=0.01"], "model.rates.infix was 0.05 and is now 0.01"),
        (["--ckpt_path=last", "--data.order_seed=4"], "data.order_seed was 0 and is now 4"),
        (["--ckpt_path=last", "--trainer.max_epochs=4"], "trainer.max_epochs was 3 and is now 4"),
        (["--ckpt_path=last", "--data.shots=2"], "data.training was"),
        ([], "go on with it by `--ckpt_path last`"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(fit, tmp_path, capsys, options, told):
    run = tmp_path / "run"
    assert fit(run) == 0
    before = written(run)
    assert fit(run, *options) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert told in error and error.endswith(".")
    assert written(run) == before


def test_a_damaged_checkpoint_is_one_sentence(fit, tmp_path, capsys):
    assert fit(tmp_path / "run") == 0
    (tmp_path / "run" / LAST).write_bytes(b"no checkpoint")
    assert fit(tmp_path / "run", "--ckpt_path=last") == 1
    assert "is damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--model.infix=0"], "a soft prompt needs a vector somewhere"),
        (["--data.shots=4"], "the class 'health' has 3 items, but 4 are to be drawn"),
        (["--data.unseen=[music]"], "names classes that the data has not (music)"),
        (["--data.validation_split=train"], "give two splits"),
        (["--model.kind=deep"], "only a prefix can be deep"),
        (["--trainer.max_epochs=0"], "at least one pass"),
        (["--model.verbalizer.languages=[xx]"], "xx"),
    ],
)
def test_mistakes_are_one_sentence(fit, tmp_path, capsys, options, told):
    assert fit(tmp_path / "run", *options) in (1, 2)
    error = capsys.readouterr().err.strip()
    assert told in error and "Traceback" not in error
    assert not (tmp_path / "run" / "metrics.csv").exists()


@pytest.mark.slow
def test_a_run_under_sigkill_ends_the_same(fit, model_folder, sib200, tmp_path):
    whole, run = tmp_path / "whole", tmp_path / "run"
    options = ["--trainer.max_epochs=40"]
    assert fit(whole, *options) == 0
    arguments = [sys.executable, "kathalab.py", "prompts", *command(model_folder, sib200, run), *options]
    process = subprocess.Popen([*arguments, "--ckpt_path=last"], cwd=REPOSITORY)
    while not (run / LAST).is_file() and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not (run / "manifest.json").exists()
    assert fit(run, *options, "--ckpt_path=last") == 0
    assert written(run) == written(whole)
    shutil.rmtree(run)
