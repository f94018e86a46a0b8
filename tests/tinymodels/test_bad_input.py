"""Bad input and a failing machine: one clear sentence, a non-zero exit, finished work untouched."""

import errno
import os
import shutil

import pytest

import kathalab


def refused(capsys) -> str:
    """What stood on stderr, once it is known to be a sentence and no traceback."""
    told = capsys.readouterr().err
    assert "Traceback" not in told
    (sentence,) = [line for line in told.splitlines() if line.startswith("kathalab: error: ")]
    assert sentence.endswith(".")
    return sentence


def test_a_folder_that_is_no_corpus(fit, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert fit(tmp_path / "run", f"--data.corpus={tmp_path / 'empty'}") == 1
    assert "is not a finished corpus folder" in refused(capsys)


def test_an_empty_corpus(fit, make, tmp_path, capsys):
    empty = make.corpus(tmp_path / "empty", train=0, held_out=0)
    assert fit(tmp_path / "run", f"--data.corpus={empty}") == 1
    assert "has no train stories" in refused(capsys)


def test_a_corpus_of_one_story(fit, make, tmp_path, capsys):
    one = make.corpus(tmp_path / "one", train=1, held_out=0)
    assert fit(tmp_path / "run", f"--data.corpus={one}", "--data.sequence_length=256") == 1
    assert "in 1 story, fewer than one batch" in refused(capsys)


def test_no_validation_stories(fit, make, tmp_path, capsys):
    some = make.corpus(tmp_path / "some", held_out=0)
    assert fit(tmp_path / "run", f"--data.corpus={some}") == 1
    assert "has no validation stories" in refused(capsys)


def test_a_language_the_corpus_does_not_have(fit, tmp_path, capsys):
    assert fit(tmp_path / "run", "--data.languages=[bn]") == 1
    assert "no train stories in bn" in refused(capsys)


def test_a_missing_tokenizer(fit, tmp_path, capsys):
    assert fit(tmp_path / "run", f"--data.tokenizer={tmp_path / 'none'}") == 1
    assert "is no tokenizer folder" in refused(capsys)


def test_a_budget_smaller_than_the_embedding_table(fit, tmp_path, capsys):
    assert fit(tmp_path / "run", "--model.parameters=10000") == 1
    assert "exceeds the budget of 10,000" in refused(capsys)


def test_a_run_without_a_folder(corpus, tokenizer, capsys):
    command = ["tinymodels", "fit", f"--data.corpus={corpus}", f"--data.tokenizer={tokenizer}"]
    assert kathalab.main(command) == 1
    assert "--trainer.default_root_dir" in refused(capsys)


@pytest.mark.parametrize("option", ["--model.optimizer=sgd", "--data.batch_size=0", "--data.seed=-1", "--no.such=1"])
def test_wrong_options_are_wrong_usage(fit, tmp_path, capsys, option):
    assert fit(tmp_path / "run", option) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", ["--trainer.val_check_interval=40", "--trainer.devices=0"])
def test_what_lightning_refuses_is_one_sentence(fit, tmp_path, capsys, option):
    assert fit(tmp_path / "run", option) == 1
    assert "the trainer cannot run so" in refused(capsys)


@pytest.fixture
def half_done(finished, tmp_path):
    """A run with checkpoints up to update 6."""
    run = shutil.copytree(finished, tmp_path / "run")
    (run / "manifest.json").unlink()
    for path in (run / "checkpoints").iterdir():
        if int(path.stem.split("=")[1]) > 6:
            path.unlink()
    return run


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.ENOSPC, "no space is left on the disk"), (errno.EACCES, "no permission to read or write")],
)
def test_a_disk_that_refuses_keeps_the_finished_checkpoints(
    half_done, finished, fit, capsys, monkeypatch, number, told
):
    """The disk fails while the checkpoint of update 8 is written; afterwards the run goes on and ends as it should."""
    import tinymodels.checkpoints as checkpoints

    kept = {path: path.read_bytes() for path in (half_done / "checkpoints").iterdir()}
    replace = os.replace

    def failing(source, target):
        if str(target).endswith("step=8.ckpt"):
            raise OSError(number, os.strerror(number), str(target))
        replace(source, target)

    monkeypatch.setattr(checkpoints.os, "replace", failing)
    options = ("--ckpt_path=last", "--checkpoints.every=2", "--checkpoints.keep=100")
    assert fit(half_done, *options) == 1
    assert told in refused(capsys)
    left = {path: path.read_bytes() for path in (half_done / "checkpoints").iterdir()}
    assert left == kept
    monkeypatch.undo()
    assert fit(half_done, *options) == 0
    assert (half_done / "metrics.csv").read_bytes() == (finished / "metrics.csv").read_bytes()


def test_no_space_while_encoding_leaves_no_half_made_tokens(fit, corpus, tmp_path, capsys, monkeypatch):
    import numpy

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(numpy, "save", full)
    assert fit(tmp_path / "run", f"--data.cache={tmp_path / 'tokens'}") == 1
    assert "no space is left" in refused(capsys)
    assert list((tmp_path / "tokens").iterdir()) == []


def test_a_real_full_disk(finished, half_done, fit, tmp_path, capsys):
    """A file system of two megabytes, where mounting one is allowed."""
    import subprocess

    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        assert fit(small / "run", "--checkpoints.every=1", "--checkpoints.keep=100", "--trainer.max_steps=40") == 1
        assert "no space is left on the disk" in refused(capsys)
        from tinymodels.checkpoints import last_checkpoint

        assert last_checkpoint(small / "run") is not None
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)


def test_the_run_folder_cannot_be_made(fit, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert fit(tmp_path / "file" / "run") == 1
    refused(capsys)


def test_damaged_weights_are_one_sentence(model, tmp_path, capsys):
    broken = shutil.copytree(model, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"\0" * 100)
    assert kathalab.main(["tinymodels", "sample", str(broken)]) == 1
    assert "cannot be opened" in refused(capsys)


def test_an_openings_longer_than_the_context_is_one_sentence(model, capsys):
    assert kathalab.main(["tinymodels", "sample", str(model), "--prompt", "राजा " * 40]) == 1
    assert "context" in refused(capsys)
