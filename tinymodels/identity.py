"""What makes two runs the same run, so that one may go on from the other's checkpoint."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl

from corpora.errors import UserError

TO_SCORE = ("the tokenizer", "model.vocabulary_size", "model.width", "model.layers", "model.heads", "model.kv_heads")
"""What must agree even where a checkpoint is only scored."""


def identity(trainer: pl.Trainer) -> dict[str, Any]:
    """Every setting that decides a run's bytes, with the fingerprints of what it reads; plain values by name."""
    settings = {
        **trainer.datamodule.identity,  # type: ignore[attr-defined]
        **trainer.lightning_module.identity,  # type: ignore[dict-item]
        "trainer.precision": str(trainer.precision),
        "trainer.accumulate_grad_batches": trainer.accumulate_grad_batches,
    }
    return {name: plain(value) for name, value in settings.items()}


def plain(value: Any) -> Any:
    """A number as a plain int or float: jsonargparse's restricted numbers are classes that no checkpoint may hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return int(value) if isinstance(value, int) else float(value)


def refuse_another_run(trainer: pl.Trainer, checkpoint: dict[str, Any]) -> None:
    """UserError naming the first setting in which a checkpoint's run differs from this one."""
    saved, current = checkpoint["kathalab"]["identity"], identity(trainer)
    for name in current if trainer.state.fn == "fit" else TO_SCORE:
        if saved.get(name) != current[name]:
            raise UserError(
                f"the checkpoint at step {checkpoint['global_step']} is of another run: {name} was "
                f"{_short(saved.get(name))} and is now {_short(current[name])}; "
                "give the same configuration, or another `--trainer.default_root_dir` to start anew."
            )


def _short(value: Any) -> str:
    text = str(value)
    return text[:12] + "…" if len(text) == 64 else text
