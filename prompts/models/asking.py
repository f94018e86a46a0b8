"""What a model is asked: a text and a hard template as token ids, with trained vectors before, between and after."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from transformers import PreTrainedTokenizerBase

Place = Literal["prefix", "infix", "suffix"]
PLACES: tuple[Place, ...] = ("prefix", "infix", "suffix")


@dataclass(frozen=True)
class Asked:
    """One question as token ids; the answer is what the model expects next."""

    text_ids: list[int]
    """Special prefix (BOS) and text, cut to the context."""
    template_ids: list[int]
    """The hard template that follows the text; may be empty."""
    cut: bool = False
    """Whether the text lost tokens to fit the context."""

    @property
    def length(self) -> int:
        return len(self.text_ids) + len(self.template_ids)


class SoftVectors(Protocol):
    """The part of a soft prompt that a model reads."""

    def vectors(self, place: Place, /) -> torch.Tensor:
        """Vectors in embedding scale, shape (length, width); the length may be 0. `prefix` stands before everything,
        `infix` between text and template, `suffix` after the template."""
        ...

    def deep_states(self) -> torch.Tensor | None:
        """Keys and values before everything, shape (layers, 2, heads, length, head width), or None."""
        ...


def special_prefix(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The ids that the tokenizer puts before every text (BOS for most causal models, nothing for some)."""
    return _around(tokenizer)[0]


def special_suffix(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The ids that the tokenizer puts after every text (`</s>` for T5, nothing for most causal models)."""
    return _around(tokenizer)[1]


def split_question(
    tokenizer: PreTrainedTokenizerBase, text: str, template: str, names: Sequence[str] = ()
) -> tuple[list[int], list[int]]:
    """Ids of the text and of the template (without special tokens), tokenized as one string with what follows.

    Pieces may span borders (`▁name`), so the template ends where the ids of `text + template` and of it with each of
    `names` begin to differ; without names the spaces at its end are left to the answer, whose first piece carries them.
    """
    asked = text + template
    bare = asked if names or not template else asked.rstrip(" ")
    strings = [text, bare, *(asked + name for name in names)]
    text_ids, *candidates = tokenizer(strings, add_special_tokens=False, verbose=False)["input_ids"]
    shared = os.path.commonprefix(candidates)
    border = len(os.path.commonprefix([text_ids, shared]))
    return list(shared[:border]), list(shared[border:])


def _around(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    full = tokenizer("a")["input_ids"]
    start = next(i for i in range(len(full)) if full[i : i + len(bare)] == bare)
    return list(full[:start]), list(full[start + len(bare) :])
