"""Loggers that are asked for get the rows of `metrics.csv`, which always stays; and `timing.csv`."""

import csv
import importlib.util
from pathlib import Path

import pytest
import torch

from tinymodels import monitor
from tinymodels.checkpoints import list_checkpoints
from tinymodels.sizing import ModelSize

CSV = "--trainer.logger=CSVLogger"


def table(path: Path) -> dict[int, dict[str, float]]:
    """The numbers of each row by its step; a step has one row."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["step"] for row in rows}) == len(rows)
    return {int(row["step"]): {name: float(value) for name, value in row.items() if value} for row in rows}


def test_a_logger_gets_the_rows_and_after_a_resume_all_of_them_again(fit, tmp_path):
    run = tmp_path / "run"
    options = (CSV, f"--trainer.logger.save_dir={run}", "--checkpoints.every=5", "--checkpoints.keep=9")
    assert fit(run, *options) == 0
    own = table(run / "metrics.csv")
    assert set(own[4]) >= {"train_loss", "learning_rate", "validation_bits_per_character"}
    first = run / "lightning_logs" / "version_0" / "metrics.csv"
    assert table(first) == own
    for path in list_checkpoints(run):
        if path.name != "step=5.ckpt":
            path.unlink()
    assert fit(run, *options, "--ckpt_path=last") == 0
    assert table(run / "lightning_logs" / "version_1" / "metrics.csv") == table(run / "metrics.csv") == own
    assert fit(tmp_path / "plain") == 0
    assert (tmp_path / "plain" / "metrics.csv").read_bytes() == (run / "metrics.csv").read_bytes()


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="tensorboard is not installed")
def test_tensorboard_gets_the_rows(fit, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    options = ("--trainer.logger=TensorBoardLogger", f"--trainer.logger.save_dir={tmp_path}")
    assert fit(tmp_path / "run", *options) == 0
    events = EventAccumulator(str(tmp_path / "lightning_logs" / "version_0"))
    events.Reload()
    own = table(tmp_path / "run" / "metrics.csv")
    for name in ("train_loss", "learning_rate", "validation_bits_per_character"):
        expected = {step: row[name] for step, row in own.items() if name in row}
        assert {event.step: event.value for event in events.Scalars(name)} == pytest.approx(expected)


@pytest.mark.skipif(importlib.util.find_spec("wandb") is not None, reason="wandb is installed")
def test_a_missing_package_is_one_sentence(fit, tmp_path, capsys):
    assert fit(tmp_path / "run", "--trainer.logger=WandbLogger") == 1
    told = capsys.readouterr().err
    assert told.startswith("kathalab: error:") and "pip install wandb" in told and told.count("\n") == 1


def test_a_key_that_would_be_written_down_is_refused(fit, tmp_path, capsys):
    options = ("--trainer.logger=lightning.pytorch.loggers.CometLogger", "--trainer.logger.api_key=abc123")
    assert fit(tmp_path / "run", *options) == 1
    told = capsys.readouterr().err
    assert "`api_key` would be written into config.yaml" in told and "abc123" not in told
    assert not (tmp_path / "run").exists()


def test_operations_per_token_by_hand():
    """6 N + 12 L w T with N = 100 * 64 + (4 * 64 * 64 + 3 * 64 * 128 + 2 * 64) * 2 + 64 = 88,640."""
    size = ModelSize(100, width=64, layers=2, heads=2, kv_heads=2, feed_forward=128)
    assert monitor.operations_per_token(size, 32) == 6 * 88_640 + 12 * 2 * 64 * 32


def test_the_stopwatch_gives_the_median_and_the_share_outside(monkeypatch):
    """Updates of 1, 1, 5 and 1 seconds with a quarter of one between batches; what a pause hides is not counted."""
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    watch = monitor.Stopwatch(torch.device("cpu"), operations=10)

    def update(seconds: float) -> None:
        watch.batch_starts()
        now[0] += seconds
        watch.batch_ends(100, updated=True)
        now[0] += 0.25

    for seconds in (1.0, 0.75, 4.75, 0.75):
        update(seconds)
    row = watch.row(4)
    assert row["tokens_per_second"] == "100" and row["gflops"] == "0.00"
    assert float(row["outside_share"]) == pytest.approx(0.75 / (7.25 + 0.75), abs=1e-4)
    assert float(row["peak_memory_mib"]) > 10
    watch.pause()
    now[0] += 1000
    for seconds in (0.5, 0.25):
        update(seconds)
    assert watch.row(6)["tokens_per_second"] == "200"
    assert watch.summary().startswith("150 tokens/s with ")


def test_the_last_line_tells_of_speed_and_memory(fit, tmp_path, capsys):
    assert fit(tmp_path / "run") == 0
    told = capsys.readouterr().out.splitlines()[-1]
    assert " tokens/s with " in told and " MiB at the peak: the run is in" in told
    rows = table(tmp_path / "run" / "timing.csv")
    assert sorted(rows) == [3, 4, 6, 8, 9, 12] and all(row["tokens_per_second"] > 0 for row in rows.values())
