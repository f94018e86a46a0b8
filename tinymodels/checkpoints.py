"""Exact checkpoints: whole or absent on the disk, plain tensors and values, refused when damaged or of another run.

`checkpoints/step=N.ckpt` has its SHA-256 beside it in `step=N.sha256`, as `sha256sum` writes and checks it
(`cd RUN/checkpoints && sha256sum --check *.sha256`). One manifest per checkpoint and not one for all, so that damage to
a manifest costs one checkpoint and not every one.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import random
import re
import sys
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from jsonargparse.typing import PositiveInt
from lightning.fabric.plugins import CheckpointIO
from lightning.pytorch.callbacks import Checkpoint

from corpora.errors import UserError
from corpora.folders import write_bytes, write_text
from tinymodels.distributed import local
from tinymodels.identity import identity, machine, tell_of_another_machine
from tinymodels.runlog import validation_is_due

FOLDER = "checkpoints"
_OF_TORCH = (torch.Tensor, torch.Size, torch.dtype, torch.device)


class WholeCheckpoints(CheckpointIO):
    """Writes beside the place, waits for the disk, renames; reads tensors and plain values only."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """The checksum is written first, so that no checkpoint ever stands without one."""
        content = io.BytesIO()  # torch.save into a file hides the error of a full disk behind one of its own
        torch.save(_unshared(checkpoint), content)
        path, whole = Path(path), content.getbuffer()
        try:
            write_text(_checksum(path), f"{hashlib.sha256(whole).hexdigest()}  {path.name}\n")
            write_bytes(path, whole)
        except BaseException:
            _checksum(path).unlink(missing_ok=True)
            raise

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """`weights_only` is as if always true: nothing is unpickled."""
        return load(path, map_location or "cpu")

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink(missing_ok=True)
        _checksum(Path(path)).unlink(missing_ok=True)


def load(path: str | os.PathLike[str], map_location: Any = "cpu") -> dict[str, Any]:
    """A checkpoint's content; UserError if the file is damaged or is not a checkpoint of this lab."""
    path = Path(path)
    content = path.read_bytes()
    try:
        expected = _checksum(path).read_text(encoding="ascii").split()
    except (FileNotFoundError, UnicodeDecodeError):
        expected = []
    if expected[:1] != [hashlib.sha256(content).hexdigest()]:
        raise UserError(
            f"the checkpoint {str(path)!r} is damaged, or its SHA-256 in {_checksum(path).name!r} beside it is; "
            "`--ckpt_path last` takes the one before."
        )
    try:
        checkpoint = torch.load(io.BytesIO(content), map_location=map_location, weights_only=True)
    except Exception:  # what a crafted file raises differs
        raise UserError(
            f"{str(path)!r} holds something other than tensors and plain values and was not opened; "
            "give another checkpoint."
        ) from None
    if not isinstance(checkpoint, dict) or "kathalab" not in checkpoint:
        raise UserError(f"{str(path)!r} was not made by `kathalab tinymodels fit`; give another checkpoint.")
    return checkpoint


def _unshared(value: Any) -> Any:
    """The same value with every container its own and equal strings one object: then equal values are equal files.

    A pickle refers back to objects it has met, so the bytes would tell a string that was loaded from one that was not.
    TypeError for what could not be read back with `weights_only`.
    """
    if isinstance(value, dict):
        return {_unshared(key): _unshared(each) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_unshared, value))
    if type(value) is str:
        return sys.intern(value)
    if value is not None and type(value) not in (bool, int, float) and not isinstance(value, _OF_TORCH):
        raise TypeError(f"a checkpoint holds tensors and plain values; {value!r} is a {type(value).__name__}")
    return value


def _checksum(path: Path) -> Path:
    return path.with_suffix(".sha256")


def list_checkpoints(run: str | os.PathLike[str]) -> list[Path]:
    """The checkpoints of a run folder, oldest first."""
    found = {path: re.fullmatch(r"step=(\d+)\.ckpt", path.name) for path in Path(run, FOLDER).glob("*.ckpt")}
    return sorted((path for path, match in found.items() if match), key=_step)


def _step(path: Path) -> int:
    return int(path.stem.split("=")[1])


def last_checkpoint(run: str | os.PathLike[str]) -> Path | None:
    """The newest checkpoint of a run that is whole; None if it has none.

    Damaged newer ones are set aside as `*.damaged`, with a line on stderr. UserError if all are damaged.
    """
    paths = list_checkpoints(run)
    for path in reversed(paths):
        try:
            load(path)
        except UserError:
            aside = path.with_suffix(".damaged")
            os.replace(path, aside)
            _checksum(path).unlink(missing_ok=True)
            print(f"the checkpoint {str(path)!r} is damaged; set aside as {aside.name!r}.", file=sys.stderr)
            continue
        return path
    if paths:
        raise UserError(f"all checkpoints in {os.fspath(run)!r} are damaged; remove the folder and train again.")
    return None


def best_checkpoint(run: str | os.PathLike[str]) -> Path | None:
    """The checkpoint with the fewest bits per character on validation; None if the run has none yet."""
    last = last_checkpoint(run)
    step = 0 if last is None else load(last)["callbacks"][RunCheckpoints.__qualname__]["best_step"]
    return Path(run, FOLDER, f"step={step}.ckpt") if step else None


def regular_checkpoint(run: str | os.PathLike[str], every: int) -> Path | None:
    """The newest checkpoint of a multiple of `every` updates; None if there is none."""
    return next((path for path in reversed(list_checkpoints(run)) if _step(path) % every == 0), None)


class RunCheckpoints(Checkpoint):
    """Saves `checkpoints/step=N.ckpt` every so many updates, at the end and where validation is best so far; keeps the
    newest few and the best.

    A checkpoint is taken when everything that belongs to its step is on the disk: after the step's row of
    `metrics.csv`, and after its validation and samples if there are any.
    """

    def __init__(self, every: PositiveInt = 200, keep: PositiveInt = 2) -> None:
        """
        Args:
            every: updates between two checkpoints.
            keep: how many of the newest to keep, beside the best.
        """
        self.every = every
        self.keep = keep
        self.best_step = 0
        """The step with the fewest bits per character on validation (the first of equals); 0 before any."""
        self.best_bits = math.inf
        self._saved = -1
        self.stop_requested = False
        """Set by Ctrl-C; training stops after the update at hand, with a checkpoint."""

    def state_dict(self) -> dict[str, Any]:
        return {"best_step": self.best_step, "best_bits": self.best_bits}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best_step, self.best_bits = state["best_step"], state["best_bits"]

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.folder = Path(trainer.default_root_dir, FOLDER)
        self._saved = trainer.global_step
        if not trainer.is_global_zero:
            return
        alone = [path for path in self.folder.glob("*.sha256") if not path.with_suffix(".ckpt").exists()]
        for leftover in [*self.folder.glob(".*.partial"), *alone]:  # of a run killed while it wrote or removed
            leftover.unlink(missing_ok=True)

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if not validation_is_due(trainer):
            self._step_is_complete(trainer)

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._step_is_complete(trainer, module.validation["bits_per_character"])  # type: ignore[operator, index, arg-type]

    def _step_is_complete(self, trainer: pl.Trainer, bits: float = math.inf) -> None:
        if trainer.fit_loop.epoch_loop._should_accumulate():
            return
        step = trainer.global_step
        if best := bits < self.best_bits:
            self.best_step, self.best_bits = step, bits
        stop = self._all_are_to_stop(trainer)
        due = best or step % self.every == 0 or step == trainer.lightning_module.total_updates or stop
        if due and step != self._saved:
            _refuse_non_finite(trainer)
            trainer.save_checkpoint(self.folder / f"step={step}.ckpt")
            self._saved = step
            if trainer.is_global_zero:
                self._remove_old(trainer)
        if stop:
            raise Stopped(step)

    def _all_are_to_stop(self, trainer: pl.Trainer) -> bool:
        """Whether Ctrl-C was pressed; several processes ask each other every tenth update, so that all stop at one."""
        if trainer.world_size == 1:
            return self.stop_requested
        if trainer.global_step % 10:
            return False
        requested = torch.tensor(float(self.stop_requested), device=trainer.strategy.root_device)
        return bool(trainer.strategy.reduce(requested, reduce_op="sum") > 0)

    def _remove_old(self, trainer: pl.Trainer) -> None:
        """All but the newest few, the best, and the newest regular one, which a rewind goes back to."""
        paths = list_checkpoints(trainer.default_root_dir)
        kept = {self.folder / f"step={self.best_step}.ckpt", regular_checkpoint(trainer.default_root_dir, self.every)}
        for old in paths[: -self.keep]:
            if old not in kept:
                trainer.strategy.remove_checkpoint(old)

    # ---- what a checkpoint holds beside Lightning's own ----

    def on_save_checkpoint(self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["kathalab"] = {
            "identity": identity(trainer),
            "machine": machine(trainer),
            "finished": trainer.global_step == module.total_updates,
            "random": _random_state(),
        }

    def on_load_checkpoint(self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        if trainer.state.fn == "fit":
            tell_of_another_machine(trainer, checkpoint)
            self._random = checkpoint["kathalab"]["random"]
            for later in list_checkpoints(trainer.default_root_dir):  # they go as the later rows of the logs do
                if _step(later) > checkpoint["global_step"]:
                    trainer.strategy.remove_checkpoint(later)

    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        # as late as can be, after whatever draws numbers at a start; a resumed epoch has no `on_train_epoch_start`
        if (state := self.__dict__.pop("_random", None)) is not None:
            _restore_random_state(state)


def _refuse_non_finite(trainer: pl.Trainer) -> None:
    """UserError if a weight is not a finite number: no checkpoint is to hold such weights."""
    total = torch.stack([local(weight.detach()).sum() for weight in trainer.lightning_module.parameters()]).sum()
    if not trainer.strategy.reduce(total, reduce_op="sum").isfinite():
        raise UserError(
            f"the weights are no longer finite after update {trainer.global_step:,}, so training was stopped; lower "
            "`model.learning_rate` and `model.matrix_learning_rate`, or leave out the updates that did it by "
            "`--spikes.action skip`, in a new `--trainer.default_root_dir`."
        )


class Stopped(Exception):  # noqa: N818 - it is no error
    """Training was stopped by Ctrl-C after a whole update, with a checkpoint; its argument is the step."""


def _random_state() -> dict[str, Any]:
    """The states of all generators as tensors and plain values (a checkpoint is read with `weights_only`)."""
    kind, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002
    version, numbers, following = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all(),
        "numpy": [str(kind), torch.from_numpy(np.asarray(keys, dtype=np.int64)), position, has_gauss, gauss],
        "python": [version, list(numbers), following],
    }


def _restore_random_state(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, gauss))  # noqa: NPY002
    version, numbers, following = state["python"]
    random.setstate((version, tuple(numbers), following))
