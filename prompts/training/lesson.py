"""What a soft prompt is taught: a frozen model, the words of the classes, and the loss on some labelled questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jsonargparse.typing import ClosedUnitInterval, NonNegativeFloat, PositiveFloat
from torch import Tensor

from corpora.errors import UserError
from prompts.data import Item
from prompts.models import AnswerModel, Asked
from prompts.soft import SoftPrompt
from prompts.training.objective import (
    Smoothing,
    cross_entropy,
    kl_to_base,
    name_similarity,
    seen_bias,
    smoothed_targets,
    squared_distance,
)
from prompts.verbalizers import Verbalizer


@dataclass(frozen=True)
class Objective:
    """What is lowered: a cross-entropy plus weighted penalties (see `objective.py`)."""

    space: Literal["class", "vocabulary"] = "class"
    """Softmax over the scores of the training data's classes, or over the vocabulary with the classes' words as
    targets."""
    smoothing: Smoothing = "none"
    """Where the smoothed share of a target goes."""
    epsilon: ClosedUnitInterval = 0.1
    """The smoothed share."""
    temperature: PositiveFloat = 1.0
    """Scores of classes are divided by it, where `space` is class."""
    seen_bias: NonNegativeFloat = 0.0
    """Weight of the probability that the prompt adds to the words of the training data's classes after texts that say
    nothing."""
    kl_to_base: NonNegativeFloat = 0.0
    """Weight of the divergence from the unprompted model's next-word distribution on the training texts."""
    norm: NonNegativeFloat = 0.0
    """Weight of the squared distance of the prompt to where it started."""


@dataclass(frozen=True)
class Questions:
    """Labelled questions; `labels` are numbers of the verbalizer's classes, shape (questions,)."""

    asked: list[Asked]
    labels: Tensor

    def __len__(self) -> int:
        return len(self.asked)


class Lesson:
    """Gives the loss of a soft prompt on some of the training questions, and its validation.

    The classes of the verbalizer are those of the training data. `content_free`: questions of texts that say nothing,
    which the penalty `seen_bias` needs. The prompt of the first call of `begin` is what `norm` measures from. What
    does not depend on the prompt is computed once: texts with nothing soft before them are read into a key-value
    cache, and the unprompted model's states are kept where a penalty compares with them.
    """

    def __init__(
        self,
        model: AnswerModel,
        verbalizer: Verbalizer,
        objective: Objective,
        training: Questions,
        validation: Questions,
        content_free: Sequence[Asked] = (),
    ) -> None:
        self.model, self.verbalizer, self.objective = model, verbalizer, objective
        self.training, self.validation, self.content_free = training, validation, list(content_free)
        self.mass = self._class_mass()
        similarity = None
        if objective.smoothing == "similarity":
            prototypes = verbalizer.prototypes(model.head).float()
            similarity = name_similarity(prototypes if prototypes.ndim == 2 else prototypes.mean(dim=0))
        self.targets = smoothed_targets(self.mass, objective.smoothing, objective.epsilon, similarity)
        self.hard_targets = smoothed_targets(self.mass, "none", 0.0)

    def _class_mass(self) -> Tensor:
        """Which outcomes stand for each class: [classes, vocabulary], or the identity among the classes."""
        device = self.model.head.device
        if self.objective.space == "class":
            return torch.eye(len(self.verbalizer.classes), device=device)
        of_rows = self.verbalizer.mass().float().to(device)
        if (of_rows < 0).any():
            raise UserError(
                "a verbalizer with negative weights gives no targets in the vocabulary; "
                "give `model.objective.space` class."
            )
        mass = of_rows.new_zeros(len(of_rows), len(self.model.head))
        return mass.index_add(1, self.verbalizer.rows.to(device), of_rows)

    def begin(self, soft: SoftPrompt) -> None:
        """Prepare for a prompt of this layout: read what it cannot change."""
        self.start = trained(soft).detach().clone()
        self._cache = None
        every = [*self.training.asked, *self.validation.asked, *self.content_free]
        if self.model.can_cache(soft) and all(asked.text_ids for asked in every):
            self._cache = self.model.cache_texts(every)
        if self.objective.kl_to_base:
            self._base = self.model.read_once(self.training.asked)
        if self.objective.seen_bias:
            if not self.content_free:
                raise UserError("the penalty `seen_bias` needs texts that say nothing; the labels file has none.")
            self._base_content_free = self.model.read_once(self.content_free)

    def terms(self, soft: SoftPrompt, numbers: Sequence[int]) -> dict[str, Tensor]:
        """The loss on these training questions, differentiable, and what it is made of, unweighted."""
        objective = self.objective
        states = self._states(soft, self.training, numbers)
        need_all = objective.space == "vocabulary" or objective.kl_to_base > 0
        logits = self.model.scores(states) if need_all else None
        outcome = self._outcome_logits(states, logits)
        labels = self.training.labels[list(numbers)]
        terms = {"cross_entropy": cross_entropy(outcome, self.targets[labels])}
        loss = terms["cross_entropy"]
        if objective.kl_to_base:
            assert logits is not None
            terms["kl_to_base"] = kl_to_base(logits, self.model.scores(self._base[list(numbers)]))
            loss = loss + objective.kl_to_base * terms["kl_to_base"]
        if objective.seen_bias:
            prompted = self.model.scores(self.model.answer_states(self.content_free, soft, self._cache))
            unprompted = self.model.scores(self._base_content_free)
            terms["seen_bias"] = seen_bias(prompted, unprompted, self.verbalizer.rows.to(prompted.device))
            loss = loss + objective.seen_bias * terms["seen_bias"]
        if objective.norm:
            terms["norm"] = squared_distance(trained(soft), self.start.to(states.device))
            loss = loss + objective.norm * terms["norm"]
        return {"loss": loss, **terms}

    def validate(self, soft: SoftPrompt, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Cross-entropy in nats towards unsmoothed targets, and whether the class is right; both (questions,)."""
        with torch.no_grad():
            states = self._states(soft, self.validation, numbers)
            logits = self.model.scores(states) if self.objective.space == "vocabulary" else None
            outcome = self._outcome_logits(states, logits)
            labels = self.validation.labels[list(numbers)]
            targets = self.hard_targets[labels]
            nats = outcome.logsumexp(dim=1) - (targets * outcome).sum(dim=1)
            return nats.double(), self.class_scores(states).argmax(dim=1) == labels

    def class_scores(self, states: Tensor) -> Tensor:
        """Scores of the classes, (items, classes)."""
        return self.verbalizer.scores_of_rows(self.model.scores(states, self.verbalizer.rows.to(states.device)))

    def _outcome_logits(self, states: Tensor, logits: Tensor | None) -> Tensor:
        if self.objective.space == "class":
            return self.class_scores(states) / self.objective.temperature
        assert logits is not None
        return logits

    def _states(self, soft: SoftPrompt, questions: Questions, numbers: Sequence[int]) -> Tensor:
        return self.model.answer_states([questions.asked[number] for number in numbers], soft, self._cache)


def trained(soft: SoftPrompt) -> Tensor:
    """What the model reads of a prompt: its vectors, or its keys and values in every layer."""
    states = soft.deep_states()
    return soft.all_vectors() if states is None else states


def make_questions(
    model: AnswerModel,
    items: Sequence[Item],
    classes: Sequence[str],
    template: str,
    names: Sequence[str],
    soft_length: int,
) -> Questions:
    """Items with their template as token ids, cut so that a soft prompt of this length fits beside them.

    `names`: what may follow the template. UserError if a label is none of the classes.
    """
    if unknown := sorted({item.label for item in items} - set(classes)):
        raise UserError(f"there is nothing to learn {', '.join(unknown)} from; leave such items out of validation.")
    asked = model.ask([item.text for item in items], template, names, soft_length)
    labels = [list(classes).index(item.label) for item in items]
    return Questions(asked, torch.tensor(labels, device=model.model.device))
