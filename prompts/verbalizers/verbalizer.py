"""From next-token logits to class scores, in token identifiers only.

A class y has weights w_yv over rows v of the vocabulary, and its score is s_y = Σ_v w_yv z_v − b_y. With a linear head
z = H h that is the same as s_y = h · (Σ_v w_yv H_v) − b_y: the verbalizer is one matrix of prototypes, and the
vocabulary's logits need not be computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import torch

from corpora.errors import UserError
from prompts.verbalizers.labels import check_known

Combine = Literal["union", "max", "logmeanexp"]
Pool = Literal["logit", "probability"]


@dataclass(frozen=True)
class LabelWord:
    """One row of the vocabulary that speaks for a class."""

    label: str
    language: str
    name: str
    """The class name whose piece or neighbour the row is."""
    row: int
    piece: str
    """The row as the tokenizer's vocabulary writes it: what a veto names."""
    text: str
    """The row decoded, to be read by a person; it is never encoded again."""
    weight: float
    """Its share in the class's weights; those of a class (with `combine` ≠ union: in a language) sum to 1."""
    cosine: float | None = None
    """Its similarity to the name, if it was found as a neighbour."""


@dataclass(frozen=True)
class Verbalizer:
    """Weights of vocabulary rows per class. `scores` is differentiable in the logits or states."""

    classes: list[str]
    rows: torch.Tensor
    """Identifiers of the rows in use, int64, shape (n,)."""
    weights: torch.Tensor
    """Shape (classes, n), or (languages, classes, n) if `combine` is not union."""
    prior: torch.Tensor | None = None
    """Subtracted from the scores, shape (classes,): what calibration found."""
    combine: Combine = "union"
    """`union`: one set of rows, each language with mass 1 / languages. `max` and `logmeanexp` (log of the mean of the
    exponentials): over the scores that each language's own rows give a class."""
    pool: Pool = "logit"
    """`logit`: Σ w z (NPPrompt). `probability`: log Σ w exp z, which is log Σ w p up to a constant of the item."""
    words: tuple[LabelWord, ...] = field(default=(), repr=False)
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        expected = (len(self.classes), len(self.rows))
        if self.weights.shape[-2:] != expected or self.weights.ndim != (2 if self.combine == "union" else 3):
            raise ValueError(f"weights of shape {tuple(self.weights.shape)} do not fit {expected} and {self.combine}")
        if self.prior is not None and self.prior.shape != (len(self.classes),):
            raise ValueError(f"a prior of shape {tuple(self.prior.shape)} does not fit {len(self.classes)} classes")

    def scores(self, logits: torch.Tensor) -> torch.Tensor:
        """Class scores, shape (items, classes), from logits of the whole vocabulary, (items, V)."""
        return self.scores_of_rows(logits[:, self.rows.to(logits.device)])

    def scores_of_rows(self, logits: torch.Tensor) -> torch.Tensor:
        """Class scores, shape (items, classes), from the logits of `rows` alone, (items, n)."""
        weights = self.weights.to(logits)
        if self.pool == "logit":
            return self._finish(torch.einsum("in,...cn->i...c", logits, weights))
        shape = (len(logits), *[1] * (weights.ndim - 1), logits.shape[1])
        return self._finish((logits.view(shape) + weights.log()).logsumexp(-1))

    def prototypes(self, head: torch.Tensor) -> torch.Tensor:
        """Σ_v w_yv H_v, shape (classes, d) or (languages, classes, d).

        `head`: the rows that make the logits, (V, d): the embeddings if the model ties them, else the output rows.
        """
        if self.pool != "logit":
            raise UserError("only sums of logits have prototypes; set the verbalizer's pool to 'logit'.")
        chosen = head[self.rows.to(head.device)]
        return self.weights.to(chosen) @ chosen

    def scores_of_states(
        self, states: torch.Tensor, prototypes: torch.Tensor, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Class scores, shape (items, classes), from final hidden states, (items, d), in closed form.

        Equal to `scores` for a linear head, whose `bias`, (V,), is given where it has one. A head that bends its logits
        (Gemma 2's soft-capping) has no such form: use `scores_of_rows`.
        """
        values = torch.einsum("id,...cd->i...c", states, prototypes)
        if bias is not None:
            values = values + self.weights.to(values) @ bias[self.rows.to(bias.device)].to(values)
        return self._finish(values)

    def mass(self) -> torch.Tensor:
        """The classes' target distributions t_y over `rows`, shape (classes, n); each sums to 1."""
        return self.weights if self.combine == "union" else self.weights.mean(0)

    def with_prior(self, prior: Any) -> Verbalizer:
        """The same with these values, shape (classes,), subtracted from the scores."""
        return replace(self, prior=torch.as_tensor(prior, dtype=self.weights.dtype))

    def only(self, classes: Sequence[str]) -> Verbalizer:
        """The same with these classes alone, in this order; rows that none of them uses are left out."""
        check_known(classes, self.classes)
        index = torch.tensor([self.classes.index(label) for label in classes])
        weights = self.weights[..., index, :]
        used = (weights != 0).flatten(0, -2).any(0)
        return replace(
            self,
            classes=list(classes),
            rows=self.rows[used],
            weights=weights[..., used],
            prior=None if self.prior is None else self.prior[index],
            words=tuple(word for word in self.words if word.label in classes),
        )

    def describe(self) -> list[dict[str, Any]]:
        """Every row that speaks for a class, heaviest first within class, language and name."""
        place = {label: number for number, label in enumerate(self.classes)}
        tongue = {language: number for number, language in enumerate(self.languages)}
        ordered = sorted(self.words, key=lambda word: (place[word.label], tongue[word.language]))
        names = list(dict.fromkeys((word.label, word.language, word.name) for word in ordered))
        ordered.sort(key=lambda word: (names.index((word.label, word.language, word.name)), -word.weight, word.row))
        return [{"class": entry.pop("label"), **entry} for entry in map(asdict, ordered)]

    def record(self) -> dict[str, Any]:
        """The verbalizer as JSON; `from_record` reads it."""
        return {
            "classes": self.classes,
            "languages": list(self.languages),
            "combine": self.combine,
            "pool": self.pool,
            "prior": None if self.prior is None else self.prior.tolist(),
            "words": self.describe(),
        }

    def _finish(self, values: torch.Tensor) -> torch.Tensor:
        """Join the languages of (items, languages, classes), and subtract the prior."""
        if self.combine == "max":
            values = values.amax(1)
        elif self.combine == "logmeanexp":
            values = values.logsumexp(1) - math.log(values.shape[1])
        return values if self.prior is None else values - self.prior.to(values)


def of_words(
    classes: Sequence[str],
    languages: Sequence[str],
    words: Sequence[LabelWord],
    combine: Combine = "union",
    pool: Pool = "logit",
    prior: Any = None,
) -> Verbalizer:
    """The verbalizer that these rows make; a row that several names of a class share adds up.

    The words' weights are taken as they are: per class they sum to 1, with `combine` ≠ union per class and language.
    """
    if silent := [label for label in classes if not any(word.label == label for word in words)]:
        raise UserError(f"no row of the vocabulary speaks for {silent[0]!r}; give it another name or veto fewer rows.")
    rows = sorted({word.row for word in words})
    column = {row: number for number, row in enumerate(rows)}
    weights = torch.zeros(len(languages), len(classes), len(rows), dtype=torch.float64)
    for word in words:
        weights[languages.index(word.language), classes.index(word.label), column[word.row]] += word.weight
    weights = weights.float()
    return Verbalizer(
        list(classes),
        torch.tensor(rows),
        weights.sum(0) if combine == "union" else weights,
        None if prior is None else torch.as_tensor(prior, dtype=weights.dtype),
        combine,
        pool,
        tuple(words),
        tuple(languages),
    )


def from_record(record: dict[str, Any]) -> Verbalizer:
    """The verbalizer that `Verbalizer.record` wrote; UserError if the record is damaged."""
    try:
        words = [LabelWord(label=(entry := dict(item)).pop("class"), **entry) for item in record["words"]]
        settings = (record["combine"], record["pool"], record["prior"])
        return of_words(record["classes"], record["languages"], words, *settings)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"the verbalizer's record is damaged ({error}); make it again.") from None
