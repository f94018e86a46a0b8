"""A frozen model that answers: the hidden state from which it foretells what follows text and template."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from corpora.errors import UserError
from corpora.progress import progress
from prompts.models.asking import PLACES, Asked, SoftVectors, special_prefix, special_suffix, split_question
from prompts.models.caching import Layers, TextCache, deep_past, split_rows
from prompts.models.traits import first_step, measure_traits

BATCH_TOKENS = 8192
"""About how many tokens are read at once where the caller makes no batches."""


class AnswerModel:
    """Any causal or seq2seq model, with its weights frozen.

    The order of a causal model's input is prefix vectors, text, infix vectors, template, suffix vectors; the answer is
    read at its last position. A seq2seq model's encoder gets the same and the tokenizer's closing tokens; the answer
    is read at the decoder's first step.
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, source: str = "", keep_bytes: int = 0
    ):
        """`source`: where the model was opened from, for reports. `keep_bytes`: the keys and values of texts are kept
        up to so many bytes, for prompts to come that ask about the same texts."""
        cast(torch.nn.Module, model).eval().requires_grad_(False)
        self.model = model
        self.tokenizer = tokenizer
        self.source = source
        self.traits = measure_traits(model)
        self._keeps, self._room = keep_bytes > 0, keep_bytes
        self._kept: dict[tuple[int, ...], Layers] = {}
        self._prefix = special_prefix(tokenizer)
        self._closing = special_suffix(tokenizer) if self.seq2seq else []

    @property
    def seq2seq(self) -> bool:
        return self.traits.seq2seq

    @property
    def device(self) -> torch.device:
        return cast(torch.device, self.model.device)

    @property
    def head(self) -> torch.Tensor:
        """Output rows, shape (vocabulary, width of the states)."""
        return cast(torch.Tensor, cast(Any, self.model.get_output_embeddings()).weight)

    @property
    def width(self) -> int:
        """The width of the vectors that the model reads."""
        return self.traits.width

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """What the model reads for these ids, shape (..., width): XGLM's and Gemma's factor is in, BLOOM's LayerNorm
        is not (the model applies it to vectors too)."""
        return cast(torch.Tensor, cast(Any, self.model.get_input_embeddings())(ids))

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
            whole = len(text_ids)
            if self.traits.context is not None:
                fixed = len(self._prefix) + len(template_ids) + len(self._closing) + soft_length
                room = self.traits.context - fixed
                if room < 0:
                    raise UserError(
                        f"the template and the soft prompt take {fixed} tokens, but the model's context holds "
                        f"{self.traits.context}; shorten them."
                    )
                text_ids = text_ids[max(0, len(text_ids) - room) :]
            asked.append(Asked(self._prefix + text_ids, template_ids, len(text_ids) < whole))
        return asked

    def answer_states(
        self,
        asked: Sequence[Asked],
        soft: SoftVectors | None = None,
        cache: TextCache | None = None,
        layer: int | None = None,
    ) -> torch.Tensor:
        """Hidden states (after the final norm) at the answer, float32, shape (items, width of the states).

        `states @ head.T` are the model's logits before bias and soft-capping. Differentiable with respect to the soft
        prompt only. One batch: rows are padded on the right, which no position before the padding can see.

        `cache`: the texts, read before (`cache_texts`); then only what follows them is read, to the same result.
        `layer`: the states after so many blocks of a causal model instead, as they are.
        """
        self.check_layer(layer)
        deep = soft.deep_states() if soft is not None else None
        if cache is not None and not self.can_cache(soft):
            raise UserError("a soft prompt before the text changes how it is read; the cache of texts is of no use.")
        if deep is not None and self.seq2seq:
            raise UserError("deep prompts are for causal models; give a shallow prompt to this seq2seq model.")
        rows = self._vectors(asked, soft, with_texts=cache is None)
        if not all(map(len, rows)):
            raise UserError("there is nothing to read after the text; give a template or a soft prompt.")
        if self.seq2seq:
            vectors, lengths = _padded(rows)
            mask = torch.arange(vectors.shape[1], device=self.device) < lengths.unsqueeze(1)
            states = first_step(self.model, vectors, mask.long())
        elif cache is not None:
            states = self._after_texts(rows, [item.text_ids for item in asked], cache, layer)
        else:
            past = None if deep is None else deep_past(deep, len(rows), rows[0])
            states = self._last(rows, past, 0 if past is None else past.get_seq_length(), layer)
        return states.float() if layer is not None else states.float() * self.traits.state_scale

    def can_cache(self, soft: SoftVectors | None) -> bool:
        """Whether texts can be read once for this prompt: the model keeps a cache, and nothing stands before them."""
        if soft is None:
            return self.traits.caches
        return self.traits.caches and len(soft.vectors("prefix")) == 0 and soft.deep_states() is None

    def cache_texts(self, asked: Sequence[Asked], batch_tokens: int = BATCH_TOKENS, describe: str = "") -> TextCache:
        """Read the texts alone, each once, in batches of like lengths; not those that are kept from before.

        UserError if the model keeps no such cache.

        `describe` shows a progress bar under that name.
        """
        if not self.traits.caches:
            raise UserError(f"{type(self.model).__name__} keeps no key-value cache of a text; train without one.")
        texts = [list(text) for text in dict.fromkeys(tuple(item.text_ids) for item in asked)]
        states = {tuple(text): self._kept[tuple(text)] for text in texts if tuple(text) in self._kept}
        texts = [text for text in texts if text and tuple(text) not in states]
        for batch in _batches([len(text) for text in texts], batch_tokens, describe):
            rows = self._vectors([Asked(texts[i], []) for i in batch], None)
            cache = DynamicCache()
            with torch.no_grad():
                self._last(rows, cache, 0)
            parts = split_rows(cache, [len(row) for row in rows])
            states.update({tuple(texts[i]): part for i, part in zip(batch, parts, strict=True)})
        for text in map(tuple, texts if self._keeps else []):
            if (size := sum(part.nbytes for layer in states[text] for part in layer)) <= self._room:
                self._kept[text] = states[text]
                self._room -= size
        some: Layers = next(iter(states.values()), [])
        states[()] = [(keys[:, :0], values[:, :0]) for keys, values in some]  # a text without any token
        return TextCache(states)

    def read_once(
        self,
        asked: Sequence[Asked],
        soft: SoftVectors | None = None,
        cache: TextCache | None = None,
        batch_tokens: int = BATCH_TOKENS,
        describe: str = "",
        layer: int | None = None,
    ) -> torch.Tensor:
        """`answer_states` of any number of items without gradients, in batches of like lengths, in their order."""
        states: list[torch.Tensor] = [torch.empty(0)] * len(asked)
        keeps = cache is None and self._keeps and self.can_cache(soft) and all(item.template_ids for item in asked)
        with torch.no_grad():
            for batch in _batches([item.length for item in asked], batch_tokens, describe):
                items = [asked[i] for i in batch]
                read = self.cache_texts(items) if keeps else cache
                for i, state in zip(batch, self.answer_states(items, soft, read, layer), strict=True):
                    states[i] = state
        return torch.stack(states) if states else self.head.new_empty(0, self.head.shape[1], dtype=torch.float32)

    def scores(self, states: torch.Tensor, rows: torch.Tensor | None = None) -> torch.Tensor:
        """The model's logits of answer states, float32, shape (items, vocabulary) or (items, rows)."""
        weight, bias = self.head, getattr(self.model.get_output_embeddings(), "bias", None)
        if rows is not None:
            weight, bias = weight[rows], None if bias is None else bias[rows]
        logits = torch.nn.functional.linear(states, weight.float(), None if bias is None else bias.float())
        if self.traits.softcap:
            logits = self.traits.softcap * torch.tanh(logits / self.traits.softcap)
        return logits

    def _vectors(self, asked: Sequence[Asked], soft: SoftVectors | None, with_texts: bool = True) -> list[torch.Tensor]:
        """Everything that the model reads for each item, shapes (length, width)."""
        texts = [item.text_ids if with_texts else [] for item in asked]
        ids = [*texts, *(item.template_ids for item in asked), self._closing]
        flat = torch.tensor([i for part in ids for i in part], dtype=torch.long, device=self.device)
        *parts, closing = self.embed(flat).split([len(part) for part in ids])
        none = closing[:0]
        prefix, infix, suffix = (
            none if soft is None else soft.vectors(place).to(self.device, none.dtype) for place in PLACES
        )
        return [
            torch.cat([prefix, text, infix, template, suffix, closing])
            for text, template in zip(parts[: len(asked)], parts[len(asked) :], strict=True)
        ]

    def check_layer(self, layer: int | None) -> None:
        """UserError if there are no states after so many blocks."""
        blocks = self.model.config.get_text_config().num_hidden_layers
        if layer is not None and (self.seq2seq or not 0 <= layer <= blocks):
            raise UserError(
                f"{type(self.model).__name__} has no states after block {layer} to read an answer from; choose "
                + ("the last ones." if self.seq2seq else f"0 to {blocks}.")
            )

    def _last(
        self, rows: list[torch.Tensor], past: DynamicCache | None, start: int, layer: int | None = None
    ) -> torch.Tensor:
        """The last hidden state of each row, read from position `start` on. A causal mask hides the padding."""
        vectors, lengths = _padded(rows)
        positions = start + torch.arange(vectors.shape[1], device=self.device).expand(len(rows), -1)
        return self._read(vectors, lengths, positions, layer=layer, past_key_values=past)

    def _after_texts(
        self, rows: list[torch.Tensor], texts: list[list[int]], cache: TextCache, layer: int | None = None
    ) -> torch.Tensor:
        """The last hidden state of each row, read after its text."""
        vectors, lengths = _padded(rows)
        past, real = cache.past(texts, self.device)
        steps = torch.arange(vectors.shape[1], device=self.device)
        # padding stays at the last position: further ones may not exist
        positions = real.sum(dim=1, keepdim=True) + torch.minimum(steps, lengths.unsqueeze(1) - 1)
        mask = torch.cat([real, torch.ones_like(positions, dtype=torch.bool)], dim=1).long()
        return self._read(vectors, lengths, positions, layer=layer, past_key_values=past, attention_mask=mask)

    def _read(
        self,
        vectors: torch.Tensor,
        lengths: torch.Tensor,
        positions: torch.Tensor,
        layer: int | None = None,
        **more: Any,
    ) -> torch.Tensor:
        if self.traits.takes_positions:
            more["position_ids"] = positions
        read = self.model.base_model(
            inputs_embeds=vectors,
            use_cache=more["past_key_values"] is not None,
            output_hidden_states=layer is not None,
            **more,
        )
        hidden = read.last_hidden_state if layer is None else read.hidden_states[layer]
        return cast(torch.Tensor, hidden[torch.arange(len(hidden), device=hidden.device), lengths - 1])


def _padded(rows: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows padded on the right with zeros, shape (rows, longest, width), and their lengths."""
    return pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows], device=rows[0].device)


def _batches(lengths: Sequence[int], batch_tokens: int, describe: str) -> Iterator[list[int]]:
    """Indices in batches of like lengths, shortest first, of at most so many tokens with padding (or one item)."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not batches or lengths[index] * (len(batches[-1]) + 1) > batch_tokens:
            batches.append([])
        batches[-1].append(index)
    show: Callable[..., Iterator[list[int]]] = progress
    return show(batches, describe, unit="batch") if describe else iter(batches)
