"""How a model differs from the plain transformer: measured on the model itself, for names in configurations vary."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from transformers import DynamicCache, PreTrainedModel

from corpora.errors import UserError
from evaluation.models import context_length, embedding_table
from prompts.models.caching import layers_of

Positions = Literal["rotary", "alibi", "relative", "sinusoidal", "learned", "none"]


@dataclass(frozen=True)
class Traits:
    """What prompting must know of a model."""

    seq2seq: bool
    width: int
    """Width of the vectors that the model reads."""
    context: int | None
    """Most tokens of one input; None if the configuration sets no bound (BLOOM, T5)."""
    positions: Positions
    """How the model tells positions apart."""
    takes_positions: bool
    """Whether it can be told them; those that cannot derive them from the mask, or know distances only."""
    embedding_scale: float
    """What rows of the embedding table are multiplied with on their way in (XGLM and Gemma: the root of the width)."""
    embedding_norm: bool
    """Whether vectors are normalised before the first block (BLOOM), so that their length says nothing."""
    tied: bool
    """Whether the head's rows are the embedding table's."""
    state_scale: float
    """What the last hidden state is multiplied with before the head (T5: width^-0.5)."""
    softcap: float | None
    """Logits are softcap · tanh(logits / softcap) (Gemma 2)."""
    caches: bool
    """Whether what follows a text can be read with the text's keys and values alone."""


@torch.no_grad()
def measure_traits(model: PreTrainedModel) -> Traits:
    """The traits of a model, from its configuration and from short passes over its first few tokens.

    UserError if the model's own logits are not those of its hidden state and head over the same embeddings given as
    vectors: such a model cannot be prompted by this package.
    """
    seq2seq = bool(model.config.is_encoder_decoder)
    table = embedding_table(model)
    padding = getattr(model.config.get_text_config(), "pad_token_id", None)  # has no position in some models
    ids = torch.tensor([[i for i in range(min(5, len(table))) if i != padding]], device=model.device)
    vectors = cast(Any, model.get_input_embeddings())(ids)
    decoder = {"decoder_input_ids": decoder_start(model)} if seq2seq else {}
    logits = model(input_ids=ids, **decoder).logits[:, -1]
    try:
        if seq2seq:
            states = first_step(model, vectors, torch.ones_like(ids))
        else:
            states = model.base_model(inputs_embeds=vectors, use_cache=False).last_hidden_state[:, -1]
            # nor may it look up which tokens the vectors are (Gemma 4), which fails for one between tokens
            model.base_model(inputs_embeds=vectors.mean(dim=1, keepdim=True), use_cache=False)
    except Exception as error:  # what a model that wants ids raises is its own affair
        reason = " ".join(str(error).split())
        raise UserError(f"{type(model).__name__} does not read vectors in the place of tokens ({reason}).") from None
    head = cast(Any, model.get_output_embeddings())
    softcap = getattr(model.config.get_text_config(), "final_logit_softcapping", None)
    return Traits(
        seq2seq=seq2seq,
        width=vectors.shape[-1],
        context=context_length(model),
        positions=_positions(model),
        takes_positions="position_ids" in inspect.signature(model.base_model.forward).parameters,
        embedding_scale=float(vectors.float().norm() / table[ids].float().norm()),
        embedding_norm=hasattr(model.base_model, "word_embeddings_layernorm"),
        tied=head.weight.data_ptr() == table.data_ptr(),
        state_scale=_state_scale(model, head(states).float(), logits.float(), softcap),
        softcap=softcap,
        caches=not seq2seq and _caches(model, vectors, states),
    )


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


def _state_scale(model: PreTrainedModel, raw: torch.Tensor, logits: torch.Tensor, softcap: float | None) -> float:
    """The factor between the head's output over the hidden state and the model's logits."""
    scale = 1.0 if softcap else float((raw * logits).sum() / (raw * raw).sum())
    expected = scale * raw if not softcap else softcap * torch.tanh(raw / softcap)
    if (expected - logits).abs().max() > _tolerance(model) * logits.abs().max():
        raise UserError(
            f"the logits of {type(model).__name__} are not those of its last hidden state and its head; "
            "prompts need a model whose embeddings and head are plain."
        )
    return 1.0 if abs(scale - 1) < _tolerance(model) else scale


def _caches(model: PreTrainedModel, vectors: torch.Tensor, states: torch.Tensor) -> bool:
    """Whether the last state is the same when the first half was read before (models with other memory fail here)."""
    half = vectors.shape[1] // 2
    cache = DynamicCache()
    try:
        model.base_model(inputs_embeds=vectors[:, :half], past_key_values=cache, use_cache=True)
        layers = layers_of(cache)
        if not layers or any(keys.shape[-2] != half for keys, _ in layers):
            return False
        rest = model.base_model(inputs_embeds=vectors[:, half:], past_key_values=cache, use_cache=True)
    except Exception:  # what a model with another kind of memory raises is its own affair
        return False
    difference = (rest.last_hidden_state[:, -1] - states).abs().max()
    return bool(difference <= _tolerance(model) * states.abs().max())


def _tolerance(model: PreTrainedModel) -> float:
    return 1e-3 if model.dtype == torch.float32 else 3e-2


def _positions(model: PreTrainedModel) -> Positions:
    """How positions come in, by the names of the parts that bring them."""
    parts = {type(module).__name__.lower() for module in model.modules()}
    names = [name.rsplit(".", 1)[-1] for name, _ in model.named_modules()]
    if model.config.model_type in ("bloom", "mpt") or getattr(model.config, "alibi", False):
        return "alibi"
    if any("rotary" in part for part in parts) or getattr(model.config, "rotary_dim", None):
        return "rotary"
    if hasattr(model.config, "relative_attention_num_buckets"):
        return "relative"
    if any("sinusoidal" in part for part in parts):
        return "sinusoidal"
    return "learned" if any(name in ("wpe", "embed_positions") for name in names) else "none"
