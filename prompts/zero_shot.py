"""Zero-shot classification with a causal model: which class name is the likeliest continuation of text + template?"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from corpora.errors import UserError
from corpora.progress import progress
from evaluation.models import context_length
from prompts.calibration import Calibration, prior, reference_texts
from prompts.models import last_logits, special_prefix, with_random_weights
from prompts.verbalizers import Names

Score = Literal["total", "token", "character"]
Keep = Literal["end", "start"]


@dataclass(frozen=True)
class Question:
    """One text as token ids: the prompt, and the names that may follow it."""

    prompt: list[int]
    """Special prefix (BOS) + text + template, as far as it reads the same whichever name follows."""
    names: list[list[int]]
    """The remaining ids, for each name."""
    cut: bool
    """Whether the text lost tokens to fit the model's context."""


@dataclass
class NameScorer:
    """Scores the classes of a verbalizer by log p(name | text + template).

    `score`: `total` log-probability of a name, or its mean per `token` or per `character`. `calibration` (see
    `prompts.calibration`): what is subtracted from each name's score, by default its mean score after inputs that say
    nothing. A class scores the mean of its names: with the maximum, a class would gain by the mere number of its names.

    The default, total with content-free calibration, is pointwise mutual information (Holtzman et al. 2021): the
    evidence that the text gives for the name, in nats. Without calibration the total favours short and frequent names;
    a mean per character mends the length but not the frequency. Calibration mends both (pieces that follow from
    earlier pieces of the same name cancel), and dividing the evidence by a length afterwards would only shrink that of
    long names. Use `character` where calibration is `none`.

    `keep`: which end of a text that is too long for the model's context is kept.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    verbalizer: Names
    score: Score = "total"
    calibration: Calibration = "content-free"
    keep: Keep = "end"
    batch_tokens: int = 8192
    """About how many tokens, over all names of all texts of a batch, are held in the key-value cache at once."""
    _names: list[str] = field(init=False)
    _class_of_name: np.ndarray = field(init=False)
    _prefix: list[int] = field(init=False)

    def __post_init__(self) -> None:
        counts = [len(names) for names in self.verbalizer.names.values()]
        self._names = self.verbalizer.every_name
        self._class_of_name = np.repeat(np.arange(len(counts)), counts)
        self._prefix = special_prefix(self.tokenizer)

    def class_scores(self, texts: Sequence[str], describe: str = "") -> np.ndarray:
        """Scores of every class for every text, float64, shape (texts, classes); the prediction is their argmax."""
        names = self.name_scores(texts, describe)
        if self.calibration == "batch":
            names = names - prior(names)
        elif neutral := reference_texts(self.calibration, self.verbalizer):
            names = names - prior(self.name_scores(neutral))
        members = np.eye(len(self.verbalizer.names))[self._class_of_name]
        return names @ (members / members.sum(axis=0))

    def name_scores(self, texts: Sequence[str], describe: str = "") -> np.ndarray:
        """Uncalibrated scores of every name for every text, in nats, float64, shape (texts, names).

        `describe` shows a progress bar under that name.
        """
        questions = [self.question(text) for text in texts]
        scores = np.empty((len(texts), len(self._names)))
        batches = list(self._batches(questions))
        with torch.inference_mode():
            for batch in progress(batches, describe, unit="batch") if describe else batches:
                scores[batch] = self._log_probabilities([questions[i] for i in batch])
        if self.score == "token":
            scores /= np.array([[len(ids) for ids in question.names] for question in questions])
        elif self.score == "character":
            scores /= np.array([len(name) for name in self._names])
        return scores

    def with_random_weights(self, seed: int) -> NameScorer:
        """The same with a model of the same shape whose weights are drawn by the seed."""
        return replace(self, model=with_random_weights(self.model, seed))

    def cut_items(self, texts: Sequence[str]) -> int:
        """How many of the texts are too long for the model's context."""
        return sum(self.question(text).cut for text in texts)

    def question(self, text: str) -> Question:
        """The token ids of a text and its candidate names.

        Text, template and name are tokenized together, for pieces may span their borders (`▁name`). What all
        candidates share is the prompt; the rest belongs to each name, so that scores differ between names exactly as
        the log-probabilities of the whole strings do. Too long a text loses tokens at one end; the template stays.
        """
        asked = text + self.verbalizer.template
        strings = [text, asked, *(asked + name for name in self._names)]
        text_ids, asked_ids, *candidates = self.tokenizer(strings, add_special_tokens=False, verbose=False)["input_ids"]
        shared = os.path.commonprefix([asked_ids, *candidates])
        names = [ids[len(shared) :] for ids in candidates]
        for name, ids in zip(self._names, names, strict=True):
            if not ids or (self.tokenizer.unk_token_id is not None and self.tokenizer.unk_token_id in ids):
                raise UserError(f"the tokenizer cannot write the class name {name!r}; give a name that it knows.")
        body = os.path.commonprefix([text_ids, shared])
        tail = shared[len(body) :]
        longest = max(map(len, names))
        limit = context_length(self.model)
        room = len(body) if limit is None else limit - len(self._prefix) - len(tail) - longest
        if room < 0:
            raise UserError(
                f"the template and the longest class name take {len(tail) + longest} tokens, but the model's context "
                f"holds {limit}; shorten them in the labels file."
            )
        cut = room < len(body)
        if cut:
            body = body[len(body) - room :] if self.keep == "end" else body[:room]
        prompt = self._prefix + body + tail
        if not prompt:
            raise UserError(
                "the tokenizer adds no beginning-of-text token and the template is one piece with the class name; "
                "end the template with a line break or a colon."
            )
        return Question(prompt, names, cut)

    def _batches(self, questions: Sequence[Question]) -> Iterator[list[int]]:
        """Indices of questions in batches whose prompts are equally long.

        So prompts need no padding, on whose side and positions the result would depend (RoPE and learned positions
        move with left padding, and a cache over right padding puts the names too late).
        """
        by_length: dict[int, list[int]] = defaultdict(list)
        for index, question in enumerate(questions):
            by_length[len(question.prompt)].append(index)
        for length, indices in sorted(by_length.items()):
            size = max(1, self.batch_tokens // (length * len(self._names)))
            for start in range(0, len(indices), size):
                yield indices[start : start + size]

    def _log_probabilities(self, questions: Sequence[Question]) -> np.ndarray:
        """Total log p(name | prompt) of questions with equally long prompts, float64, shape (questions, names).

        The prompt is read once; its key-value cache is then repeated for the names. Names are padded on the right,
        which nothing before the padding can see.
        """
        device = self.model.device
        count = len(self._names)
        prompts = torch.tensor([question.prompt for question in questions], device=device)
        rows = [ids for question in questions for ids in question.names]
        longest = max(map(len, rows))
        targets = torch.tensor([ids + [0] * (longest - len(ids)) for ids in rows], device=device)
        real = torch.arange(longest, device=device) < torch.tensor([[len(ids)] for ids in rows], device=device)

        first, cache = last_logits(self.model, 1, input_ids=prompts)
        logits = first.repeat_interleave(count, dim=0)
        if longest > 1:
            given = targets[:, :-1]
            if cache is not None:
                cache.batch_repeat_interleave(count)
                rest, _ = last_logits(self.model, longest - 1, input_ids=given, past_key_values=cache)
            else:  # recurrent models hand out no such cache: read prompt and name together
                whole = torch.cat([prompts.repeat_interleave(count, dim=0), given], dim=1)
                rest, _ = last_logits(self.model, longest - 1, input_ids=whole)
            logits = torch.cat([logits, rest], dim=1)
        picked = logits.log_softmax(-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        totals = picked.double().masked_fill(~real, 0).sum(dim=1)
        return totals.view(len(questions), count).cpu().numpy()
