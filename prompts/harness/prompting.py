"""Kinds of method that ask a frozen model: by its names' probabilities, by a verbalizer, with a trained soft prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from prompts.data import Item
from prompts.harness.asking import Questions, Template, opened
from prompts.harness.methods import Setting
from prompts.soft import SoftPrompt
from prompts.training.lesson import Objective, trained
from prompts.training.module import PromptTuning, Rates
from prompts.training.tuning import train_prompt
from prompts.verbalizers import load_labels
from prompts.zero_shot import NameScorer


class NamePrompt:
    """The class whose names are the likeliest after text and hard template (see `NameScorer`)."""

    def __init__(
        self,
        setting: Setting,
        model: str,
        names: Template = "target",
        score: Any = "total",
        calibration: Any = "content-free",
        random_weights: bool = False,
    ):
        """`names`: template and names in the language of the texts, or in that of the training items."""
        self.setting, self.names = setting, names
        self.options: dict[str, Any] = {"score": score, "calibration": calibration}
        self.model = opened(model, setting.seed if random_weights else None)

    def fit(self, items: Sequence[Item]) -> None:
        return None

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        own = self.setting.source if self.names == "source" else language
        names = load_labels(self.setting.labels, [own])[own]
        classifier = NameScorer(self.model.model, self.model.tokenizer, names, **self.options)
        return classifier.class_scores([item.text for item in items])


class HardPrompt:
    """The class whose words score highest after text and hard template; with neighbours, NPPrompt."""

    def __init__(self, setting: Setting, model: str, **options: Any):
        """`options`: of `Questions`."""
        self.questions = Questions(setting, model, **options)

    @property
    def facts(self) -> dict[str, Any]:
        return self.questions.facts()

    def fit(self, items: Sequence[Item]) -> None:
        return None

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        return self.questions.scores(items, language)


class TrainedPrompt:
    """A soft prompt trained on the draw; scores are those of its verbalizer."""

    def __init__(
        self,
        setting: Setting,
        model: str,
        *,
        asking: Mapping[str, Any] | None = None,
        objective: Mapping[str, Any] | None = None,
        rates: Mapping[str, float] | None = None,
        passes: int = 5,
        batch: int = 8,
        choose: bool = False,
        **options: Any,
    ):
        """`asking`: of `Questions`; `objective`, `rates`, `options` (prefix, infix, suffix …): of `PromptTuning`.

        `choose`: keep the prompt of the pass that the development items like best, not the last. Their labels are more
        than the draw's.
        """
        self.setting = setting
        self.questions = Questions(setting, model, **dict(asking or {}))
        self.passes, self.batch, self.choose = passes, batch, choose
        self.tuning = PromptTuning(
            model=model,
            seed=setting.seed,
            verbalizer=self.questions.words_in(self.questions.languages_of_words(setting.source)),
            objective=Objective(**dict(objective or {})),
            rates=Rates(**dict(rates or {})),
            **options,
        )
        self.soft: SoftPrompt | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """The words, and how many numbers the model reads of the prompt."""
        assert self.soft is not None
        return {"parameters": trained(self.soft).numel(), **self.questions.facts()}

    def fit(self, items: Sequence[Item]) -> None:
        asking = self.questions
        self.soft = train_prompt(
            self.tuning,
            asking.model,
            asking.labels,
            self.setting.source,
            asking.training(items),
            asking.development,
            self.passes,
            self.batch,
            order_seed=self.setting.seed,
            choose=self.choose,
        ).folded()

    def scores(self, items: Sequence[Item], language: str) -> np.ndarray:
        return self.questions.scores(items, language, self.soft)
