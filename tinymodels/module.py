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

from tinymodels.architecture import BEGIN, build
from tinymodels.identity import plain, refuse_another_run
from tinymodels.optimizers import make_optimizer
from tinymodels.schedule import warmup_stable_decay
from tinymodels.sizing import ModelSize, size_for

IGNORED = -100
"""Target of positions that are padding."""


def story_mask(ids: Tensor) -> Tensor:
    """Additive attention mask [batch, 1, length, length]: a token sees itself and what came before in its own story.

    A window holds the end of one story and the beginning of the next; without the mask the model would learn to look
    past the beginning, where at inference there is nothing, and copy the names of the wrong story.
    """
    story = (ids == BEGIN).cumsum(dim=1)
    seen = (story[:, :, None] == story[:, None, :]).tril()
    return torch.zeros(seen.shape, device=ids.device).masked_fill(~seen, -torch.inf)[:, None]


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
        seed: NonNegativeInt = 1,
    ) -> None:
        """
        Args:
            parameters: budget for all weights, the embedding included; gives the shape together with the vocabulary.
            vocabulary_size: pieces of the tokenizer; comes from the data.
            context: the longest text in tokens the model will read; comes from the data's sequence length.
            width: width of the residual stream; overrides the shape that the budget gives.
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
            decay: share of all updates over which it falls to zero at the end.
            seed: of the first weights.
        """
        super().__init__()
        chosen = asdict(size_for(parameters, vocabulary_size))
        explicit = {
            "width": width,
            "layers": layers,
            "heads": heads,
            "kv_heads": kv_heads if kv_heads is not None else heads,
            "feed_forward": feed_forward,
        }
        self.size = ModelSize(**(chosen | {name: value for name, value in explicit.items() if value is not None}))
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
        self.schedule: dict[str, Any] = {"warmup": plain(warmup), "decay": plain(decay)}
        self.identity = {
            **{f"model.{name}": value for name, value in asdict(self.size).items()},
            "model.context": context,
            "model.optimizer": optimizer,
            **{f"model.{name}": value for name, value in self.optimizer_options.items() if name != "name"},
            **{f"model.{name}": value for name, value in self.schedule.items()},
            "model.betas": list(betas),
            "model.seed": seed,
        }
        """What a checkpoint must agree with to be resumed; plain values."""
        self.model = build(self.size, context, seed)
        self.total_updates = 0
        self.learning_rate_factor = 0.0
        self.validation: dict[str, float] = {}
        """`loss` (nats per token) and `bits_per_character` of the last validation."""

    def setup(self, stage: str) -> None:
        """On a CPU plain matrix products train a third faster than the fused attention, whose backward pass is slow."""
        on_gpu = self.trainer.strategy.root_device.type == "cuda"
        self.model.set_attn_implementation("sdpa" if on_gpu else "eager")

    def forward(self, ids: Tensor) -> Tensor:
        """Logits of the next token at each place; ids [batch, length] -> [batch, length, vocabulary]."""
        return self.model(input_ids=ids, attention_mask=story_mask(ids), use_cache=False).logits

    def training_step(self, windows: Tensor, index: int) -> Tensor:
        """Mean loss in nats per token over windows [batch, sequence_length + 1]."""
        logits = self(windows[:, :-1])
        return cross_entropy(logits.flatten(0, 1).float(), windows[:, 1:].flatten())

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
        nats, tokens, characters = self._sums.tolist()
        self.validation = {"loss": nats / tokens, "bits_per_character": nats / math.log(2) / characters}
        for name, value in self.validation.items():
            self.log(f"{what}_{name}", value, prog_bar=name == "bits_per_character")

    def predict_step(self, batch: dict[str, Tensor], index: int) -> dict[str, list[Any]]:
        """Nats of each piece beside the number of its document."""
        nats = self.nats(batch["inputs"], batch["targets"])
        return {"documents": batch["documents"].tolist(), "nats": nats.tolist()}

    # ---- optimizer and schedule ----

    def configure_optimizers(self) -> torch.optim.Optimizer:
        optimizer = make_optimizer(self.model, **self.optimizer_options)
        self.peaks = [group["lr"] for group in optimizer.param_groups]
        return optimizer

    def on_train_start(self) -> None:
        self.total_updates = int(self.trainer.estimated_stepping_batches)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Set the learning rates of the update that follows; they depend on its number and on nothing else."""
        step = self.trainer.global_step
        self.learning_rate_factor = warmup_stable_decay(step, self.total_updates, **self.schedule)
        for group, peak in zip(optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * self.learning_rate_factor
