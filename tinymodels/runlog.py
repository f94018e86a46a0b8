"""What a run writes while it trains: `metrics.csv` (the same bytes however often it was killed) and `timing.csv`."""

from __future__ import annotations

import csv
import io
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from jsonargparse.typing import PositiveInt
from lightning.pytorch.callbacks import Callback, ProgressBar

from corpora.errors import UserError
from corpora.folders import write_text
from tinymodels import monitor
from tinymodels.data import TrainingBatches
from tinymodels.distributed import gathered, own
from tinymodels.module import StoryModel

COLUMNS = (
    "step",
    "tokens",
    "epoch",
    "learning_rate",
    "train_loss",
    "validation_loss",
    "validation_bits_per_character",
)


def validation_is_due(trainer: pl.Trainer) -> bool:
    """Whether Lightning will validate right after this batch: its own decision, asked before it acts on it."""
    loop = trainer.fit_loop
    return loop._data_fetcher is not None and loop.epoch_loop._should_check_val_fx(loop._data_fetcher)


def truncate(path: Path, keep: Callable[[str], bool]) -> None:
    """Keep only the whole lines of a file that `keep` accepts; what a killed run wrote past its checkpoint goes."""
    if path.exists():
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        write_text(path, "".join(line for line in lines if line.endswith("\n") and keep(line)))


def append(path: Path, text: str) -> None:
    """Append to a file and wait until it is on the disk."""
    with open(path, "a", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


class RunLog(Callback):
    """Writes a row of `metrics.csv` every `every` updates and at each validation."""

    def __init__(self, every: PositiveInt = 50) -> None:
        """
        Args:
            every: updates between two rows; the training loss of a row is the mean since the row before.
        """
        self.every = every
        self.identity = {"log.every": every}
        self._loss: torch.Tensor | None = None
        self._updates = 0
        self._of_update: torch.Tensor | None = None
        self._left_out = False
        self._last = 0
        self._row: dict[str, Any] | None = None
        self.latest: dict[str, Any] = {}

    # ---- state: the loss summed since the last row, of every process ----

    def state_dict(self) -> dict[str, Any]:
        loss = None if self._loss is None else gathered(self._loss)
        return {"loss": loss, "updates": self._updates, "last": self._last, "latest": self.latest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._loss = None if state["loss"] is None else own(state["loss"])
        self._updates, self._last, self.latest = state["updates"], state["last"], state["latest"]

    @property
    def validation(self) -> dict[str, float]:
        """`loss` and `bits_per_character` of the run's last validation; empty if there was none."""
        names = {"loss": "validation_loss", "bits_per_character": "validation_bits_per_character"}
        return {name: float(self.latest[column]) for name, column in names.items() if column in self.latest}

    # ---- hooks ----

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        assert isinstance(module, StoryModel)
        self.folder = Path(trainer.default_root_dir)
        self.metrics, self.timing = self.folder / "metrics.csv", self.folder / "timing.csv"
        self._of_update, self._left_out = None, False
        if self._loss is not None:
            self._loss = self._loss.to(module.device)
        operations = monitor.operations_per_token(module.size, module.context)
        self.stopwatch = monitor.Stopwatch(module.device, operations)
        if trainer.is_global_zero:
            self._go_on_with_files(trainer)

    def _go_on_with_files(self, trainer: pl.Trainer) -> None:
        """Drop the rows past the checkpoint, and tell the loggers of those before, so that their newest is whole."""
        step = trainer.global_step
        for path, columns in ((self.metrics, COLUMNS), (self.timing, monitor.COLUMNS)):
            truncate(path, lambda line: row_step(line) <= step)
            if step == 0 or not path.exists():
                write_text(path, ",".join(columns) + "\n")
        if trainer.loggers:
            with open(self.metrics, encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    self._tell_loggers(trainer, {name: value for name, value in row.items() if value})

    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        self.stopwatch.batch_starts()

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        updated = not trainer.fit_loop.epoch_loop._should_accumulate()
        self.stopwatch.batch_ends(trainer.world_size * batch[:, 1:].numel(), updated)
        loss = outputs["loss"].detach()  # Lightning has divided it by the number of batches that are accumulated
        self._of_update = loss.clone() if self._of_update is None else self._of_update + loss
        if not updated:
            return
        if not self._left_out:
            self._loss = self._of_update if self._loss is None else self._loss + self._of_update
            self._updates += 1
        self._of_update, self._left_out = None, False
        due = validation_is_due(trainer)
        final = step == module.total_updates  # type: ignore[attr-defined]
        if step % self.every == 0 or due or final:
            self._row = self._measure(trainer, module)  # type: ignore[arg-type]
            if not due:
                self._write(trainer)

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self._row is None:  # validation by its own command
            return
        assert isinstance(module, StoryModel)
        self._row["validation_loss"] = f"{module.validation['loss']:.6f}"
        self._row["validation_bits_per_character"] = f"{module.validation['bits_per_character']:.6f}"
        self._write(trainer)
        self.stopwatch.pause()

    def leave_out(self) -> None:
        """The update at hand is not made (see `spikes.py`): its loss is to stand in no row."""
        self._left_out = True

    def _measure(self, trainer: pl.Trainer, module: StoryModel) -> dict[str, Any]:
        loader = trainer.train_dataloader
        assert isinstance(loader, TrainingBatches)
        step = trainer.global_step
        loss = None if self._loss is None else (gathered(self._loss).mean() / self._updates).item()
        if loss is not None and not math.isfinite(loss):
            raise UserError(
                f"the training loss is {loss} by update {step:,}, so training was stopped; lower `model.learning_rate` "
                "and `model.matrix_learning_rate`, or leave such updates out by `--spikes.action skip`, in a new "
                "`--trainer.default_root_dir`."
            )
        batches = step * trainer.accumulate_grad_batches
        row = {
            "step": step,
            "tokens": loader.tokens_before(batches),
            "epoch": f"{loader.epochs_before(batches):.4f}",
            "learning_rate": f"{module.peaks[-1] * module.learning_rate_factor:.8f}",
        }
        if loss is not None:  # all updates since the last row were left out
            row["train_loss"] = f"{loss:.6f}"
        timing = self.stopwatch.row(step)
        if trainer.is_global_zero:
            append(self.timing, csv_line(timing.get(name) for name in monitor.COLUMNS))
        self._last = step
        self._loss, self._updates = None, 0
        return row

    def _write(self, trainer: pl.Trainer) -> None:
        row, self._row = self._row, None
        assert row is not None
        self.latest |= row
        if trainer.is_global_zero:
            append(self.metrics, csv_line(row.get(name) for name in COLUMNS))
            self._tell_loggers(trainer, row)

    def _tell_loggers(self, trainer: pl.Trainer, row: Mapping[str, Any]) -> None:
        for logger in trainer.loggers:
            numbers = {name: float(value) for name, value in row.items() if name != "step"}
            logger.log_metrics(numbers, step=int(row["step"]))
            logger.save()


def csv_line(values: Iterable[Any]) -> str:
    """A row of a CSV file; None is an empty field."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def log_of(trainer: pl.Trainer) -> RunLog:
    """The trainer's log."""
    return next(found for found in trainer.callbacks if isinstance(found, RunLog))  # type: ignore[attr-defined]


def row_step(line: str) -> int:
    """The step a row of a CSV file belongs to; 0 for the header."""
    first = line.split(",", 1)[0]
    return int(first) if first.isdigit() else 0


class StoryProgress(ProgressBar):
    """One bar for the whole run on a terminal, a line every quarter minute elsewhere; both on stderr."""

    def __init__(self, seconds: float = 15.0) -> None:
        super().__init__()
        self.seconds = seconds
        self._enabled = True

    def disable(self) -> None:
        self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        from tqdm import tqdm

        terminal = sys.stderr.isatty()
        self._log = log_of(trainer)
        self._bar = tqdm(
            desc="training",
            total=int(trainer.estimated_stepping_batches),
            initial=trainer.global_step,
            unit="step",
            file=sys.stderr,
            disable=not self._enabled or not terminal,
            mininterval=0.5,
            dynamic_ncols=True,
        )
        self._lines = self._enabled and not terminal
        self._started = self._printed = time.monotonic()
        self._first = trainer.global_step

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if not self._bar.disable:
            self._bar.update(step - self._bar.n)
            if step == self._log._last:
                self._bar.set_postfix_str(self._described(), refresh=False)
        now = time.monotonic()
        if self._lines and (now - self._printed > self.seconds or step == module.total_updates):
            self._printed = now
            left = (now - self._started) / max(1, step - self._first) * (module.total_updates - step)  # type: ignore[operator]
            told = f"step {step:,} of {module.total_updates:,}, {self._described()}, {left:.0f} s left"
            print(f"training {Path(trainer.default_root_dir).name}: {told}", file=sys.stderr, flush=True)

    def _described(self) -> str:
        latest = self._log.latest
        told = f"loss {float(latest['train_loss']):.3f}" if "train_loss" in latest else "loss not yet known"
        if "validation_bits_per_character" in latest:
            told += f", {float(latest['validation_bits_per_character']):.3f} bits per character"
        return told

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._bar.close()

    def on_exception(self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException) -> None:
        if hasattr(self, "_bar"):
            self._bar.close()
