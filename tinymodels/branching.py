"""One trunk, many decay branches: a run that begins where another one's checkpoint ends, and lets its rate fall."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from corpora.errors import UserError
from corpora.folders import read_manifest, sha256
from tinymodels.checkpoints import FOLDER, last_checkpoint, load
from tinymodels.data import StoryData, TrainingBatches
from tinymodels.mixture import Part, Stage
from tinymodels.module import StoryModel
from tinymodels.schedule import branch_factor, learning_rate_factor

FREE = ("model.warmup", "model.decay", "model.schedule", "model.tail", "model.final", "model.seed")
"""Settings of the model in which a branch may differ from its trunk; the others are its shape and its optimizer."""
ORDER = ("data.seed", "data.languages", "data.sequence_length", "data.batch_size", "data.packing")
"""What decides the order of the stories: it must agree for a branch to go on in it."""


@dataclass(frozen=True)
class Trunk:
    """The checkpoint that a branch begins with; plain values."""

    path: str
    step: int
    sha256: str
    factor: float
    """Of the trunk's peak learning rate at that step."""
    steps: int
    """Updates behind these weights, those of the trunk's own trunk included; the next three likewise."""
    tokens: int
    licenses: list[str]
    corpora: list[list[Any]]
    """Path and languages of each corpus."""
    parts: list[dict[str, Any]]
    """What was read of the corpus at hand, as `mixture.Part`; empty where the branch reads another one."""


class Lineage(Callback):
    """What a run's weights come from: its trunk, if it is a branch, and all that was read."""

    def __init__(self, source: str | None = None) -> None:
        """`source` is a checkpoint or a run folder, whose newest whole checkpoint is taken."""
        self.source = source
        self.trunk: Trunk | None = None
        self.identity: dict[str, Any] = {"from": None}
        self._checkpoint: dict[str, Any] | None = None

    def open(self, model: StoryModel, data: StoryData, own: str | None, anneal: bool) -> None:
        """Find the trunk: as the run's own checkpoint has it, or by the source where the run has none yet.

        UserError where the model cannot go on from the trunk's weights and optimizer, or the data not in its order.
        """
        self.data = data
        licenses = read_manifest(data.corpus, "corpus").get("licenses", [])
        if own is not None and self.source is not None:
            known = lineage_of(load(own), own)["trunk"]
            self.trunk = None if known is None else Trunk(**known)
            self.identity["from"] = self._digest_now()
        elif self.source is not None:
            path = _checkpoint_of(self.source)
            self._checkpoint = load(path)
            self.trunk = _trunk(path, self._checkpoint, model, data, anneal)
            self.identity["from"] = self.trunk.sha256
        if self.trunk is not None:
            model.branched_at = self.trunk.factor
            data.before = [Part(**part | {"stages": _stages(part["stages"])}) for part in self.trunk.parts]
            licenses += self.trunk.licenses
        self.licenses = sorted(set(licenses))
        """Of everything that was read."""

    def _digest_now(self) -> str:
        """SHA-256 of the source's checkpoint; where it is gone meanwhile, that of the run's record of it."""
        assert self.source is not None
        path = Path(self.source)
        if path.is_dir() and self.trunk is not None:
            path = path / FOLDER / f"step={self.trunk.step}.ckpt"
        if self.trunk is not None and not path.exists():
            return self.trunk.sha256
        return sha256(_checkpoint_of(path))

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self._checkpoint is not None:
            trainer.strategy.load_model_state_dict(self._checkpoint)
            trainer.strategy.load_optimizer_state_dict(self._checkpoint)
            self._checkpoint = None

    # ---- what a checkpoint and the manifest tell of it ----

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self._trainer = trainer

    def state_dict(self) -> dict[str, Any]:
        trainer, trunk, data = self._trainer, self.trunk, self.data
        batches = trainer.train_dataloader
        assert isinstance(batches, TrainingBatches)
        own = batches.tokens_before(trainer.global_step * trainer.accumulate_grad_batches)
        return {
            "trunk": None if trunk is None else asdict(trunk),
            "steps": trainer.global_step + (trunk.steps if trunk else 0),
            "tokens": own + (trunk.tokens if trunk else 0),
            "licenses": self.licenses,
            "corpora": [*(trunk.corpora if trunk else []), [data.corpus, data.languages]],
        }

    @property
    def facts(self) -> dict[str, Any]:
        """For the run's manifest: nothing, or the trunk."""
        if self.trunk is None:
            return {}
        told = ("path", "step", "sha256", "steps", "tokens", "corpora")
        return {"trunk": {name: value for name, value in asdict(self.trunk).items() if name in told}}


def lineage_of(checkpoint: Mapping[str, Any], path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a checkpoint's weights come from, as `Lineage` keeps it."""
    found = checkpoint["callbacks"].get(Lineage.__qualname__)
    if found is None:
        raise UserError(f"the checkpoint {os.fspath(path)!r} was made by an older kathalab; train again.")
    return found


def _checkpoint_of(source: str | os.PathLike[str]) -> Path:
    path = Path(source)
    found = last_checkpoint(path) if path.is_dir() else path if path.is_file() else None
    if found is None:
        raise UserError(f"there is no checkpoint at {str(path)!r} to branch from; check `--from`.")
    return found


def _trunk(path: Path, checkpoint: dict[str, Any], model: StoryModel, data: StoryData, anneal: bool) -> Trunk:
    settings, lineage = checkpoint["kathalab"]["identity"], lineage_of(checkpoint, path)
    here = {**data.identity, **model.identity}
    same = settings["the corpus"] == here["the corpus"]
    names = ["the tokenizer", *(name for name in model.identity if name not in FREE)]
    if same:
        names += [*ORDER, "data.stages"]
    elif not anneal:
        names.append("the corpus")
    for name in names:
        before, now = settings.get(name), here[name]
        if name == "data.stages":  # others may follow, but not on a trunk without any, or the reverse
            before, now = ("none" if value is None else "given" for value in (before, now))
        if repr(before) != repr(now):
            told = [str(value)[:12] + "…" if name.startswith("the ") else str(value) for value in (before, now)]
            raise UserError(
                f"the branch does not fit its trunk {str(path)!r}: {name} was {told[0]} and is now {told[1]}; "
                + ("give the corpus as `--anneal-on`." if name == "the corpus" else "give what the trunk had.")
            )
    step, before = checkpoint["global_step"], lineage["trunk"]
    factor = _factor_at(step, settings, before)
    if factor <= 0:
        raise UserError(
            f"the learning rate of the trunk {str(path)!r} has fallen to nothing at step {step}; branch from a "
            "checkpoint before its decay, or train the trunk with `--model.schedule constant`."
        )
    each = settings["trainer.accumulate_grad_batches"]
    used = step * each + checkpoint["callbacks"].get("LossSpikes", {}).get("skipped", 0)
    part = {"stages": settings["data.stages"], "batches": settings["trainer.max_steps"] * each, "used": used}
    return Trunk(
        path=str(path),
        step=step,
        sha256=sha256(path),
        factor=factor,
        steps=lineage["steps"],
        tokens=lineage["tokens"],
        licenses=lineage["licenses"],
        corpora=lineage["corpora"],
        parts=[*(before["parts"] if before else []), part] if same else [],
    )


def _factor_at(step: int, settings: Mapping[str, Any], before: Mapping[str, Any] | None) -> float:
    """Of the learning rate that the trunk's next update would have, or has."""
    total, tail, final = settings["trainer.max_steps"], settings["model.tail"], settings["model.final"]
    if before is not None:
        return branch_factor(step, total, before["factor"], tail, final)
    options = {name: settings[f"model.{name}"] for name in ("warmup", "decay", "schedule")}
    return learning_rate_factor(step, total, tail=tail, final=final, **options)


def _stages(plain: list[dict[str, Any]] | None) -> list[Stage]:
    return [Stage(**stage) for stage in plain or []]
