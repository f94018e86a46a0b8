"""Short runs of a configuration, to compare or measure things before a long one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.cli import LightningCLI

from tinymodels.data import StoryData
from tinymodels.module import StoryModel
from tinymodels.training import best_precision

RATES = ("matrix_learning_rate", "learning_rate")


class ShortRuns:
    """Runs of a configuration from its own first weights over its own first batches, each with something changed."""

    def __init__(self, cli: LightningCLI) -> None:
        self.cli = cli
        options = cli.config
        self.batch_size = int(options.data.batch_size)
        self.tokens = self.batch_size * int(options.data.sequence_length)
        self.rates = {name: float(options.model[name]) for name in RATES}
        if options.model.optimizer == "adamw":
            del self.rates["matrix_learning_rate"]
        self.accumulated = int(options.trainer.accumulate_grad_batches)
        data = self._build()[1]
        self.inputs = data.inputs
        length = options.trainer.max_steps
        self.length = length if length > 0 else (options.trainer.max_epochs or 1) * data.batches_per_epoch

    def _build(self, **changes: Any) -> tuple[StoryModel, StoryData]:
        options = self.cli.config.clone()
        for name, value in changes.items():
            options[name.replace("__", ".")] = value
        built = self.cli.parser.instantiate_classes(options)
        return built.model, built.data

    def run(self, updates: int, callbacks: Sequence[Callback] = (), weights: Any = None, **changes: Any) -> StoryModel:
        """Train for so many updates, the schedule squeezed into them; no validation if there are callbacks."""
        warmup = max(1, round(int(self.cli.config.model.warmup) * min(1.0, updates / self.length)))
        model, data = self._build(**{"model__warmup": warmup, **changes})
        if weights is not None:
            model.load_state_dict(weights)
        options = self.cli.config.trainer
        accumulated = 1 if callbacks else self.accumulated
        trainer = pl.Trainer(
            accelerator=options.accelerator,
            devices=1,
            precision=options.precision or best_precision(options.accelerator),
            max_steps=updates,
            accumulate_grad_batches=accumulated,
            gradient_clip_val=None if callbacks else options.gradient_clip_val,
            gradient_clip_algorithm=options.gradient_clip_algorithm,
            val_check_interval=updates * accumulated,
            limit_val_batches=0 if callbacks else None,
            callbacks=list(callbacks),
            num_sanity_val_steps=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(model, datamodule=data)
        return model
