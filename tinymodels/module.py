"""The LightningModule: loss, optimizer with its schedule, and validation in bits per character."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from jsonargparse.typing import ClosedUnitInterval, NonNegativeFloat, NonNegativeInt, PositiveInt
from torch import Tensor
from torch.nn.functional import cross_entropy

from tinymodels.architecture import BEGIN, PADDING, build
from tinymodels.distributed import shard
from tinymodels.fast import IGNORED, ChunkedCrossEntropy, can_compile, final_states
from tinymodels.identity import plain, refuse_another_run
from tinymodels.optimizers import make_optimizer
from tinymodels.schedule import Schedule, Tail, branch_factor, learning_rate_factor
from tinymodels.sizing import size_for


class StoryModel(pl.LightningModule):
    """A Llama of a given parameter budget, trained to continue stories."""

    def __init__(
        self,
        parameters: PositiveInt = 1_000_000,
        vocabulary_size: PositiveInt = 2048,
        context: PositiveInt = 256,
        width: PositiveInt | None = None,
        layers: PositiveInt | None = None,
        heads: PositiveInt | None = None,
        kv_heads: PositiveInt | None = None,
        feed_forward: PositiveInt | None = None,
        optimizer: Literal["muon", "adamw"] = "muon",
        matrix_learning_rate: NonNegativeFloat = 0.02,
        learning_rate: NonNegativeFloat = 0.02,
        momentum: ClosedUnitInterval = 0.95,
        betas: tuple[float, float] = (0.9, 0.95),
        weight_decay: NonNegativeFloat = 0.1,
        warmup: NonNegativeInt = 50,
        decay: ClosedUnitInterval = 0.3,
        schedule: Schedule = "wsd",
        tail: Tail = "linear",
        final: ClosedUnitInterval = 0.0,
        z_loss: NonNegativeFloat = 0.0,
        compile: bool | None = None,
        seed: NonNegativeInt = 1,
    ) -> None:
        """
        Args:
            parameters: budget for all weights, the embedding included; gives the shape together with the vocabulary.
            vocabulary_size: pieces of the tokenizer; comes from the data.
            context: the longest text in tokens the model will read; comes from the data's sequence length.
            width: width of the residual stream; what is not given of the shape follows from the budget.
            layers: number of blocks; likewise.
            heads: attention heads; likewise.
            kv_heads: key-value heads, a divisor of the heads; likewise.
            feed_forward: width of the SwiGLU layer; likewise.
            optimizer: `muon` (Muon for the blocks' matrices, AdamW for the rest) or `adamw` (for everything).
            matrix_learning_rate: Muon's peak learning rate.
            learning_rate: AdamW's peak learning rate.
            momentum: Muon's momentum.
            betas: AdamW's decay rates.
            weight_decay: decoupled weight decay of all matrices (not of the norms).
            warmup: updates over which the learning rate rises.
            decay: share of all updates over which it falls at the end, where `schedule` is `wsd`.
            schedule: of the learning rate after its rise: `wsd` (warm-up, stable, decay), `cosine` or `linear` (both
                fall over all that is left) or `constant`.
            tail: shape of `wsd`'s fall, and of a branch's: `linear`, `1-sqrt` or `exponential`.
            final: share of the peak learning rate that is left at the end.
            z_loss: weight of the squared logarithm of the softmax's normaliser, which keeps logits small; 0 for none.
            compile: train through `torch.compile`, which costs half a minute once and makes steps a third shorter;
                where there is a compiler if not given.
            seed: of the first weights.
        """
        super().__init__()
        self.size = size_for(parameters, vocabulary_size, width, layers, heads, kv_heads, feed_forward)
        self.context = context
        self.optimizer_options: dict[str, Any] = {
            "name": optimizer,
            "matrix_learning_rate": matrix_learning_rate,
            "learning_rate": learning_rate,
            "momentum": momentum,
            "betas": betas,
            "weight_decay": weight_decay,
        }
        self.optimizer_options = {name: plain(value) for name, value in self.optimizer_options.items()}
        self.schedule: dict[str, Any] = {
            **{"warmup": plain(warmup), "decay": plain(decay)},
            **{"schedule": schedule, "tail": tail, "final": plain(final)},
        }
        self.identity = {
            **{f"model.{name}": value for name, value in asdict(self.size).items()},
            "model.context": context,
            "model.optimizer": optimizer,
            **{f"model.{name}": value for name, value in self.optimizer_options.items() if name != "name"},
            **{f"model.{name}": value for name, value in self.schedule.items()},
            "model.betas": list(betas),
            "model.z_loss": z_loss,
            "model.seed": seed,
        }
        """What a checkpoint must agree with to be resumed; plain values."""
        self.z_loss = z_loss
        self.compile_training = compile
        self.model = build(self.size, context, seed)
        self.total_updates = 0
        self.learning_rate_factor = 0.0
        self.branched_at: float | None = None
        """Of a branch: the trunk's factor on the learning rate, from which it falls."""
        self.validation: dict[str, float] = {}
        """`loss` (nats per token) and `bits_per_character` of the last validation."""

    def setup(self, stage: str) -> None:
        if self.compile_training is None:
            self.compile_training = can_compile(self.trainer.strategy.root_device.type)

    def configure_model(self) -> None:
        shard(self)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits of the next token at each place; ids [batch, length] -> [batch, length, vocabulary]."""
        states = self.states(ids)
        return states @ self.table.to(states.dtype).T

    def states(self, ids: Tensor, compiled: bool = False) -> Tensor:
        """What the output layer reads, ids [batch, length] -> [batch, length, width], in the precision of training.

        A token sees its own story only. A window holds the end of one story and the beginning of the next; else the
        model would learn to look past the beginning, where at inference there is nothing, and copy the wrong names.
        """
        kind = ids.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else self.table.dtype
        with torch.autocast(kind, enabled=False):
            return final_states(self.model, ids, (ids == BEGIN).cumsum(dim=1), dtype, compiled)

    @property
    def table(self) -> Tensor:
        """The embedding, which is the output layer too; [vocabulary, width]."""
        return self.model.model.embed_tokens.weight  # type: ignore[no-any-return]

    def training_step(self, windows: Tensor, index: int) -> Tensor:
        """Mean loss in nats per token over windows [batch, sequence_length + 1], where padding is no target."""
        compiled = bool(self.compile_training)
        states = self.states(windows[:, :-1], compiled).flatten(0, 1)
        targets = windows[:, 1:].flatten()
        targets = targets.masked_fill(targets == PADDING, IGNORED)
        return ChunkedCrossEntropy.apply(states, self.table, targets, self.z_loss, compiled)

    def nats(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Negative log-likelihood of each row's targets in nats, float64; both [rows, length] -> [rows]."""
        logits = self(inputs).float()
        losses = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none")
        return losses.view_as(targets).double().sum(dim=1)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        refuse_another_run(self.trainer, checkpoint)

    # ---- validation and test: whole documents ----

    def on_validation_epoch_start(self) -> None:
        self._sums = torch.zeros(3, dtype=torch.float64, device="cpu" if self.device.type == "mps" else self.device)

    def validation_step(self, batch: dict[str, Tensor], index: int) -> None:
        """Sum nats, tokens and characters; `batch` is what `StoryData` makes of a `packing.Pieces`."""
        nats = self.nats(batch["inputs"], batch["targets"]).sum()
        tokens = (batch["targets"] != IGNORED).sum()
        self._sums += torch.stack([nats, tokens.double(), batch["characters"].double()]).to(self._sums.device)

    def on_validation_epoch_end(self) -> None:
        self._log_sums("validation")

    on_test_epoch_start = on_validation_epoch_start
    test_step = validation_step

    def on_test_epoch_end(self) -> None:
        self._log_sums("test")

    def _log_sums(self, what: str) -> None:
        nats, tokens, characters = self.trainer.strategy.reduce(self._sums, reduce_op="sum").tolist()
        self.validation = {"loss": nats / tokens, "bits_per_character": nats / math.log(2) / characters}
        for name, value in self.validation.items():
            self.log(f"{what}_{name}", value, prog_bar=name == "bits_per_character", logger=False)  # RunLog does

    def predict_step(self, batch: dict[str, Tensor], index: int) -> dict[str, list[Any]]:
        """Nats of each piece beside the number of its document."""
        nats = self.nats(batch["inputs"], batch["targets"])
        return {"documents": batch["documents"].tolist(), "nats": nats.tolist()}

    # ---- optimizer and schedule ----

    def configure_optimizers(self) -> torch.optim.Optimizer:
        optimizer = make_optimizer(self.model, **self.optimizer_options)
        self.peaks = [group["lr"] for group in optimizer.param_groups]
        return optimizer

    def factor(self, step: int) -> float:
        """What the peak learning rates are multiplied by in the update with this number (0-based)."""
        if self.branched_at is not None:
            return branch_factor(
                step, self.total_updates, self.branched_at, self.schedule["tail"], self.schedule["final"]
            )
        return learning_rate_factor(step, self.total_updates, **self.schedule)

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Lightning 2.6 refuses to clip for a fused AdamW in mixed precision, though bfloat16 has no scale to undo."""
        if not gradient_clip_val or gradient_clip_algorithm == "value" or self.trainer.precision != "bf16-mixed":
            super().configure_gradient_clipping(optimizer, gradient_clip_val, gradient_clip_algorithm)
        else:
            torch.nn.utils.clip_grad_norm_(self.parameters(), gradient_clip_val)

    def on_train_start(self) -> None:
        self.total_updates = int(self.trainer.estimated_stepping_batches)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Set the learning rates of the update that follows; they depend on its number and on nothing else."""
        step = self.trainer.global_step
        self.learning_rate_factor = self.factor(step)
        for group, peak in zip(optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * self.learning_rate_factor
