"""One classification task: predictions of a model and of its baselines on the same items, and what they are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from corpora.errors import UserError
from prompts.baselines import NaiveBayes, majority_class, name_in_text
from prompts.data import Item, sample
from prompts.metrics import measures
from prompts.models import with_random_weights
from prompts.verbalizers import check_labels
from prompts.zero_shot import NameScorer

LEARNED_ITEMS = 2000
"""Most labelled texts that naive Bayes learns from (a seeded sample of the training split)."""


@dataclass(frozen=True)
class Result:
    """A task's entry in `scores.json` and its records in `predictions.jsonl`."""

    summary: dict[str, Any]
    predictions: list[dict[str, Any]]


def evaluate_task(
    task: str, classifier: NameScorer, items: Sequence[Item], labelled: Sequence[Item], seed: int = 0
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
    untrained = replace(classifier, model=with_random_weights(classifier.model, seed))
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
        "cut_items": sum(classifier.question(text).cut for text in texts),
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
