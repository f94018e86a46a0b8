"""Training the weights of a language model on few examples: all of them, or low-rank additions to its attention."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch

from corpora.errors import UserError
from prompts.baselines.method import ClassScores, in_languages, seen_classes, targets
from prompts.data import Item

Adaptation = Callable[[torch.nn.Module], AbstractContextManager[list[torch.nn.Parameter]]]
"""Opens some parameters of a model to training; afterwards the model is what it was."""

_ATTENTION = re.compile(r"attn|attention", re.IGNORECASE)


@contextmanager
def all_weights(model: torch.nn.Module) -> Iterator[list[torch.nn.Parameter]]:
    """Every parameter; when the block ends they have their old values again (a copy is kept in memory)."""
    parameters = list(model.parameters())
    before = [(parameter.detach().clone(), parameter.requires_grad) for parameter in parameters]
    try:
        for parameter in parameters:
            parameter.requires_grad_(True)
        yield parameters
    finally:
        for parameter, (value, trained) in zip(parameters, before, strict=True):
            parameter.data.copy_(value)
            parameter.requires_grad_(trained)
            parameter.grad = None


def low_rank(rank: int = 8, alpha: int = 16, seed: int = 0) -> Adaptation:
    """LoRA (Hu et al. 2022) by `peft` on all linear maps of the attention: W + alpha / rank · B A, B zero at first.

    `seed` draws A. UserError if peft is not installed or the model has no such maps.
    """

    @contextmanager
    def adapted(model: torch.nn.Module) -> Iterator[list[torch.nn.Parameter]]:
        try:
            from peft import LoraConfig, get_peft_model
        except ImportError:
            raise UserError("LoRA needs the package peft; install it with 'pip install peft'.") from None
        maps = [name for name, module in model.named_modules() if _ATTENTION.search(name) and _is_linear(module)]
        if not maps:
            raise UserError(
                f"{type(model).__name__} has no linear maps in a module called attention; tune all weights."
            )
        trained = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            transposed = type(model.get_submodule(maps[0])).__name__ == "Conv1D"  # GPT-2's (in, out)
            settings = LoraConfig(r=rank, lora_alpha=alpha, target_modules=maps, fan_in_fan_out=transposed)  # type: ignore[arg-type]
            wrapped: Any = get_peft_model(model, settings)  # type: ignore[arg-type]
        try:
            yield [parameter for name, parameter in wrapped.named_parameters() if "lora_" in name]
        finally:
            wrapped.unload()
            for name, parameter in model.named_parameters():
                parameter.requires_grad_(trained[name])
            if hasattr(model, "peft_config"):
                del model.peft_config

    return adapted


class FineTuning:
    """Cross-entropy of verbalized class scores over the classes seen, AdamW with linear decay.

    `class_scores` must reach through `model` (see `verbalized`). Of `passes` over the items the best by the
    cross-entropy of `development` is kept, the last if there is none. The model keeps its own weights: the trained
    ones are kept here, and put in while this method scores. `order_seed` orders the items; low-rank additions have a
    seed of their own. Classes without an example are scored, as their words are.
    """

    def __init__(
        self,
        classes: Sequence[str],
        model: torch.nn.Module,
        class_scores: ClassScores,
        adaptation: Adaptation = all_weights,
        development: Sequence[Item] = (),
        passes: int = 10,
        learning_rate: float = 2e-5,
        batch: int = 8,
        order_seed: int = 0,
    ):
        self.classes = list(classes)
        self.model = model
        self.class_scores = class_scores
        self.adaptation = adaptation
        self.development = list(development)
        self.passes = passes
        self.learning_rate = learning_rate
        self.batch = batch
        self.order_seed = order_seed
        self._weights: list[torch.Tensor] = []
        self._kept_pass = 0

    @property
    def facts(self) -> dict[str, int]:
        """The pass that was kept and how many numbers were trained."""
        return {"pass": self._kept_pass, "parameters": sum(weight.numel() for weight in self._weights)}

    def fit(self, items: Sequence[Item]) -> None:
        items = list(items)
        seen = seen_classes(items, self.classes)
        held = [item for item in self.development if self.classes.index(item.label) in seen]
        order = random.Random(self.order_seed)
        steps = self.passes * -(-len(items) // self.batch)
        best = float("inf")
        with self.adaptation(self.model) as parameters:
            optimizer = torch.optim.AdamW(parameters, lr=self.learning_rate, weight_decay=0.0)
            schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
            for number in range(1, self.passes + 1):
                order.shuffle(items)
                for start in range(0, len(items), self.batch):
                    optimizer.zero_grad()
                    loss = self._loss(items[start : start + self.batch], seen)
                    if not torch.isfinite(loss):
                        raise UserError(f"fine-tuning diverged in pass {number}; lower the learning rate.")
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimizer.step()
                    schedule.step()
                held_loss = self._held_loss(held, seen) if held else -float(number)
                if held_loss < best:
                    best, self._kept_pass = held_loss, number
                    if held or number == self.passes:
                        self._weights = [parameter.detach().clone() for parameter in parameters]

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        if not self._weights:
            raise UserError("fine-tuning has learned nothing yet; fit it first.")
        with self.adaptation(self.model) as parameters, torch.no_grad():
            for parameter, weight in zip(parameters, self._weights, strict=True):
                parameter.copy_(weight)
            parts = [
                self.class_scores(items[start : start + self.batch], language)
                for start in range(0, len(items), self.batch)
            ]
        return torch.cat(parts).double().cpu().numpy()

    def _loss(self, items: Sequence[Item], seen: Sequence[int]) -> torch.Tensor:
        scores = in_languages(self.class_scores, items)[:, list(seen)]
        labels = targets(items, [self.classes[place] for place in seen])
        return torch.nn.functional.cross_entropy(scores.float(), labels.to(scores.device))

    def _held_loss(self, items: Sequence[Item], seen: Sequence[int]) -> float:
        with torch.no_grad():
            parts = [items[start : start + self.batch] for start in range(0, len(items), self.batch)]
            return sum(float(self._loss(part, seen)) * len(part) for part in parts) / len(items)


def _is_linear(module: torch.nn.Module) -> bool:
    return isinstance(module, torch.nn.Linear) or type(module).__name__ == "Conv1D"
