"""Kinds of method that read a model's states or train its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from prompts.baselines import PET, FineTuning, LinearProbe, Method, all_weights, low_rank, verbalized
from prompts.data import Item
from prompts.harness.asking import Questions
from prompts.harness.methods import Setting


class Asked:
    """A method that learns from the items that its questions let it see."""

    def __init__(self, questions: Questions, method: Method):
        self.questions, self.method = questions, method

    @property
    def facts(self) -> dict[str, Any]:
        return dict(getattr(self.method, "facts", {}))

    def fit(self, items: Sequence[Item]) -> None:
        self.method.fit(self.questions.training(items))

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        return self.method.scores(items, language)


def linear_probe(
    setting: Setting,
    model: str,
    asking: Mapping[str, Any] | None = None,
    strength: float = 0.1,
    layer: int | None = None,
    unit: bool = False,
    choose: bool = True,
) -> Method:
    """Logistic regression on the frozen states at the answer, the last ones or those after `layer` blocks.

    `unit`: each text's standardised state is scaled to length 1. `choose`: the penalty is chosen by the development
    items; else it is `strength`.
    """
    questions = Questions(setting, model, **dict(asking or {}))

    def states(items: Sequence[Item], language: str) -> torch.Tensor:
        return questions.states(items, language, layer)

    development = questions.development if choose else []
    return Asked(questions, LinearProbe(setting.classes, states, development, strength, unit))


def lora(
    setting: Setting,
    model: str,
    asking: Mapping[str, Any] | None = None,
    rank: int = 8,
    alpha: int = 16,
    **options: Any,
) -> Method:
    """Low-rank additions to the attention's weights, trained through the verbalizer."""
    return _tuned(setting, model, asking, adaptation=low_rank(rank, alpha, setting.seed), **options)


def fine_tuning(setting: Setting, model: str, asking: Mapping[str, Any] | None = None, **options: Any) -> Method:
    """All weights, trained through the verbalizer."""
    return _tuned(setting, model, asking, adaptation=all_weights, **options)


def pet(
    setting: Setting, model: str, templates: Mapping[str, str], asking: Mapping[str, Any] | None = None, **options: Any
) -> Method:
    """Two patterns, the labels file's template and `templates` (language -> template), all weights trained for each."""
    questions = Questions(setting, model, **dict(asking or {}))
    words: dict[str, Any] = {language: questions.verbalizer(language) for language in setting.every_language}
    patterns = [verbalized(questions.model, shown, words) for shown in (questions.templates(), templates)]
    return Asked(
        questions,
        PET(
            setting.classes,
            questions.model.model,
            patterns,
            development=questions.development,
            order_seed=setting.seed,
            **options,
        ),
    )


def _tuned(setting: Setting, model: str, asking: Mapping[str, Any] | None, **options: Any) -> Method:
    questions = Questions(setting, model, **dict(asking or {}))
    words: dict[str, Any] = {language: questions.verbalizer(language) for language in setting.every_language}
    return Asked(
        questions,
        FineTuning(
            setting.classes,
            questions.model.model,
            verbalized(questions.model, questions.templates(), words),
            development=questions.development,
            order_seed=setting.seed,
            **options,
        ),
    )
