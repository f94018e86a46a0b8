"""What a run writes while it trains: `metrics.csv` (the same bytes however often it was killed) and `timing.csv`."""

from __future__ import annotations

import csv
import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from jsonargparse.typing import PositiveInt
from lightning.pytorch.callbacks import Callback, ProgressBar

from corpora.folders import write_text
from tinymodels.data import TrainingBatches
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
        self._batches = 0
        self._last = 0
        self._row: dict[str, Any] | None = None
        self.latest: dict[str, Any] = {}

    # ---- state: the loss summed since the last row ----

    def state_dict(self) -> dict[str, Any]:
        return {"loss": self._loss, "batches": self._batches, "last": self._last, "latest": self.latest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._loss, self._batches, self._last = state["loss"], state["batches"], state["last"]
        self.latest = state["latest"]

    @property
    def validation(self) -> dict[str, float]:
        """`loss` and `bits_per_character` of the run's last validation; empty if there was none."""
        names = {"loss": "validation_loss", "bits_per_character": "validation_bits_per_character"}
        return {name: float(self.latest[column]) for name, column in names.items() if column in self.latest}

    # ---- hooks ----

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.folder = Path(trainer.default_root_dir)
        self.metrics, self.timing = self.folder / "metrics.csv", self.folder / "timing.csv"
        step = trainer.global_step
        for path, header in ((self.metrics, ",".join(COLUMNS)), (self.timing, "step,seconds,tokens_per_second")):
            truncate(path, lambda line: row_step(line) <= step)
            if step == 0 or not path.exists():
                write_text(path, header + "\n")
        if self._loss is not None:
            self._loss = self._loss.to(module.device)
        self._started = self._marked = time.perf_counter()
        self._marked_step = step
        self._paused = False

    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        if self._paused:  # by validation and samples, which do not count as training time
            self._marked, self._paused = time.perf_counter(), False

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        loss = outputs["loss"].detach()
        self._loss = loss.clone() if self._loss is None else self._loss + loss
        self._batches += 1
        step = trainer.global_step
        if step == self._last:  # gradients are being accumulated: no update was made
            return
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

    def _measure(self, trainer: pl.Trainer, module: StoryModel) -> dict[str, Any]:
        assert self._loss is not None
        loader = trainer.train_dataloader
        assert isinstance(loader, TrainingBatches)
        step = trainer.global_step
        batches = step * trainer.accumulate_grad_batches
        tokens = loader.tokens_before(batches)
        row = {
            "step": step,
            "tokens": tokens,
            "epoch": f"{loader.epochs_before(batches):.4f}",
            "learning_rate": f"{module.peaks[-1] * module.learning_rate_factor:.8f}",
            "train_loss": f"{(self._loss / self._batches).item():.6f}",
        }
        now = time.perf_counter()
        marked = loader.tokens_before(self._marked_step * trainer.accumulate_grad_batches)
        speed = (tokens - marked) / (now - self._marked)
        append(self.timing, f"{step},{now - self._started:.2f},{speed:.0f}\n")
        self._marked, self._marked_step, self._last = now, step, step
        self._loss, self._batches = None, 0
        return row

    def _write(self, trainer: pl.Trainer) -> None:
        row, self._row = self._row, None
        assert row is not None
        line = io.StringIO()
        csv.DictWriter(line, COLUMNS, restval="", lineterminator="\n").writerow(row)
        append(self.metrics, line.getvalue())
        self.latest |= row
        for logger in trainer.loggers:
            numbers = {name: float(value) for name, value in row.items() if name != "step"}
            logger.log_metrics(numbers, step=row["step"])
        self._paused = "validation_loss" in row


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
        self._log = next(callback for callback in trainer.callbacks if isinstance(callback, RunLog))  # type: ignore[attr-defined]
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
