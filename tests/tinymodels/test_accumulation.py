"""Accumulated gradients: k batches of b windows train as one batch of k * b."""

import csv

import pytest
import torch

from tinymodels.checkpoints import list_checkpoints, load

ADAMW = ("--model.optimizer=adamw", "--model.learning_rate=0.0002")


def table(run):
    with open(run / "metrics.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_accumulated_batches_train_as_one_batch(fit, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    options = (*ADAMW, "--log.every=1", "--trainer.val_check_interval=0.25")
    assert fit(whole, *options, "--data.batch_size=6") == 0
    assert fit(parts, *options, "--data.batch_size=2", "--trainer.accumulate_grad_batches=3") == 0
    one, other = table(whole), table(parts)
    assert len(one) == len(other) == 12
    for first, second in zip(one, other, strict=True):
        assert {name for name in first if first[name]} == {name for name in second if second[name]}
        for name in first:
            if name != "epoch" and first[name]:
                assert float(first[name]) == pytest.approx(float(second[name]), abs=1.5e-6)
    first, second = (load(list_checkpoints(run)[-1])["state_dict"] for run in (whole, parts))
    for name in first:
        assert torch.allclose(first[name], second[name], rtol=0, atol=1e-6), name


class Death(BaseException):
    """Comes like a kill: nothing is saved."""


@pytest.mark.parametrize("length", ["steps", "epochs"])
def test_a_run_that_dies_amid_an_accumulation_ends_the_same(fit, tmp_path, monkeypatch, length):
    from tinymodels.module import StoryModel

    options = ["--trainer.accumulate_grad_batches=3", "--trainer.val_check_interval=6"]
    if length == "epochs":  # of 13 batches: updates go across their ends
        options = ["--trainer.accumulate_grad_batches=3", "--trainer.val_check_interval=1.0"]
        options += ["--trainer.max_steps=-1", "--trainer.max_epochs=2", "--data.batch_size=6"]
        options += ["--data.sequence_length=32"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert fit(whole, *options) == 0
    training_step = StoryModel.training_step
    deaths = {14, 20}  # the third batch of update 5, the second of update 7 less the two that are done again
    done = []

    def deadly(self, *arguments):
        done.append(len(done) + 1)
        if done[-1] in deaths:
            raise Death
        return training_step(self, *arguments)

    monkeypatch.setattr(StoryModel, "training_step", deadly)
    for _ in deaths:
        with pytest.raises(Death):
            fit(killed, *options, "--ckpt_path=last")
    assert fit(killed, *options, "--ckpt_path=last") == 0
    assert len(done) > 20 and table(whole)[-1]["validation_loss"]
    for name in ("metrics.csv", "samples.jsonl"):
        assert (whole / name).read_bytes() == (killed / name).read_bytes()
    assert list_checkpoints(whole)[-1].read_bytes() == list_checkpoints(killed)[-1].read_bytes()


def test_a_validation_between_two_batches_of_an_update_is_refused(fit, tmp_path, capsys):
    options = ("--trainer.accumulate_grad_batches=3", "--trainer.val_check_interval=4")
    assert fit(tmp_path / "run", *options) == 1
    assert "4 of them are no whole updates of 3; give 6" in capsys.readouterr().err
