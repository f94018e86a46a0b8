"""What makes two runs the same run, so that one may go on from the other's checkpoint."""

from __future__ import annotations

import os
import sys
from enum import Enum
from typing import Any

import lightning.pytorch as pl
import torch

from corpora.errors import UserError

TO_SCORE = ("the tokenizer", "model.vocabulary_size", "model.width", "model.layers", "model.heads", "model.kv_heads")
"""What must agree even where a checkpoint is only scored."""
LENGTH = ("trainer.max_steps", "trainer.max_epochs")
"""What may change once a run is finished: then it goes on past its end. Before, it would bend the schedule."""
TRAINER = (
    *("max_steps", "max_epochs", "accumulate_grad_batches", "gradient_clip_val", "gradient_clip_algorithm"),
    *("val_check_interval", "check_val_every_n_epoch", "reload_dataloaders_every_n_epochs"),
    *("limit_train_batches", "limit_val_batches", "overfit_batches"),
)
"""Options of Lightning's trainer that decide the weights, the rows of `metrics.csv` or the samples."""


def identity(trainer: pl.Trainer) -> dict[str, Any]:
    """Every setting that decides a byte of the weights, of `metrics.csv` or of `samples.jsonl`, with the fingerprints
    of what is read; plain values by name.

    How often a checkpoint is taken and kept, where things lie, and what is shown may change between a run's parts.
    """
    settings = {
        **trainer.datamodule.identity,  # type: ignore[attr-defined]
        **trainer.lightning_module.identity,  # type: ignore[dict-item]
        "seed_everything": os.environ.get("PL_GLOBAL_SEED"),  # where Lightning keeps it
        "trainer.precision": str(trainer.precision),
        "trainer.deterministic": torch.are_deterministic_algorithms_enabled(),
        **{f"trainer.{name}": getattr(trainer, name) for name in TRAINER},
    }
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        settings |= getattr(callback, "identity", {})
    return {name: plain(value) for name, value in settings.items()}


def machine(trainer: pl.Trainer) -> dict[str, str]:
    """What rounds the same sums otherwise. It may change, but then so do the bytes."""
    return {
        "torch": str(torch.__version__),
        "device": trainer.strategy.root_device.type,
        "processes": str(trainer.world_size),
        "compiled": str(trainer.lightning_module.compile_training),  # type: ignore[union-attr]
    }


def plain(value: Any) -> Any:
    """A number or name without its class: no checkpoint may hold jsonargparse's restricted numbers, or enumerations."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return int(value) if isinstance(value, int) else float(value)


def refuse_another_run(trainer: pl.Trainer, checkpoint: dict[str, Any]) -> None:
    """UserError naming the first setting in which a checkpoint's run differs from this one."""
    saved, current = checkpoint["kathalab"]["identity"], identity(trainer)
    for name in current if trainer.state.fn == "fit" else TO_SCORE:
        if name in LENGTH and checkpoint["kathalab"].get("finished"):
            continue
        if repr(saved.get(name)) != repr(current[name]):  # 1 and 1.0 are equal, but a batch and an epoch to Lightning
            raise UserError(
                f"the checkpoint at step {checkpoint['global_step']} is of another run: {name} was "
                f"{_short(saved.get(name))} and is now {_short(current[name])}; "
                "give the same configuration, or another `--trainer.default_root_dir` to start anew."
            )


def tell_of_another_machine(trainer: pl.Trainer, checkpoint: dict[str, Any]) -> None:
    """A line on stderr for each thing that makes the run go on to other bytes."""
    for name, value in machine(trainer).items():
        if (before := checkpoint["kathalab"]["machine"].get(name, value)) != value and trainer.is_global_zero:
            print(
                f"the run goes on, but not to the same bytes: {name} was {before} and is now {value}.", file=sys.stderr
            )


def _short(value: Any) -> str:
    text = str(value)
    return text[:12] + "…" if len(text) == 64 else text
