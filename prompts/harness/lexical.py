"""Kinds of method that ask no generative model: class counts, n-grams, names, sentence vectors."""

from __future__ import annotations

from typing import Any

from prompts.baselines import (
    CharacterNaiveBayes,
    LinearProbe,
    Majority,
    NameInText,
    SentenceEncoder,
    encoder_states,
)
from prompts.harness.methods import Method, Setting
from prompts.verbalizers import load_labels


def names_of(setting: Setting) -> dict[str, dict[str, list[str]]]:
    """Class -> language -> names, in all languages of the run."""
    labels = load_labels(setting.labels, setting.every_language)
    return {
        label: {language: list(labels[language].names[label]) for language in labels.languages}
        for label in setting.classes
    }


def majority(setting: Setting) -> Method:
    return Majority(setting.classes)


def naive_bayes(setting: Setting, transliterate: bool = True, alpha: float = 0.1) -> Method:
    return CharacterNaiveBayes(setting.classes, transliterate, alpha=alpha)


def name_in_text(setting: Setting) -> Method:
    return NameInText(names_of(setting))


def encoder(setting: Setting, name_languages: list[str] | None = None) -> Method:
    """Nearness to the classes' names; learns nothing."""
    return SentenceEncoder(names_of(setting), name_languages=name_languages)


def encoder_examples(setting: Setting, share: float = 0.5, name_languages: list[str] | None = None) -> Method:
    """Nearness to names and training items together; `share`: what the items have in it."""
    return SentenceEncoder(names_of(setting), examples=share, name_languages=name_languages)


def encoder_probe(setting: Setting, **options: Any) -> Method:
    """Logistic regression on sentence vectors."""
    return LinearProbe(setting.classes, encoder_states(), setting.development, **options)
