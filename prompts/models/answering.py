"""A frozen model that answers: the hidden state from which it foretells what follows text and template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from corpora.errors import UserError
from prompts.models.asking import PLACES, Asked, SoftVectors, special_prefix, special_suffix, split_question
from prompts.models.traits import first_step, measure_traits


class AnswerModel:
    """Any causal or seq2seq model, with its weights frozen.

    The order of a causal model's input is prefix vectors, text, infix vectors, template, suffix vectors; the answer is
    read at its last position. A seq2seq model's encoder gets the same and the tokenizer's closing tokens; the answer
    is read at the decoder's first step.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase):
        cast(torch.nn.Module, model).eval().requires_grad_(False)
        self.model = model
        self.tokenizer = tokenizer
        self.traits = measure_traits(model)
        self._prefix = special_prefix(tokenizer)
        self._closing = special_suffix(tokenizer) if self.seq2seq else []

    @property
    def seq2seq(self) -> bool:
        return self.traits.seq2seq

    @property
    def head(self) -> torch.Tensor:
        """Output rows, shape (vocabulary, width of the states)."""
        return cast(Any, self.model.get_output_embeddings()).weight

    @property
    def width(self) -> int:
        """The width of the vectors that the model reads."""
        return int(self.embed(torch.zeros(1, dtype=torch.long, device=self.model.device)).shape[-1])

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """What the model reads for these ids, shape (..., width): XGLM's and Gemma's factor is in, BLOOM's LayerNorm
        is not (the model applies it to vectors too)."""
        return cast(torch.Tensor, self.model.get_input_embeddings()(ids))

    def ask(
        self, texts: Sequence[str], template: str = "", names: Sequence[str] = (), soft_length: int = 0
    ) -> list[Asked]:
        """Texts with a template as token ids; the end of a text too long for the context is kept.

        `names`: what may follow the template (their first pieces decide where the template ends, see
        `split_question`). `soft_length`: the number of soft vectors that must fit in beside them.
        """
        asked = []
        for text in texts:
            text_ids, template_ids = split_question(self.tokenizer, text, template, names)
            if self.traits.context is not None:
                fixed = len(self._prefix) + len(template_ids) + len(self._closing) + soft_length
                room = self.traits.context - fixed
                if room < 0:
                    raise UserError(
                        f"the template and the soft prompt take {fixed} tokens, but the model's context holds "
                        f"{self.traits.context}; shorten them."
                    )
                text_ids = text_ids[max(0, len(text_ids) - room) :]
            asked.append(Asked(self._prefix + text_ids, template_ids))
        return asked

    def answer_states(self, asked: Sequence[Asked], soft: SoftVectors | None = None) -> torch.Tensor:
        """Hidden states (after the final norm) at the answer, float32, shape (items, width of the states).

        `states @ head.T` are the model's logits before bias and soft-capping. Differentiable with respect to the soft
        prompt only. One batch: rows are padded on the right, which no position before the padding can see.
        """
        rows = self._vectors(asked, soft)
        lengths = torch.tensor([len(row) for row in rows], device=self.model.device)
        inputs: dict[str, Any] = {"inputs_embeds": pad_sequence(rows, batch_first=True)}
        steps = torch.arange(int(lengths.max()), device=self.model.device)
        if self.seq2seq:
            states = first_step(self.model, inputs["inputs_embeds"], (steps < lengths.unsqueeze(1)).long())
        else:
            if self.traits.takes_positions:
                inputs["position_ids"] = steps.expand(len(rows), -1)
            hidden = self.model.base_model(use_cache=False, **inputs).last_hidden_state
            states = hidden[torch.arange(len(rows), device=hidden.device), lengths - 1]
        return cast(torch.Tensor, states.float() * self.traits.state_scale)

    def scores(self, states: torch.Tensor, rows: torch.Tensor | None = None) -> torch.Tensor:
        """The model's logits of answer states, float32, shape (items, vocabulary) or (items, rows)."""
        weight, bias = self.head, getattr(self.model.get_output_embeddings(), "bias", None)
        if rows is not None:
            weight, bias = weight[rows], None if bias is None else bias[rows]
        logits = torch.nn.functional.linear(states, weight.float(), None if bias is None else bias.float())
        if self.traits.softcap:
            logits = self.traits.softcap * torch.tanh(logits / self.traits.softcap)
        return logits

    def _vectors(self, asked: Sequence[Asked], soft: SoftVectors | None) -> list[torch.Tensor]:
        """Everything that the model reads for each item, shapes (length, width)."""
        ids = [ids for item in asked for ids in (item.text_ids, item.template_ids)] + [self._closing]
        flat = torch.tensor([i for part in ids for i in part], dtype=torch.long, device=self.model.device)
        *parts, closing = self.embed(flat).split([len(part) for part in ids])
        prefix, infix, suffix = (
            [soft.vectors(place).to(self.model.device, self.model.dtype)] if soft is not None else []
            for place in PLACES
        )
        return [
            torch.cat([*prefix, parts[2 * i], *infix, parts[2 * i + 1], *suffix, closing]) for i in range(len(asked))
        ]
