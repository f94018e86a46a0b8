"""Several processes train as one does: the same losses, each file once, checkpoints that any number resumes."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import kathalab
from tinymodels.checkpoints import list_checkpoints, load
from tinymodels.data import DocumentBatches, TrainingBatches
from tinymodels.packing import Tokens, Windows, whole_documents

ADAMW = ("--model.optimizer=adamw", "--model.learning_rate=0.001", "--log.every=1", "--data.batch_size=4")
TWO = ("--trainer.devices=2",)


@pytest.fixture(scope="module")
def tokens():
    lengths = np.random.default_rng(1).integers(3, 40, size=30)
    ids = np.random.default_rng(2).integers(4, 300, size=lengths.sum()).astype(np.uint16)
    return Tokens(ids, np.concatenate([[0], np.cumsum(lengths)]), lengths * 4)


@pytest.mark.parametrize("processes", [2, 3])
def test_the_shares_of_a_batch_are_the_batch(tokens, processes):
    windows = Windows(tokens, sequence_length=8, batch_size=6, seed=1)
    whole = list(TrainingBatches(windows, 5))
    shares = [list(TrainingBatches(windows, 5, process=process, processes=processes)) for process in range(processes)]
    for number, batch in enumerate(whole):
        assert torch.equal(torch.cat([share[number] for share in shares]), batch)


@pytest.mark.parametrize("processes", [2, 3, 7])
def test_the_shares_of_validation_hold_every_target_and_character_once(tokens, processes):
    pieces = whole_documents(tokens, sequence_length=8, batch_size=5)
    whole = list(DocumentBatches(tokens, pieces))
    shares = [list(DocumentBatches(tokens, pieces, process, processes)) for process in range(processes)]
    assert {len(share) for share in shares} == {len(whole)}, "or the processes would wait for each other for ever"
    for number, batch in enumerate(whole):
        mine = [share[number] for share in shares]
        assert sum(int(each["characters"]) for each in mine) == int(batch["characters"])
        targets = torch.cat([each["targets"].flatten() for each in mine])
        assert sorted(targets[targets != -100]) == sorted(batch["targets"][batch["targets"] != -100])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--trainer.devices=3",), "a batch of 2 windows does not split evenly among 3 processes"),
        (("--trainer.devices=2", "--trainer.strategy=fsdp"), "Muon needs whole matrices"),
        (("--trainer.devices=2", "--trainer.strategy=ddp_spawn"), "neither forking nor a call from Python"),
        (("--trainer.devices=2",), "neither forking nor a call from Python"),  # this is one
    ],
)
def test_processes_that_would_not_train_as_one_are_refused(fit, tmp_path, capsys, options, told):
    assert fit(tmp_path / "run", *options) == 1
    assert told in capsys.readouterr().err.splitlines()[-1]


@pytest.fixture(scope="module")
def command(make, corpus, tokenizer):
    """`command(run, "--option=value", …)`: training as a command of its own, which can start others."""

    def run_fit(run: Path, *options: str) -> subprocess.CompletedProcess:
        words = [sys.executable, "-m", "kathalab", "tinymodels", "fit", *make.options(corpus, tokenizer, run), *options]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        home = Path(kathalab.__file__).parent
        return subprocess.run(words, capture_output=True, text=True, timeout=120, cwd=home, env=environment)

    return run_fit


@pytest.fixture(scope="module")
def alone(fit, tmp_path_factory):
    """A run of one process."""
    run = tmp_path_factory.mktemp("distributed") / "alone"
    assert fit(run, *ADAMW, "--checkpoints.keep=99") == 0
    return run


def table(run):
    with open(run / "metrics.csv", encoding="utf-8", newline="") as file:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]


def assert_same(alone, together, weights=1e-5):
    """Losses of every update, validation and weights; each file is there once, and whole."""
    assert len(table(alone)) == len(table(together)) == 12
    for one, other in zip(table(alone), table(together), strict=True):
        assert one == pytest.approx(other, abs=1.5e-6)  # printed to six places
    first, second = (load(list_checkpoints(run)[-1]) for run in (alone, together))
    assert first["state_dict"].keys() == second["state_dict"].keys()
    for name, value in first["state_dict"].items():
        assert torch.allclose(value, second["state_dict"][name], rtol=0, atol=weights), name
    one, other = first["optimizer_states"][0], second["optimizer_states"][0]
    assert one["param_groups"] == other["param_groups"] and one["state"].keys() == other["state"].keys()
    steps = [json.loads(line)["step"] for line in (together / "samples.jsonl").read_text().splitlines()]
    assert steps == [4, 8, 12]
    manifest = json.loads((together / "manifest.json").read_text())
    assert manifest["steps"] == 12 and manifest["tokens"] == 12 * 4 * 16


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_train_as_one_and_resume(alone, command, tmp_path, strategy):
    run, two = tmp_path / "two", (*TWO, f"--trainer.strategy={strategy}")
    done = command(run, *ADAMW, *two, "--checkpoints.keep=99")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1 and done.stdout.startswith("trained 12 updates")
    assert done.stderr.count("2 processes") == 1
    assert_same(alone, run)
    # as if killed after 7 updates: begun by two and gone on with by two, to the byte
    last, metrics = list_checkpoints(run)[-1].read_bytes(), (run / "metrics.csv").read_bytes()
    for path in list_checkpoints(run):
        if int(path.stem.split("=")[1]) > 7:
            path.unlink()
    done = command(run, *ADAMW, *two, "--checkpoints.keep=99", "--ckpt_path=last")
    assert done.returncode == 0 and "not to the same bytes" not in done.stderr, done.stderr
    assert (run / "metrics.csv").read_bytes() == metrics and list_checkpoints(run)[-1].read_bytes() == last


@pytest.mark.slow
def test_a_run_begun_alone_goes_on_with_two_and_the_reverse(alone, command, fit, tmp_path, capsys):
    import shutil

    run = tmp_path / "run"
    shutil.copytree(alone, run)
    for path in list_checkpoints(run):
        if int(path.stem.split("=")[1]) > 6:
            path.unlink()
    done = command(run, *ADAMW, *TWO, "--trainer.strategy=fsdp", "--checkpoints.keep=99", "--ckpt_path=last")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("not to the same bytes: processes was 1 and is now 2.") == 1
    assert_same(alone, run)
    list_checkpoints(run)[-1].unlink()
    assert fit(run, *ADAMW, "--checkpoints.keep=99", "--ckpt_path=last") == 0
    assert "processes was 2 and is now 1." in capsys.readouterr().err
    assert_same(alone, run)
    assert kathalab.main(["tinymodels", "export", str(run), f"--output={tmp_path / 'model'}"]) == 0


@pytest.mark.slow
def test_two_processes_with_muon_accumulation_spikes_and_a_user_error(command, fit, tmp_path):
    """Muon's orthogonalisation is of bfloat16, so what differs in the last bit grows."""
    options = ("--log.every=1", "--data.batch_size=2", "--trainer.accumulate_grad_batches=2", "--spikes.action=skip")
    options += ("--model.matrix_learning_rate=0.001", "--model.learning_rate=0.001")
    assert fit(tmp_path / "alone", *options) == 0
    done = command(tmp_path / "two", *options, *TWO)
    assert done.returncode == 0, done.stderr
    for one, other in zip(table(tmp_path / "alone"), table(tmp_path / "two"), strict=True):
        assert one == pytest.approx(other, abs=1e-3)
    done = command(tmp_path / "two", *options, *TWO, "--ckpt_path=last", "--data.seed=9")
    assert done.returncode == 1
    assert done.stderr.count("data.seed was 1 and is now 9") == 1 and "Traceback" not in done.stderr
