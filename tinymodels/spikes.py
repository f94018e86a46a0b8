"""Loss spikes: an update whose loss jumps or is no number is left out, or training goes back and round its batches."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from jsonargparse.typing import PositiveFloat, PositiveInt
from lightning.pytorch.callbacks import Callback

from corpora.errors import UserError
from corpora.folders import write_text
from tinymodels.checkpoints import regular_checkpoint
from tinymodels.distributed import local
from tinymodels.identity import plain
from tinymodels.runlog import append, log_of

COLUMNS = "step,loss,mean,deviation,gradient_norm,action,from_step,batches_left_out"
MOST_IN_A_ROW = 20
"""Spikes with no good update between them, or rewinds to one checkpoint, after which it is no spike any more."""


class Rewind(Exception):  # noqa: N818 - it is no error
    """Training is to go on from the checkpoint that is the argument."""


class LossSpikes(Callback):
    """Watches the loss of every update and acts on spikes; each is a row of `spikes.csv`.

    An update is a spike if its loss or the norm of its gradient is not a finite number, or if its loss lies above the
    running mean by more than `deviations` running standard deviations. Mean and variance are exponential ones over
    about `window` updates (plain ones before there are so many), of updates that were no spikes. `skip` drops the
    gradient, so that weights and optimizer stay as they were, as OLMo-core's SkipStepOptimizer does; `rewind` goes
    back to the last regular checkpoint (of `checkpoints.every`) and leaves out the batches from there to beyond the
    spike, as PaLM did (Chowdhery et al. 2022, section 5.1). Before the first checkpoint, `rewind` skips.

    Whether to act is decided on the CPU, so every update is waited for; with `off` nothing is watched or waited for.
    """

    def __init__(
        self,
        action: Literal["off", "skip", "rewind"] = "off",
        deviations: PositiveFloat = 6.0,
        window: PositiveInt = 100,
        batches: PositiveInt = 50,
    ) -> None:
        """
        Args:
            action: `skip` to leave out the update, `rewind` to go back to a checkpoint and on with other batches.
            deviations: standard deviations above the running mean from which on a loss is a spike.
            window: updates over which mean and deviation run; so many come before the first spike but for losses that
                are not finite.
            batches: batches that a rewind leaves out from the checkpoint on; at least those up to the spike's.
        """
        self.action = action
        self.deviations = deviations
        self.window = window
        self.batches = batches
        self.identity = {
            "spikes.action": action,
            "spikes.deviations": plain(deviations),
            "spikes.window": plain(window),
            "spikes.batches": plain(batches),
        }
        self.mean = 0.0
        self.variance = 0.0
        self.seen = 0
        """Good updates so far."""
        self.in_a_row = 0
        self.rows = 0
        """Of `spikes.csv`, without its header."""
        self.skipped = 0
        """Batches left out so far by rewinds."""
        self._loss: torch.Tensor | None = None
        self._rewound: dict[str, Any] | None = None

    def state_dict(self) -> dict[str, Any]:
        names = ("mean", "variance", "seen", "in_a_row", "rows", "skipped")
        return {name: getattr(self, name) for name in names} if self.action != "off" else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    # ---- the file ----

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self.action == "off":
            return
        self._loss = None
        self._log = log_of(trainer)
        self.path = Path(trainer.default_root_dir) / "spikes.csv"
        if self._rewound is not None:  # these have gone on since the checkpoint was taken
            row = self._rewound["row"]
            self.rows, self.in_a_row = self._rewound["rows"], self._rewound["in_a_row"]
            self.skipped = self._rewound["skipped"]
            self._rewound = None
        else:
            row = None
        trainer.train_dataloader.skipped = self.skipped  # type: ignore[union-attr]
        if trainer.is_global_zero:
            lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
            write_text(self.path, "".join(f"{line}\n" for line in [COLUMNS, *lines[1 : self.rows + 1]]))
        if row is not None:
            self._record(trainer, row)

    def _record(self, trainer: pl.Trainer, row: dict[str, Any]) -> None:
        self.rows += 1
        if trainer.is_global_zero:
            append(self.path, ",".join(str(row.get(name, "")) for name in COLUMNS.split(",")) + "\n")
            print(
                f"update {row['step']:,} had a loss of {row['loss']} (running mean {row['mean']}): "
                + ("it was left out." if row["action"] == "skip" else f"back to update {row['from_step']:,}."),
                file=sys.stderr,
            )

    # ---- every update ----

    def on_before_backward(self, trainer: pl.Trainer, module: pl.LightningModule, loss: torch.Tensor) -> None:
        if self.action != "off":  # Lightning has divided the loss by the number of batches that are accumulated
            self._loss = loss.detach() if self._loss is None else self._loss + loss.detach()

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        if self.action == "off":
            return
        assert self._loss is not None
        loss = trainer.strategy.reduce(self._loss, reduce_op="mean")
        loss, norm = torch.stack([loss.float(), _gradient_norm(trainer, module)]).tolist()
        self._loss = None
        deviation = math.sqrt(self.variance)
        finite = math.isfinite(loss) and math.isfinite(norm)
        if finite and not (self.seen >= self.window and loss > self.mean + self.deviations * deviation):
            self._add(loss)
            self.in_a_row = 0
            return
        self.in_a_row += 1
        step = trainer.global_step + 1
        if self.in_a_row > MOST_IN_A_ROW:
            raise UserError(
                f"the loss is {loss:.6g} at update {step:,} and {MOST_IN_A_ROW} spikes came before it, so training was "
                "stopped; lower `model.learning_rate` and `model.matrix_learning_rate`, or raise `spikes.deviations`."
            )
        row = {
            "step": step,
            "loss": f"{loss:.6f}",
            "mean": f"{self.mean:.6f}",
            "deviation": f"{deviation:.6f}",
            "gradient_norm": f"{norm:.6f}",
            "action": "skip",
        }
        if self.action == "rewind":
            self._rewind(trainer, row)
        self._record(trainer, row)
        self._log.leave_out()
        for weight in module.parameters():  # an optimizer passes by what has no gradient
            weight.grad = None

    def _add(self, loss: float) -> None:
        """Into the exponential mean and variance (West 1979, with the plain ones' weights at first)."""
        self.seen += 1
        weight = 1 / min(self.seen, self.window)
        difference = loss - self.mean
        self.mean += weight * difference
        self.variance = (1 - weight) * (self.variance + weight * difference * difference)

    def _rewind(self, trainer: pl.Trainer, row: dict[str, Any]) -> None:
        """Raise `Rewind` if there is a regular checkpoint; what has to outlive its loading is kept."""
        path = regular_checkpoint(trainer.default_root_dir, int(self.identity["checkpoints.every"]))
        if path is None:
            return
        before = int(path.stem.split("=")[1])
        batches = max(self.batches, (row["step"] - before) * trainer.accumulate_grad_batches)
        row |= {"action": "rewind", "from_step": before, "batches_left_out": batches}
        self._rewound = {
            "row": row,
            "rows": self.rows,
            "in_a_row": self.in_a_row,
            "skipped": self.skipped + batches,
        }
        raise Rewind(path)


def _gradient_norm(trainer: pl.Trainer, module: pl.LightningModule) -> torch.Tensor:
    """Of all gradients together; of shards it is put together."""
    gradients = [weight.grad for weight in module.parameters() if weight.grad is not None]
    norm = torch.nn.utils.get_total_norm([local(gradient) for gradient in gradients]).float()
    if any(local(gradient) is not gradient for gradient in gradients):
        return trainer.strategy.reduce(norm**2, reduce_op="sum") ** 0.5  # type: ignore[return-value]
    return norm
