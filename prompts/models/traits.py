"""How a model differs from the plain transformer: measured on the model itself, for names in configurations vary."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, cast

import torch
from transformers import PreTrainedModel

from corpora.errors import UserError
from evaluation.models import context_length, embedding_table


@dataclass(frozen=True)
class Traits:
    """What prompting must know of a model."""

    seq2seq: bool
    context: int | None
    """Most tokens of one input, None if the configuration sets no bound (T5)."""
    takes_positions: bool
    """Whether the model takes explicit position ids."""
    state_scale: float
    """What the model multiplies its last hidden state with before the head (T5 with tied embeddings: d^-0.5)."""
    softcap: float | None
    """Logits are softcap · tanh(logits / softcap) (Gemma 2)."""


def measure_traits(model: PreTrainedModel) -> Traits:
    """The traits of a model, from its configuration and from one short pass.

    UserError if the model's own logits are not those of its hidden state and head, or if its embeddings given as
    vectors do not act as the ids do: such a model cannot be prompted by this package.
    """
    seq2seq = bool(model.config.is_encoder_decoder)
    softcap = getattr(model.config.get_text_config(), "final_logit_softcapping", None)
    positions = "position_ids" in inspect.signature(model.base_model.forward).parameters
    rows = embedding_table(model).shape[0]
    ids = torch.arange(1, min(5, rows), device=model.device).unsqueeze(0)
    decoder = {"decoder_input_ids": decoder_start(model)} if seq2seq else {}
    with torch.no_grad():
        logits = model(input_ids=ids, **decoder).logits[:, -1].float()
        vectors = cast(Any, model.get_input_embeddings())(ids)
        if seq2seq:
            states = first_step(model, vectors, torch.ones_like(ids))
        else:
            states = model.base_model(inputs_embeds=vectors).last_hidden_state[:, -1]
        raw = cast(Any, model.get_output_embeddings())(states).float()
    scale = 1.0 if softcap else float((raw * logits).sum() / (raw * raw).sum())
    scale = 1.0 if abs(scale - 1) < 1e-3 else scale
    expected = scale * raw
    if softcap:
        expected = softcap * torch.tanh(expected / softcap)
    tolerance = 1e-3 if model.dtype == torch.float32 else 3e-2
    if not torch.allclose(expected, logits, atol=tolerance * float(logits.abs().max()), rtol=0):
        raise UserError(
            f"the model's logits ({type(model).__name__}) are not those of its last hidden state and its head; "
            "soft prompts need a model whose embeddings and head are plain."
        )
    return Traits(seq2seq, context_length(model), positions, scale, softcap)


def first_step(model: PreTrainedModel, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The decoder's hidden state at its first step, shape (items, width), over an encoder's input vectors.

    `vectors`: shape (items, length, width). `mask`: 1 where they are real, shape (items, length).
    """
    encoded = cast(Any, model).get_encoder()(inputs_embeds=vectors, attention_mask=mask).last_hidden_state
    start = decoder_start(model).expand(len(vectors), 1)
    decoded = cast(Any, model).get_decoder()(
        input_ids=start, encoder_hidden_states=encoded, encoder_attention_mask=mask, use_cache=False
    )
    return cast(torch.Tensor, decoded.last_hidden_state[:, 0])


def decoder_start(model: PreTrainedModel) -> torch.Tensor:
    """The id that a seq2seq model's decoder begins with, shape (1, 1)."""
    start = getattr(model.config, "decoder_start_token_id", None)
    if start is None:
        raise UserError("the seq2seq model names no decoder_start_token_id; set it in its config.json.")
    return torch.tensor([[start]], device=model.device)
