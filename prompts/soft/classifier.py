"""Classifying texts with a saved prompt, in the manner of transformers' zero-shot pipeline."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from corpora.errors import UserError
from prompts.calibration import calibrated, log_probabilities, reference_texts, stacked
from prompts.soft.facts import Facts
from prompts.soft.probe import Probe, joined
from prompts.soft.prompt import SoftPrompt
from prompts.soft.publishing import local_folder
from prompts.soft.saving import load_prompt, read_content
from prompts.verbalizers import CONTENT_FREE, LabelSet, Names, Verbalizer, nonparametric, of_words, search_table

if TYPE_CHECKING:
    from prompts.models.answering import AnswerModel

Labels = Sequence[str] | Mapping[str, Sequence[str]]


class ZeroShotClassifier:
    """A frozen model with a soft prompt, which chooses among labels that need not have been trained.

    classify = ZeroShotClassifier.from_pretrained("USER/PROMPT")
    classify("भारत ने मैच जीता।", labels=["खेल", "विज्ञान"])
    -> {"sequence": "भारत ने मैच जीता।", "labels": ["खेल", "विज्ञान"], "scores": [0.9, 0.1]}
    """

    def __init__(
        self,
        answer_model: AnswerModel,
        prompt: SoftPrompt | None,
        facts: Facts,
        batch_size: int = 16,
        others: Sequence[ZeroShotClassifier] = (),
        probe: Probe | None = None,
    ):
        """`others`: classifiers whose log-probabilities of the classes are averaged with this one's. `probe`: speaks
        beside the words among the classes that are its own."""
        self.answer_model = answer_model
        self.prompt = prompt
        self.facts = facts
        self.batch_size = batch_size
        self.others = list(others)
        self.probe = probe

    @classmethod
    def from_pretrained(
        cls,
        folder: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        model: str | os.PathLike[str] | AnswerModel | None = None,
    ) -> ZeroShotClassifier:
        """Open a prompt and the model it was made for; or several prompts for one model, which answer together.

        `folder`: a prompt folder, or a prompt USER/NAME on the Hub, or a list of them (trained in different wordings,
        say). `model`: the base model, open or as a folder or name; by default the one that the first prompt names.
        UserError if either does not open, or if they do not belong together.
        """
        if not isinstance(folder, (str, os.PathLike)):
            if not folder:
                raise UserError("there is no prompt to open; give one or more folders.")
            first = cls.from_pretrained(folder[0], model)
            first.others = [cls.from_pretrained(other, first.answer_model) for other in folder[1:]]
            return first
        place = local_folder(folder)
        source = model if model is not None else read_content(place).get("base_model")
        if not source:
            raise UserError(f"the prompt in {os.fspath(folder)!r} names no model; give the one it was made for.")
        if isinstance(source, (str, os.PathLike)):
            from prompts.models.opening import open_answer_model

            source = open_answer_model(os.fspath(source))
        saved = load_prompt(place, source)
        return cls(source, saved.prompt, saved.facts, probe=saved.probe)

    def __call__(
        self, texts: str | Sequence[str], labels: Labels | None = None, language: str | None = None
    ) -> dict[str, Any] | list[dict[str, Any]]:
        """For each text `sequence`, its `labels` from the likeliest on, and their `scores`, which sum to 1.

        `texts`: one (gives one dictionary) or several (gives a list). `labels`: the prompt's own classes if none are
        given; else names, in any language, or classes with one or more names each. A class that the prompt has words
        for keeps them, a new one speaks through the neighbours of its names. `language`: of the template; by default
        the prompt's first.
        """
        several = [texts] if isinstance(texts, str) else list(texts)
        if not all(isinstance(text, str) for text in several):
            raise UserError("only texts can be classified; give a string or a list of strings.")
        classes, scores = self.class_scores(several, labels, language)
        results = []
        for text, shares in zip(several, torch.from_numpy(scores).softmax(dim=1).numpy(), strict=True):
            order = np.argsort(-shares, kind="stable")
            ranked = [classes[index] for index in order]
            results.append({"sequence": text, "labels": ranked, "scores": shares[order].tolist()})
        return results[0] if isinstance(texts, str) else results

    def class_scores(
        self, texts: Sequence[str], labels: Labels | None = None, language: str | None = None
    ) -> tuple[list[str], np.ndarray]:
        """The classes, and their calibrated scores for every text: float64, shape (texts, classes).

        Of several prompts: the mean of their log-probabilities.
        """
        if not self.others:
            return self._own_scores(texts, labels, language)
        found = [
            member(texts, labels, language) for member in (self._own_scores, *(o.class_scores for o in self.others))
        ]
        classes = found[0][0]
        if any(own != classes for own, _ in found):
            raise UserError("the prompts were made for different classes; give the labels to choose from.")
        return classes, np.mean([log_probabilities(scores) for _, scores in found], axis=0)

    def _own_scores(
        self, texts: Sequence[str], labels: Labels | None, language: str | None
    ) -> tuple[list[str], np.ndarray]:
        facts = self.facts
        language = language or next(iter(facts.templates))
        if language not in facts.templates:
            raise UserError(f"the prompt has no template in {language!r}, only in {', '.join(facts.templates)}.")
        verbalizer = self.verbalizer(labels)
        if facts.calibration != "none":
            verbalizer = replace(verbalizer, prior=None)
        classes = verbalizer.classes
        neutral = facts.content_free.get(language, CONTENT_FREE)
        names = Names(language, facts.templates[language], {label: (label,) for label in classes}, neutral)
        scores = self._scores(texts, verbalizer, names.template)
        if references := reference_texts(facts.calibration, names, texts):
            same = facts.calibration == "batch"
            scores = calibrated(scores, scores if same else self._scores(references, verbalizer, names.template))
        scores = stacked(scores, np.isin(classes, facts.seen), facts.gamma)
        if self.probe is None or not set(classes) & set(self.probe.classes):
            return classes, scores
        found = self.probe.scores(self._states(texts, verbalizer, names.template, None, self.probe.layer))
        columns = {label: found[:, number] for number, label in enumerate(self.probe.classes)}
        unknown = np.full(len(texts), -np.inf)
        probed = np.stack([columns.get(label, unknown) for label in classes], axis=1)
        return classes, joined(scores, probed, self.probe.share)

    def verbalizer(self, labels: Labels | None = None) -> Verbalizer:
        """The words of these labels: the prompt's own where it has the class, else the neighbours of their names."""
        own = self.facts.verbalizer
        if labels is None:
            if own is None:
                raise UserError("the prompt brings no classes of its own; give the labels to choose from.")
            return own
        names = {label: tuple(labels[label]) if isinstance(labels, Mapping) else (label,) for label in labels}
        if isinstance(labels, str) or len(names) < 2 or not all(words and all(words) for words in names.values()):
            raise UserError("there is nothing to choose from; give a list of two or more different labels.")
        known = [label for label in names if own and label in own.classes]
        if own and len(known) == len(names):
            return own.only(known)
        new = self._neighbours({label: words for label, words in names.items() if label not in known}, own)
        if not known or own is None:
            return new
        words = [word for word in own.words if word.label in known] + list(new.words)
        return of_words(list(names), own.languages, words, own.combine, own.pool)

    def _neighbours(self, names: dict[str, tuple[str, ...]], own: Verbalizer | None) -> Verbalizer:
        """New names, which speak alike in each of the languages that the prompt's own words are in."""
        languages = own.languages if own else tuple(self.facts.templates)[:1]
        labels = LabelSet({language: Names(language, "", names) for language in languages})
        options: dict[str, Any] = dict(self.facts.neighbours)
        table = search_table(self.answer_model, options.pop("space", "input"))
        if own:
            options |= {"combine": own.combine, "pool": own.pool}
        return nonparametric(labels, languages, self.answer_model.tokenizer, table, **options)

    def _scores(self, texts: Sequence[str], verbalizer: Verbalizer, template: str) -> np.ndarray:
        """Uncalibrated scores, float64, shape (texts, classes)."""
        states = self._states(texts, verbalizer, template, self.prompt)
        with torch.inference_mode():
            rows = self.answer_model.scores(states, verbalizer.rows.to(states.device))
            return verbalizer.scores_of_rows(rows).double().cpu().numpy()

    @torch.inference_mode()
    def _states(
        self,
        texts: Sequence[str],
        verbalizer: Verbalizer,
        template: str,
        prompt: SoftPrompt | None,
        layer: int | None = None,
    ) -> torch.Tensor:
        """States at the answer, shape (texts, width). Texts of like length share a batch."""
        length = self.prompt.layout.length if self.prompt else 0
        asked = self.answer_model.ask(texts, template, self._possible(verbalizer), length)
        order = sorted(range(len(asked)), key=lambda index: asked[index].length)
        states: list[torch.Tensor] = [torch.empty(0)] * len(asked)
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            read = self.answer_model.answer_states([asked[index] for index in chosen], prompt, layer=layer)
            for index, state in zip(chosen, read, strict=True):
                states[index] = state
        return torch.stack(states) if states else self.answer_model.head.new_empty(0, self.answer_model.head.shape[1])

    @staticmethod
    def _possible(verbalizer: Verbalizer) -> list[str]:
        """The names that may follow the template, which decide where its last piece ends."""
        return list(dict.fromkeys(word.name for word in verbalizer.words))
