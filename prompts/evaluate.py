"""One classification task: predictions of a model and of its baselines on the same items, and what they are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from corpora.errors import UserError
from prompts.baselines import NaiveBayes, majority_class, name_in_text
from prompts.data import Item, sample
from prompts.metrics import measures
from prompts.models import AnswerModel, with_random_weights
from prompts.soft.classifier import ZeroShotClassifier
from prompts.verbalizers import Names, check_labels

LEARNED_ITEMS = 2000
"""Most labelled texts that naive Bayes learns from (a seeded sample of the training split)."""


class Scorer(Protocol):
    """What is evaluated: names alone (`prompts.zero_shot.NameScorer`), or a trained prompt."""

    verbalizer: Names

    @property
    def score(self) -> str: ...

    @property
    def calibration(self) -> str: ...

    @property
    def keep(self) -> str: ...

    def class_scores(self, texts: Sequence[str], describe: str = "") -> np.ndarray: ...

    def with_random_weights(self, seed: int) -> Scorer: ...

    def cut_items(self, texts: Sequence[str]) -> int: ...


class PromptScorer:
    """A trained prompt: its own words for the classes that it knows, the neighbours of their names for the others."""

    score = "prompt"
    keep = "end"

    def __init__(self, classifier: ZeroShotClassifier, names: Names):
        """`names`: the classes, in the language of the texts; its template gives way to the prompt's, in this language
        if it has one, else in its first."""
        templates = classifier.facts.templates
        self.classifier = classifier
        self.asked = names.language if names.language in templates else next(iter(templates))
        self.verbalizer = replace(names, template=templates[self.asked])

    @property
    def calibration(self) -> str:
        return self.classifier.facts.calibration

    def class_scores(self, texts: Sequence[str], describe: str = "") -> np.ndarray:
        """Calibrated scores, float64, shape (texts, classes)."""
        return self.classifier.class_scores(texts, self.verbalizer.names, self.asked)[1]

    def with_random_weights(self, seed: int) -> PromptScorer:
        """The same prompt in a model of the same shape whose weights are drawn by the seed."""
        known = self.classifier
        fresh = AnswerModel(with_random_weights(known.answer_model.model, seed), known.answer_model.tokenizer)
        return PromptScorer(ZeroShotClassifier(fresh, known.prompt, known.facts, probe=known.probe), self.verbalizer)

    def cut_items(self, texts: Sequence[str]) -> int:
        """How many of the texts are too long for the model's context."""
        length = self.classifier.prompt.layout.length if self.classifier.prompt else 0
        asked = self.classifier.answer_model.ask(texts, self.verbalizer.template, soft_length=length)
        return sum(item.cut for item in asked)


@dataclass(frozen=True)
class Result:
    """A task's entry in `scores.json` and its records in `predictions.jsonl`."""

    summary: dict[str, Any]
    predictions: list[dict[str, Any]]


def evaluate_task(
    task: str, classifier: Scorer, items: Sequence[Item], labelled: Sequence[Item], seed: int = 0
) -> Result:
    """Classify `items` of one language, all in the classifier's classes; `labelled` is what naive Bayes learns from.

    A task is `at_chance` when the accuracy's interval does not lie wholly above the larger of 1 / classes and the
    share of the most frequent class among the items.
    """
    if not items:
        raise UserError(f"there are no labelled items for {task}; check the data and the split.")
    verbalizer = classifier.verbalizer
    check_labels([item.label for item in [*items, *labelled]], verbalizer)
    gold = [item.label for item in items]
    groups = [item.group for item in items]
    texts = [item.text for item in items]
    classes = verbalizer.classes

    scores = classifier.class_scores(texts, f"{task} {verbalizer.language}")
    untrained = classifier.with_random_weights(seed)
    random_scores = untrained.class_scores(texts, f"{task} {verbalizer.language}, random weights")
    learned = sample(labelled, LEARNED_ITEMS, seed)
    naive_bayes = NaiveBayes([item.text for item in learned], [item.label for item in learned])
    majority = majority_class(gold)
    predicted = {
        "model": [classes[i] for i in scores.argmax(axis=1)],
        "random_weights": [classes[i] for i in random_scores.argmax(axis=1)],
        "naive_bayes": [naive_bayes.predict(text) for text in texts],
        "name_in_text": [name_in_text(text, verbalizer.names) for text in texts],
        "majority": [majority] * len(items),
    }

    measured = {name: measures(gold, guesses, groups) for name, guesses in predicted.items()}
    chance, share = 1 / len(classes), gold.count(majority) / len(gold)
    support, guessed = Counter(gold), Counter(predicted["model"])
    right = Counter(label for label, guess in zip(gold, predicted["model"], strict=True) if label == guess)
    summary = {
        "task": task,
        "language": verbalizer.language,
        "items": len(items),
        "classes": len(classes),
        **measured["model"],
        "chance": chance,
        "majority": share,
        "at_chance": measured["model"]["accuracy"]["low"] <= max(chance, share),
        "baselines": {
            "majority": {"class": majority, **measured["majority"]},
            "name_in_text": measured["name_in_text"],
            "random_weights": {"seed": seed, **measured["random_weights"]},
            "naive_bayes": {"supervised": True, "labelled_items": len(learned), **measured["naive_bayes"]},
        },
        "score": classifier.score,
        "calibration": classifier.calibration,
        "keep": classifier.keep,
        "cut_items": classifier.cut_items(texts),
        "template": verbalizer.template,
        "per_class": {
            label: {
                "names": list(verbalizer.names[label]),
                "items": support[label],
                "predicted": guessed[label],
                "right": right[label],
            }
            for label in classes
        },
    }
    predictions = [
        {
            "task": task,
            "language": item.language,
            "id": item.id,
            "group": item.group,
            "label": item.label,
            "predicted": predicted["model"][index],
            "scores": dict(zip(classes, map(float, scores[index]), strict=True)),
            "random_weights": predicted["random_weights"][index],
            "name_in_text": predicted["name_in_text"][index],
            "naive_bayes": predicted["naive_bayes"][index],
        }
        for index, item in enumerate(items)
    ]
    return Result(summary, predictions)


def describe(summary: dict[str, Any]) -> str:
    """One line that a person reads."""
    accuracy, f1, baselines = summary["accuracy"], summary["macro_f1"], summary["baselines"]
    bar = max(summary["chance"], summary["majority"])
    values = {name: f"{100 * baseline['accuracy']['value']:.1f}" for name, baseline in baselines.items()}
    return (
        f"{summary['task']} {summary['language']}: accuracy {_percent(accuracy)}, macro-F1 {_percent(f1)} on "
        f"{summary['items']} items, {summary['classes']} classes; "
        f"{'at chance' if summary['at_chance'] else 'above chance'} ({100 * bar:.1f}); "
        f"random weights {values['random_weights']}, names found in the text {values['name_in_text']}, naive Bayes "
        f"(supervised, {baselines['naive_bayes']['labelled_items']} labelled texts) {values['naive_bayes']}"
    )


def _percent(interval: dict[str, float]) -> str:
    return f"{100 * interval['value']:.1f} [{100 * interval['low']:.1f}, {100 * interval['high']:.1f}]"
