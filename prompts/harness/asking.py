"""What methods that ask a language model share: model, labels and words, and each of them spoiled as a control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch

from prompts.baselines import emptied, shuffled_labels, shuffled_names
from prompts.calibration import Calibration, prior, reference_texts
from prompts.data import Item
from prompts.harness.methods import Setting
from prompts.models import AnswerModel, Asked, SoftVectors, with_random_weights
from prompts.models.asking import PLACES
from prompts.models.opening import open_answer_model
from prompts.training.module import Words
from prompts.training.tuning import build_verbalizer
from prompts.verbalizers import LabelSet, Verbalizer, chosen_languages, load_labels

Spoiled = Literal["names", "weights", "texts", "labels"]
"""What a control takes away: each class's names (it gets another's), the model's weights, the training texts, or the
training labels (they are dealt anew)."""
Which = Literal["multilingual", "target_only", "source_only"]
Template = Literal["target", "source"]


KEEP_BYTES = 3 * 2**30
"""Of a model's keys and values: all runs ask about the same texts. gemma-3-270m needs 1.9 GiB for 1,200 sentences."""


@lru_cache(maxsize=2)
def opened(source: str, random_seed: int | None = None) -> AnswerModel:
    """A model, opened once for all runs; `random_seed`: the same shape with weights drawn by it."""
    if random_seed is None:
        return open_answer_model(source, keep_bytes=KEEP_BYTES)
    model = opened(source, None)
    return AnswerModel(with_random_weights(model.model, random_seed), model.tokenizer, source, KEEP_BYTES)


class Questions:
    """How a run asks its model, and which words it listens for."""

    def __init__(
        self,
        setting: Setting,
        model: str,
        *,
        words: Which = "multilingual",
        template: Template = "target",
        verbalizer: Mapping[str, Any] | None = None,
        calibration: Calibration = "none",
        spoiled: Spoiled | None = None,
        wording: str | None = None,
    ):
        """`words`: whose names are listened for; `template`: which hard prompt; `verbalizer`: of `Words`.

        `wording`: a hard prompt in the place of the labels file's, after texts in any language.
        """
        self.setting, self.which, self.template = setting, words, template
        self.options = dict(verbalizer or {})
        self.calibration = calibration
        self.spoiled = spoiled
        self.model = opened(model, setting.seed if spoiled == "weights" else None)
        self.labels = _labels(setting, spoiled == "names", wording)
        self._verbalizers: dict[tuple[str, ...], Verbalizer] = {}

    def training(self, items: Sequence[Item]) -> list[Item]:
        """The training items as this run may see them."""
        if self.spoiled == "texts":
            return emptied(items)
        return shuffled_labels(items, self.setting.seed) if self.spoiled == "labels" else list(items)

    @property
    def development(self) -> list[Item]:
        """The items to choose by, as this run may see them."""
        return emptied(self.setting.development) if self.spoiled == "texts" else list(self.setting.development)

    def languages_of_words(self, language: str) -> list[str]:
        """The languages whose words answer for texts in this one."""
        return chosen_languages(self.which, self.setting.source, language, self.setting.every_language)

    def words_in(self, languages: Sequence[str]) -> Words:
        """The words' options for these languages."""
        return Words(**{**self.options, "languages": list(languages)})

    def verbalizer(self, language: str) -> Verbalizer:
        """Of all classes, for texts in this language."""
        languages = tuple(self.languages_of_words(language))
        if languages not in self._verbalizers:
            self._verbalizers[languages] = build_verbalizer(self.words_in(languages), self.labels, language, self.model)
        return self._verbalizers[languages]

    def template_language(self, language: str) -> str:
        """The language of the hard prompt after texts in this one."""
        return self.setting.source if self.template == "source" else language

    def templates(self) -> dict[str, str]:
        """The hard prompt by language of the texts."""
        return {
            language: self.labels[self.template_language(language)].template for language in self.setting.every_language
        }

    def scores(self, items: Sequence[Item], language: str, soft: SoftVectors | None = None) -> np.ndarray:
        """Calibrated scores of all classes, float64, shape (items, classes)."""
        found = self._raw([item.text for item in items], language, soft)
        neutral = reference_texts(self.calibration, self.labels[self.template_language(language)])
        if self.calibration == "batch":
            return found - prior(found)
        return found - prior(self._raw(neutral, language, soft)) if neutral else found

    def states(self, items: Sequence[Item], language: str, layer: int | None = None) -> torch.Tensor:
        """The model's states at the answer, the last ones or those after so many blocks; shape (items, width)."""
        return self.model.read_once(self._asked([item.text for item in items], language, 0), layer=layer)

    def scores_of_states(self, states: torch.Tensor, language: str) -> np.ndarray:
        """Uncalibrated scores of all classes from last states, float64, shape (items, classes)."""
        verbalizer = self.verbalizer(language)
        logits = self.model.scores(states, verbalizer.rows.to(states.device))
        return verbalizer.scores_of_rows(logits).detach().double().cpu().numpy()

    def facts(self) -> dict[str, Any]:
        """The words that answer for texts in any language of the run."""
        rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        for language in self.setting.languages:
            for row in self.verbalizer(language).describe():
                rows.setdefault((row["class"], row["language"], row["name"], row["row"]), row)
        kept = ("class", "language", "name", "piece", "text", "weight")
        return {"verbalizer": [{key: row[key] for key in kept} for row in rows.values()]}

    def _raw(self, texts: Sequence[str], language: str, soft: SoftVectors | None) -> np.ndarray:
        length = 0 if soft is None else sum(len(soft.vectors(place)) for place in PLACES)
        return self.scores_of_states(self.model.read_once(self._asked(texts, language, length), soft), language)

    def _asked(self, texts: Sequence[str], language: str, soft_length: int) -> list[Asked]:
        own = self.labels[self.template_language(language)]
        return self.model.ask(texts, own.template, own.every_name, soft_length)


def _labels(setting: Setting, shuffled: bool, wording: str | None) -> LabelSet:
    labels = load_labels(setting.labels, setting.every_language)
    if wording is not None:
        labels = labels.worded(wording)
    if not shuffled:
        return labels
    return LabelSet(
        {
            language: replace(labels[language], names=shuffled_names(labels[language].names, setting.seed))
            for language in labels.languages
        }
    )
