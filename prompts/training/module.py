"""The LightningModule: the soft prompt as all there is to train, its optimizer and its validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from jsonargparse.typing import ClosedUnitInterval, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor

from corpora.errors import UserError
from prompts.models import AnswerModel
from prompts.soft import PLACES, Layout, ReparameterisedPrompt, SoftPrompt, deepened, initialise
from prompts.soft.saving import load_prompt
from prompts.training.lesson import Lesson, Objective
from prompts.training.schedule import rate_factor


@dataclass(frozen=True)
class Rates:
    """Peak learning rates of AdamW; a step moves a number by about this much, in the scale of the embeddings."""

    prefix: PositiveFloat = 0.05
    """Of the vectors before the text, and of a deep prompt's keys and values."""
    infix: PositiveFloat = 0.05
    """Of the vectors between text and template."""
    suffix: PositiveFloat = 0.05
    """Of the vectors after the template."""
    network: PositiveFloat = 1e-3
    """Of the network behind reparameterised vectors."""


@dataclass(frozen=True)
class Words:
    """Which words stand for the classes while the prompt is trained; see `kathalab prompts verbalizer`."""

    kind: Literal["names", "nonparametric", "contextual"] = "names"
    """The names' own pieces, the vocabulary's nearest to them (NPPrompt), or nearest to what the model foretells of
    them."""
    languages: list[str] | None = None
    """Languages whose names are used; that of the data if null."""
    subtokens: Literal["mean", "first"] = "mean"
    """Of a name of several pieces: their mean, or the first."""
    neighbours: PositiveInt = 12
    """Nearest pieces per name, unless `kind` is names."""
    combine: Literal["union", "max", "logmeanexp"] = "union"
    """How languages are joined."""


@dataclass(frozen=True)
class ProbeOptions:
    """A linear probe of the frozen model's states, fitted on the same examples, which speaks beside the words."""

    layer: PositiveInt | None = None
    """The states are those after so many blocks, about nine tenths of all; no probe if null."""
    share: PositiveFloat = 0.5
    """The weight of its log-probabilities beside those of the words."""
    strength: PositiveFloat = 2e-5
    """Of its L2 penalty, on states of length 1."""


class PromptTuning(pl.LightningModule):
    """A soft prompt for a frozen model. Its state is the prompt's alone; the model is no part of it."""

    def __init__(
        self,
        model: str = "gemma-3-270m",
        prefix: NonNegativeInt = 0,
        infix: NonNegativeInt = 0,
        suffix: NonNegativeInt = 0,
        kind: Literal["shallow", "reparameterised", "deep"] = "shallow",
        hidden: PositiveInt = 64,
        start: Literal["text", "labels", "frequent", "mean", "prompt", "random"] = "text",
        start_text: str = "",
        start_prompt: str = "",
        seed: NonNegativeInt = 0,
        verbalizer: Words = Words(),
        objective: Objective = Objective(),  # noqa: B008 - it is frozen
        rates: Rates = Rates(),
        rate_unit: Literal["absolute", "embedding"] = "absolute",
        warmup: ClosedUnitInterval = 0.1,
        weight_decay: NonNegativeFloat = 0.0,
        probe: ProbeOptions = ProbeOptions(),
    ) -> None:
        """
        Args:
            model: a model folder, USER/MODEL on the Hub, or gemma-3-270m from its package.
            prefix: vectors before the text.
            infix: vectors between the text and the hard template.
            suffix: vectors after the hard template.
            kind: `shallow` (the vectors themselves), `reparameterised` (behind a small network that is folded away in
                the end) or `deep` (keys and values of a prefix in every layer).
            hidden: width of the network behind reparameterised vectors.
            start: what the vectors start from.
            start_text: the text they start from, where `start` is text; the hard template if empty.
            start_prompt: the folder of the prompt they start from, where `start` is prompt; one of this very model.
            seed: of a start that is drawn.
            verbalizer: the words that stand for the classes.
            objective: what is lowered.
            rates: learning rates.
            rate_unit: `absolute`, or `embedding`: the rates of vectors are multiplied by the root mean square of the
                model's embeddings, so that one configuration serves models of any scale.
            warmup: share of the updates over which the rates rise; then they fall to 0.
            weight_decay: decoupled weight decay, which pulls the vectors to 0.
            probe: what the same examples teach beside the prompt.
        """
        super().__init__()
        self.source = model
        self.layout = Layout(int(prefix), int(infix), int(suffix))
        self.kind, self.hidden = kind, int(hidden)
        self.start, self.start_text, self.seed = start, start_text, int(seed)
        self.start_prompt = start_prompt
        if (start == "prompt") != bool(start_prompt):
            raise UserError("a start from another prompt needs both `model.start` prompt and `model.start_prompt`.")
        if kind == "deep" and not self.layout.only_prefix:
            raise UserError("only a prefix can be deep; leave infix and suffix out, or give `model.kind` shallow.")
        self.verbalizer = verbalizer
        self.objective, self.rates, self.rate_unit = objective, rates, rate_unit
        self.warmup, self.weight_decay = float(warmup), float(weight_decay)
        self.probe = probe
        self.lesson: Lesson
        self.soft: SoftPrompt
        self.total_updates = 0
        self.validation: dict[str, float] = {}
        """`loss` and `accuracy` of the last validation."""

    def prepare(self, lesson: Lesson, template: str, names: Sequence[str] = (), texts: Sequence[str] = ()) -> None:
        """Make the prompt and what it is taught; `names` and `texts` are what it may start from."""
        answering = lesson.model
        shallow = initialise(
            self.layout,
            answering,
            self.start,
            text=self.start_text or template,
            names=names,
            texts=texts,
            prompt=load_prompt(self.start_prompt, answering).prompt if self.start_prompt else None,
            seed=self.seed,
        )
        self.soft = shallow
        if self.kind == "reparameterised":
            self.soft = ReparameterisedPrompt(self.layout, shallow.all_vectors(), self.hidden, self.seed)
        elif self.kind == "deep":
            self.soft = deepened(shallow, answering)
        self.unit = embedding_scale(answering) if self.rate_unit == "embedding" else 1.0
        self.lesson = lesson
        lesson.begin(self.soft)

    # ---- training ----

    def training_step(self, numbers: list[int], index: int) -> dict[str, Tensor]:
        return self.lesson.terms(self.soft, numbers)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW. The vectors of all places are rows of one matrix, which has the highest of their rates;
        `optimizer_step` shortens the steps of the others."""
        network = [
            weight for name, weight in self.soft.named_parameters() if name.split(".")[0] in ("norm", "down", "up")
        ]
        vectors = [weight for weight in self.soft.parameters() if not any(weight is other for other in network)]
        self.peaks = [float(self.row_rates.max()), float(self.rates.network)]
        groups = [{"params": vectors, "lr": self.peaks[0]}, {"params": network, "lr": self.peaks[1]}]
        return torch.optim.AdamW([group for group in groups if group["params"]], weight_decay=self.weight_decay)

    @property
    def row_rates(self) -> Tensor:
        """The peak rate of each vector, (length,)."""
        rates = [getattr(self.rates, place) for place in PLACES for _ in range(getattr(self.layout, place))]
        return self.unit * torch.tensor(rates, dtype=torch.float32)

    def optimizer_step(
        self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Callable[[], Any] | None = None
    ) -> None:
        """One update. AdamW's step is proportional to the rate for each number by itself, so that a row's step cut to a
        share is the step it would have made at that share of the rate."""
        self.rate = rate_factor(self.trainer.global_step, self.total_updates, self.warmup)
        for group, peak in zip(optimizer.param_groups, self.peaks, strict=False):
            group["lr"] = peak * self.rate
        rates = self.row_rates
        matrix = getattr(self.soft, "matrix", None)
        if matrix is None or bool((rates == rates[0]).all()):
            optimizer.step(closure=optimizer_closure)
            return
        before = matrix.detach().clone()
        optimizer.step(closure=optimizer_closure)
        with torch.no_grad():
            matrix.copy_(before + (matrix - before) * (rates / rates.max()).to(matrix.device).unsqueeze(1))

    def on_train_start(self) -> None:
        self.total_updates = int(self.trainer.estimated_stepping_batches)

    # ---- validation ----

    def on_validation_epoch_start(self) -> None:
        self._nats: list[Tensor] = []
        self._right: list[Tensor] = []

    def validation_step(self, numbers: list[int], index: int) -> None:
        nats, right = self.lesson.validate(self.soft, numbers)
        self._nats.append(nats)
        self._right.append(right)

    def on_validation_epoch_end(self) -> None:
        self.validation = {
            "loss": torch.cat(self._nats).mean().item(),
            "accuracy": torch.cat(self._right).double().mean().item(),
        }


def embedding_scale(model: AnswerModel) -> float:
    """The root mean square of the numbers that the model is fed for its vocabulary."""
    rows = len(model.tokenizer)
    total, count = 0.0, 0
    with torch.no_grad():
        for start in range(0, rows, 8192):
            ids = torch.arange(start, min(start + 8192, rows), device=model.model.device)
            vectors = model.embed(ids)
            total, count = total + float(vectors.double().square().sum()), count + vectors.numel()
    return (total / count) ** 0.5
