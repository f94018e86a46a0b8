"""Checkpoints of a prompt: whole or absent on the disk, tensors and plain values only, refused if of another run."""

from __future__ import annotations

import csv
import io
import math
import os
import sys
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins import CheckpointIO
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor

from corpora.errors import UserError
from corpora.folders import write_bytes, write_text
from prompts.soft import SoftPrompt
from prompts.training.module import PromptTuning

LAST = Path("checkpoints", "last.ckpt")
COLUMNS = (
    *("step", "epoch", "learning_rate", "loss", "cross_entropy", "seen_bias", "kl_to_base", "norm"),
    *("validation_loss", "validation_accuracy"),
)
"""Of `metrics.csv`: losses are means over the updates since the row before, in nats and unweighted but for `loss`."""


class WholeCheckpoints(CheckpointIO):
    """Writes beside the place, waits for the disk, renames; reads tensors and plain values only."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        content = io.BytesIO()
        torch.save(checkpoint, content)
        write_bytes(path, content.getbuffer())

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """`weights_only` is as if always true: nothing is unpickled."""
        return load(path)

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A checkpoint's content; UserError if the file is damaged or no checkpoint of a prompt."""
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception:  # what a damaged file raises differs
        raise UserError(
            f"the checkpoint {os.fspath(path)!r} is damaged; remove the run folder and train again."
        ) from None
    if not isinstance(checkpoint, dict) or "kathalab" not in checkpoint:
        raise UserError(f"{os.fspath(path)!r} was not made by `kathalab prompts fit`; give another checkpoint.")
    return checkpoint


class PromptCheckpoints(Checkpoint):
    """At each validation: a row of `metrics.csv`, `checkpoints/last.ckpt`, and the best prompt so far kept in it.

    The best is that of the lowest validation loss (the first of equals). All rows stand in the checkpoint and the file
    is written anew from them, so that a resumed run writes the same bytes.
    """

    def __init__(self, identity: dict[str, Any]) -> None:
        """`identity`: every setting that decides the prompt; a checkpoint with another is refused."""
        self.identity = identity
        self.rows: list[dict[str, Any]] = []
        self.best: dict[str, Any] = {"step": 0, "loss": math.inf, "prompt": {}}
        self._sums: dict[str, Tensor] = {}
        self._updates = 0

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "best": self.best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rows, self.best = state["rows"], state["best"]

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.folder = Path(trainer.default_root_dir)
        self.write_rows(self.folder)

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        for name, value in outputs.items():
            self._sums[name] = self._sums.get(name, torch.zeros(())) + value.detach().cpu()
        self._updates += 1

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        assert isinstance(module, PromptTuning)
        step, loss = trainer.global_step, module.validation["loss"]
        means = {name: value.item() / self._updates for name, value in self._sums.items()}
        if not all(map(math.isfinite, (*means.values(), loss))):
            raise UserError(
                f"the loss is no longer finite by update {step:,}, so training was stopped; lower `model.rates` in a "
                "new `--trainer.default_root_dir`."
            )
        self._sums, self._updates = {}, 0
        self.rows.append(
            {
                "step": step,
                "epoch": f"{step / trainer.datamodule.batches_per_epoch:.2f}",  # type: ignore[attr-defined]
                "learning_rate": f"{module.peaks[0] * module.rate:.8f}",
                **{name: f"{value:.6f}" for name, value in means.items()},
                "validation_loss": f"{loss:.6f}",
                "validation_accuracy": f"{module.validation['accuracy']:.4f}",
            }
        )
        if loss < self.best["loss"]:
            prompt = {name: value.detach().clone() for name, value in module.soft.state_dict().items()}
            self.best = {"step": step, "loss": loss, "prompt": prompt}
        trainer.save_checkpoint(self.folder / LAST)
        self.write_rows(self.folder)
        told = f"loss {means['loss']:.3f}, on validation {loss:.3f} ({100 * module.validation['accuracy']:.1f}% right)"
        print(f"update {step:,} of {module.total_updates:,}: {told}", file=sys.stderr, flush=True)

    def best_prompt(self, module: PromptTuning) -> SoftPrompt:
        """The best prompt so far, without what only training needs; the module then holds it."""
        if self.best["prompt"]:
            module.soft.load_state_dict(self.best["prompt"])
        return module.soft.folded()

    def write_rows(self, folder: Path) -> None:
        """Write `metrics.csv` with the rows so far."""
        table = io.StringIO()
        writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_text(folder / "metrics.csv", table.getvalue())

    # ---- what a checkpoint holds beside Lightning's own ----

    def on_save_checkpoint(self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["kathalab"] = {"identity": self.identity}

    def on_load_checkpoint(self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        saved = checkpoint["kathalab"]["identity"]
        for name, value in self.identity.items():
            if saved.get(name) != value:
                raise UserError(
                    f"the checkpoint is of another run: {name} was {saved.get(name)} and is now {value}; give the same "
                    "configuration, or another `--trainer.default_root_dir` to start anew."
                )
