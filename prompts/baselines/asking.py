"""Class scores of items from a language model that is asked with a hard template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch

from corpora.errors import UserError
from prompts.baselines.method import ClassScores
from prompts.data import Item


class Answering(Protocol):
    """A model that answers, as `prompts.models.AnswerModel` does."""

    def ask(self, texts: Sequence[str], template: str = "") -> list[Any]: ...

    def answer_states(self, asked: Sequence[Any]) -> torch.Tensor: ...

    def scores(self, states: torch.Tensor, rows: torch.Tensor | None = None) -> torch.Tensor: ...


class Verbalizing(Protocol):
    """What makes class scores of logits, as `prompts.verbalizers.Verbalizer` does."""

    rows: torch.Tensor

    def scores_of_rows(self, logits: torch.Tensor) -> torch.Tensor: ...


def verbalized(model: Answering, templates: Mapping[str, str], verbalizers: Mapping[str, Verbalizing]) -> ClassScores:
    """Class scores through a verbalizer (language -> verbalizer): one pattern, in the sense of PET.

    Differentiable in whatever weights of the model ask for gradients. Callers make the batches.
    """

    def class_scores(items: Sequence[Item], language: str) -> torch.Tensor:
        verbalizer = _of(verbalizers, language, "verbalizer")
        asked = model.ask([item.text for item in items], _of(templates, language, "template"))
        states = model.answer_states(asked)
        return verbalizer.scores_of_rows(model.scores(states, verbalizer.rows.to(states.device)))

    return class_scores


def _of(mapping: Mapping[str, Any], language: str, what: str) -> Any:
    if language not in mapping:
        raise UserError(f"there is no {what} in {language!r}; add one or leave the language out.")
    return mapping[language]
