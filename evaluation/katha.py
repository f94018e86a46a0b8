"""Katha-72 under a causal model: bits per character, the right ending among two, the right sentence of a minimal pair.

Whichever of two texts the model gives the higher probability is its choice; equal probabilities count one half. Nothing
is divided by length: the set is made so that neither length nor the frequency of words gives an answer away, and what
they give is measured beside the model.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from corpora.katha import Katha
from evaluation.intervals import Interval, bootstrap_ratio, proportion
from evaluation.likelihood import score_documents, token_nats
from evaluation.models import boundary_tokens, context_length
from evaluation.words import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Choice = tuple[str, str]
"""A right text and a wrong one."""


def score_katha(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    katha: Sequence[Katha],
    *,
    context: int | None = None,
    stride: int | None = None,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """One record per story (`task` is text), ending (cloze) and minimal pair (pair), in this order.

    A text's record holds what `score_documents` gives. A choice's record has `right` and `wrong`, −ln p of the two; an
    ending's also `right_alone` and `wrong_alone`, the same without the story; all have `right_unigram` and
    `wrong_unigram` (see `unigram_nats`).
    """
    texts = score_documents(
        model, tokenizer, [story.as_story() for story in katha], context=context, stride=stride, progress=progress
    )
    endings = [(story.ending, story.wrong_ending) for story in katha]
    pairs = [(pair.right, pair.wrong) for story in katha for pair in story.pairs]
    befores = [story.story for story in katha]
    given = choice_nats(model, tokenizer, endings, befores, end=True, context=context, progress=progress)
    alone = choice_nats(model, tokenizer, endings, end=True, context=context, progress=progress)
    sentences = choice_nats(model, tokenizer, pairs, context=context, progress=progress)
    unigram_endings = unigram_nats(katha, [[ending] for ending in endings])
    unigram_pairs = unigram_nats(katha, [[(pair.right, pair.wrong) for pair in story.pairs] for story in katha])

    def record(story: Katha, task: str, **values: Any) -> dict[str, Any]:
        return {"task": task, "language": story.language, "group": story.group, "split": story.split, **values}

    records = [record(story, "text", **asdict(text)) for story, text in zip(katha, texts, strict=True)]
    for story, nats, bare, (unigram,) in zip(katha, given, alone, unigram_endings, strict=True):
        values = {**_two(nats), **_two(bare, "_alone"), **_two(unigram, "_unigram")}
        records.append(record(story, "cloze", id=f"{story.group}-{story.language}-ending", **values))
    costs = iter(sentences)
    for story, unigrams in zip(katha, unigram_pairs, strict=True):
        for number, (pair, of_pair) in enumerate(zip(story.pairs, unigrams, strict=True), start=1):
            identifier = f"{story.group}-{story.language}-pair-{number}"
            values = {**_two(next(costs)), **_two(of_pair, "_unigram")}
            records.append(record(story, "pair", id=identifier, phenomenon=pair.phenomenon, **values))
    return records


def choice_nats(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    choices: Sequence[Choice],
    befores: Sequence[str] | None = None,
    *,
    end: bool = False,
    context: int | None = None,
    progress: bool = False,
) -> np.ndarray:
    """−ln p of the right and of the wrong text of every choice, shape (choices, 2).

    `befores`: what stands before each choice, parted from it by a space, and costs nothing. `end`: whether the end of
    the document counts too. The tokens that both begin with cost both the same and are left out; the model
    sees them, the beginning-of-sequence token and what stands before, or as much of it as `context` holds.
    """
    import numpy as np

    begin, final = boundary_tokens(tokenizer)
    context = context or context_length(model)
    sequences, counted = [], []
    for number, choice in enumerate(choices):
        before = f"{befores[number]} " if befores else ""
        ids = [
            [begin, *tokenizer.encode(before + text, add_special_tokens=False), *([final] if end else [])]
            for text in choice
        ]
        same = 0
        while same < min(map(len, ids)) and ids[0][same] == ids[1][same]:
            same += 1
        for sequence in ids:
            counted.append(len(sequence) - same)
            sequences.append(sequence[-(context + 1) :] if context else sequence)
    nats = token_nats(model, sequences, context=context, progress=progress)
    costs = [float(row[-last:].sum()) for row, last in zip(nats, counted, strict=True)]
    return np.array(costs).reshape(-1, 2)


def unigram_nats(katha: Sequence[Katha], choices: Sequence[Sequence[Choice]]) -> list[list[tuple[float, float]]]:
    """−ln p of the choices of each story under the frequencies of words in the other stories of its language.

    p(w) = (C(w) + 1) / (N + V + 1) with counts C, their sum N, V different words, and one place for unknown words. A
    model that knows frequency and length and nothing else.
    """
    counts: dict[str, Counter[str]] = {}
    own = []
    for story in katha:
        own.append(Counter(word.lower() for word in words(story.text, story.language)))
        counts.setdefault(story.language, Counter()).update(own[-1])
    nats = []
    for story, mine, of_story in zip(katha, own, choices, strict=True):
        others = counts[story.language] - mine
        costs = [[_unigram_cost(text, story.language, others) for text in choice] for choice in of_story]
        nats.append([(right, wrong) for right, wrong in costs])
    return nats


def _unigram_cost(text: str, language: str, counts: Counter[str]) -> float:
    total = counts.total() + len(counts) + 1
    # fsum: the same words in another order cost exactly the same.
    return math.fsum(math.log(total / (counts[word.lower()] + 1)) for word in words(text, language))


def summarise(records: Sequence[dict[str, Any]], seed: int = 0) -> dict[str, dict[str, Any]]:
    """By language: bits per character, accuracies of both tasks and by phenomenon, with 95 % intervals.

    Where the texts' records hold `ngram_nats`, what a floor of character n-grams pays for them, `character_ngram` is
    that floor's bits per character.
    """
    found: dict[str, dict[str, Any]] = {}
    for language in dict.fromkeys(record["language"] for record in records):
        texts, endings, pairs = (
            [record for record in records if (record["language"], record["task"]) == (language, task)]
            for task in ("text", "cloze", "pair")
        )
        phenomena = dict.fromkeys(record["phenomenon"] for record in pairs)
        found[language] = {
            "stories": len(texts),
            "characters": sum(record["characters"] for record in texts),
            "unknown_tokens": sum(record["unknown"] for record in texts),
            "bits_per_character": _bits_per(texts, "nats", "characters", seed),
            "bits_per_akshara": _bits_per(texts, "nats", "aksharas", seed),
            "cloze": _accuracies(endings) | {"without_story": accuracy(endings, "_alone").as_dict()},
            "minimal_pairs": _accuracies(pairs)
            | {
                "phenomena": {
                    name: _accuracies([record for record in pairs if record["phenomenon"] == name])
                    for name in phenomena
                }
            },
        }
        if all("ngram_nats" in record for record in texts):
            found[language]["character_ngram"] = _bits_per(texts, "ngram_nats", "characters", seed)
    return found


def _bits_per(texts: Sequence[dict[str, Any]], nats: str, unit: str, seed: int) -> dict[str, float]:
    bits, units = [record[nats] / math.log(2) for record in texts], [record[unit] for record in texts]
    return bootstrap_ratio(bits, units, clusters=[record["group"] for record in texts], seed=seed).as_dict()


def accuracy(records: Sequence[dict[str, Any]], which: str = "") -> Interval:
    """Share of choices whose right text is the cheaper one; `which`: the ending of the records' field names."""
    costs = [(record[f"right{which}"], record[f"wrong{which}"]) for record in records]
    return proportion(hits(costs), clusters=[record["group"] for record in records])


def hits(costs: ArrayLike) -> np.ndarray:
    """1 where the right text is the cheaper one, ½ where both cost the same; costs (choices, 2) -> (choices,)."""
    import numpy as np

    right, wrong = np.asarray(costs, dtype=np.float64).reshape(-1, 2).T
    return (right < wrong) + 0.5 * (right == wrong)


def table(summary: dict[str, dict[str, Any]]) -> str:
    """The numbers of `summarise`, for a console: one block per language."""
    lines = []
    for language, found in summary.items():
        bits, cloze, pairs = found["bits_per_character"], found["cloze"], found["minimal_pairs"]
        lines.append(f"Katha-72, {language}, {found['stories']} stories (95 % intervals; choosing blindly gives 50 %)")
        rows = {
            "cloze, right ending of two": (cloze, "accuracy"),
            "  without the story": (cloze, "without_story"),
            "minimal pairs": (pairs, "accuracy"),
            **{f"  {name}": (values, "accuracy") for name, values in pairs["phenomena"].items()},
        }
        lines.append(f"  {'bits per character':28}{bits['value']:5.3f}    {bits['low']:.3f} to {bits['high']:.3f}")
        for label, (values, key) in rows.items():
            share, low, high = (100 * values[key][bound] for bound in ("value", "low", "high"))
            lines.append(f"  {label:28}{share:5.1f} %  {low:.1f} to {high:.1f}  ({values['items']} items)")
    return "\n".join(lines)


def _accuracies(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "items": len(records),
        "accuracy": accuracy(records).as_dict(),
        "unigram": accuracy(records, "_unigram").as_dict(),
    }


def _two(nats: Sequence[float] | np.ndarray, which: str = "") -> dict[str, float]:
    return {f"right{which}": float(nats[0]), f"wrong{which}": float(nats[1])}
