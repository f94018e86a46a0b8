"""Loss spikes: found, acted on, told of; a run without the option stops where the loss is no number."""

import csv
import shutil

import pytest
import torch

from tinymodels.checkpoints import list_checkpoints, load

STEPS = ("--trainer.max_steps=24", "--trainer.val_check_interval=8", "--log.every=2", "--checkpoints.every=5")
WATCH = ("--spikes.window=6", "--spikes.deviations=8")


def spikes(run):
    with open(run / "spikes.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def weights(run):
    return load(list_checkpoints(run)[-1])["state_dict"]


@pytest.fixture
def inject(monkeypatch):
    """`inject(change)`: `change(number, loss)` in place of the loss of the batch with this number in the data's order
    (from 0)."""
    from tinymodels.data import TrainingBatches
    from tinymodels.module import StoryModel

    training_step, batches = StoryModel.training_step, TrainingBatches.__iter__

    def apply(change):
        def numbered(self):
            for batch in batches(self):
                apply.number = self.position - 1 + self.skipped
                yield batch

        monkeypatch.setattr(TrainingBatches, "__iter__", numbered)
        monkeypatch.setattr(
            StoryModel, "training_step", lambda self, *given: change(apply.number, training_step(self, *given))
        )

    return apply


def corrupt(bad, factor):
    return lambda number, loss: loss * factor if number in bad else loss


@pytest.mark.parametrize("factor", [100.0, float("nan"), float("inf")])
def test_a_spike_is_skipped(fit, tmp_path, inject, capsys, factor):
    run = tmp_path / "run"
    inject(corrupt({13}, factor))
    assert fit(run, *STEPS, *WATCH, "--spikes.action=skip") == 0
    (row,) = spikes(run)
    assert row["step"] == "14" and row["action"] == "skip" and float(row["mean"]) < 6
    assert "update 14 had a loss of" in capsys.readouterr().err
    assert all(weight.isfinite().all() for weight in weights(run).values())
    with open(run / "metrics.csv") as file:
        last = list(csv.DictReader(file))[-1]
    assert float(last["train_loss"]) < 4.5 and last["step"] == "24"


def test_a_skipped_update_changes_neither_weights_nor_optimizer(fit, tmp_path, inject):
    run = tmp_path / "run"
    inject(corrupt({13}, 100.0))
    assert fit(run, *STEPS, *WATCH, "--spikes.action=skip", "--checkpoints.every=1", "--checkpoints.keep=99") == 0
    before, after = (load(run / "checkpoints" / f"step={step}.ckpt") for step in (13, 14))
    assert all(torch.equal(before["state_dict"][name], after["state_dict"][name]) for name in before["state_dict"])
    states = [
        [
            value
            for part in each["optimizer_states"][0].values()
            for state in part["state"].values()
            for value in state.values()
        ]
        for each in (before, after)
    ]
    assert states[0] and all(torch.equal(one, other) for one, other in zip(*states, strict=True))


@pytest.mark.parametrize("action", ["skip", "rewind"])
def test_a_killed_run_with_spikes_ends_the_same(fit, tmp_path, inject, action):
    inject(corrupt({7, 13, 14}, 100.0))
    options = (*STEPS, *WATCH, f"--spikes.action={action}", "--spikes.batches=3")
    whole = tmp_path / "whole"
    assert fit(whole, *options, "--checkpoints.keep=99") == 0
    assert [row["action"] for row in spikes(whole)] == [action] * len(spikes(whole)) and len(spikes(whole)) >= 2
    for step in (5, 10, 15):
        run = tmp_path / f"from-{step}"
        shutil.copytree(whole, run)
        for path in list_checkpoints(run):
            if int(path.stem.split("=")[1]) > step:
                path.unlink()
        assert fit(run, *options, "--checkpoints.keep=99", "--ckpt_path=last") == 0
        for name in ("metrics.csv", "spikes.csv", "samples.jsonl"):
            assert (whole / name).read_bytes() == (run / name).read_bytes(), (name, step)
        assert list_checkpoints(whole)[-1].read_bytes() == list_checkpoints(run)[-1].read_bytes()


def test_a_rewind_goes_back_and_on_with_other_batches(fit, tmp_path, inject):
    """Batch 13 (update 14) is bad: back to update 10, and batches 10 to 16 are left out; from there on the run is one
    that never saw them."""
    read = []

    def change(number, loss):
        read.append(number)
        return loss * 100 if number == 13 else loss

    inject(change)
    run = tmp_path / "run"
    assert fit(run, *STEPS, *WATCH, "--spikes.action=rewind", "--spikes.batches=7") == 0
    assert read == [*range(14), *range(17, 31)]
    (row,) = spikes(run)
    assert (row["step"], row["from_step"], row["batches_left_out"]) == ("14", "10", "7")
    with open(run / "metrics.csv") as file:
        table = list(csv.DictReader(file))
    assert [int(each["step"]) for each in table] == list(range(2, 25, 2))
    per_epoch = 10 / float(table[4]["epoch"])
    assert float(table[-1]["epoch"]) == pytest.approx((24 + 7) / per_epoch, rel=1e-3)


def test_spikes_that_do_not_end_stop_training_with_a_sentence(fit, tmp_path, inject, capsys):
    inject(lambda number, loss: loss * float("nan") if number > 6 else loss)
    for action in ("skip", "rewind"):
        options = ("--trainer.max_steps=40", "--spikes.batches=1", f"--spikes.action={action}")
        assert fit(tmp_path / action, *STEPS, *options) == 1
        told = capsys.readouterr().err.splitlines()[-1]
        assert "the loss is nan" in told and "20 spikes came before it" in told


@pytest.mark.parametrize("every", [2, 1000])
def test_without_the_option_training_stops_where_the_loss_is_no_number(fit, tmp_path, inject, capsys, every):
    inject(corrupt({6}, float("nan")))
    run = tmp_path / "run"
    assert fit(run, *STEPS, f"--log.every={every}") == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert "no longer finite" in told or "loss is nan" in told
    assert "--spikes.action skip" in told
    assert list_checkpoints(run), "one from before"
    assert all(weight.isfinite().all() for weight in weights(run).values())
    assert not (run / "spikes.csv").exists() and not (run / "manifest.json").exists()
