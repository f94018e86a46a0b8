"""The forward pass of training: a Llama's own weights through four functions that compile to few kernels.

The numbers are those of `transformers`' `LlamaForCausalLM` (a test compares logits and gradients); what differs is the
work: one product for queries, keys and values, attention without the half that the causal mask hides, and a
cross-entropy whose logits never stand in memory as a whole.

Shapes: B windows, T tokens, D width, H heads, K key-value heads, E head size, F feed-forward width, V vocabulary.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding, linear, scaled_dot_product_attention, silu

IGNORED = -100
"""Target of positions that are padding."""
QUERIES_AT_ONCE = 128
"""Attention goes by blocks of so many queries, each with the keys up to its end only."""
TOKENS_AT_ONCE = 1024
"""Tokens whose logits stand in memory at a time."""


def final_states(model: Any, ids: Tensor, story: Tensor, dtype: torch.dtype, compiled: bool = False) -> Tensor:
    """The states that the output layer reads, [B, T, D] in `dtype`; a token sees its own story only.

    Args:
        model: a `LlamaForCausalLM`, whose parameters are read where they are.
        ids: [B, T].
        story: [B, T], the number of the story that a token is of.
        dtype: of the matrix products; the residual stream and the norms stay in float32.
        compiled: run the block through `torch.compile`; once per shape, not once per layer.
    """
    config = model.config
    act = _compiled(block) if compiled else block
    x_BTD = embedding(ids, model.model.embed_tokens.weight)
    turn = rotation(ids.shape[1], config.head_dim, config.rope_parameters["rope_theta"], dtype, ids.device)
    seen = (story[:, :, None] == story[:, None, :]).tril()
    for layer in model.model.layers:
        attention, feed_forward = layer.self_attn, layer.mlp
        x_BTD = act(
            x_BTD,
            layer.input_layernorm.weight,
            (attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight, attention.o_proj.weight),
            layer.post_attention_layernorm.weight,
            (feed_forward.gate_proj.weight, feed_forward.up_proj.weight, feed_forward.down_proj.weight),
            *turn,
            seen,
            config.rms_norm_eps,
            dtype,
        )
    return norm(x_BTD, model.model.norm.weight, config.rms_norm_eps).to(dtype)


def block(
    x_BTD: Tensor,
    norm_1: Tensor,
    attention: tuple[Tensor, Tensor, Tensor, Tensor],
    norm_2: Tensor,
    feed_forward: tuple[Tensor, Tensor, Tensor],
    cos_TE: Tensor,
    sin_TE: Tensor,
    seen_BTT: Tensor,
    eps: float,
    dtype: torch.dtype,
) -> Tensor:
    """One block of a Llama: attention and SwiGLU, each on the normed stream and added to it."""
    (batch, length, _), head_size = x_BTD.shape, cos_TE.shape[1]
    query, key, value, output = attention
    heads, kv_heads = query.shape[0] // head_size, key.shape[0] // head_size
    packed = linear(norm(x_BTD, norm_1, eps).to(dtype), torch.cat((query, key, value)).to(dtype))
    qkv_BHTE = packed.view(batch, length, heads + 2 * kv_heads, head_size).transpose(1, 2)
    q_BHTE, k_BKTE, v_BKTE = qkv_BHTE.split((heads, kv_heads, kv_heads), dim=1)
    q_BHTE, k_BKTE = rotate(q_BHTE, cos_TE, sin_TE), rotate(k_BKTE, cos_TE, sin_TE)
    if kv_heads < heads:
        k_BKTE, v_BKTE = (each.repeat_interleave(heads // kv_heads, dim=1) for each in (k_BKTE, v_BKTE))
    mixed_BHTE = attend(q_BHTE, k_BKTE, v_BKTE, seen_BTT)
    x_BTD = x_BTD + linear(mixed_BHTE.transpose(1, 2).flatten(2), output.to(dtype))
    gate, up, down = feed_forward
    gated_BTF, up_BTF = linear(norm(x_BTD, norm_2, eps).to(dtype), torch.cat((gate, up)).to(dtype)).chunk(2, dim=-1)
    return x_BTD + linear(silu(gated_BTF) * up_BTF, down.to(dtype))


def attend(q_BHTE: Tensor, k_BHTE: Tensor, v_BHTE: Tensor, seen_BTT: Tensor) -> Tensor:
    """Attention of each query to the keys that it has seen; none comes after it.

    On a CPU in plain products, by blocks of queries, since the fused kernel's backward pass is slow there.
    """
    if q_BHTE.is_cuda:
        return scaled_dot_product_attention(q_BHTE, k_BHTE, v_BHTE, attn_mask=seen_BTT[:, None])
    hidden, length, mixed = ~seen_BTT[:, None], q_BHTE.shape[2], []
    q_BHTE = q_BHTE * q_BHTE.shape[-1] ** -0.5
    for first in range(0, length, QUERIES_AT_ONCE):
        end = min(first + QUERIES_AT_ONCE, length)
        scores = (q_BHTE[:, :, first:end] @ k_BHTE[:, :, :end].transpose(-1, -2)).float()
        weights = torch.softmax(scores.masked_fill(hidden[:, :, first:end, :end], -torch.inf), dim=-1)
        mixed.append(weights.to(v_BHTE.dtype) @ v_BHTE[:, :, :end])
    return torch.cat(mixed, dim=2)


def norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Root-mean-square norm (Zhang and Sennrich 2019) in float32."""
    return x * torch.rsqrt(x.pow(2).mean(dim=-1, keepdim=True) + eps) * weight


@cache
def rotation(
    length: int, head_size: int, theta: float, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Cosines and sines of rotary positions (Su et al. 2021), each [T, E]."""
    rates = theta ** (-torch.arange(0, head_size, 2, device=device).float() / head_size)
    angles = torch.outer(torch.arange(length, device=device).float(), rates).repeat(1, 2)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate(x_BHTE: Tensor, cos_TE: Tensor, sin_TE: Tensor) -> Tensor:
    """Each pair of coordinates half a head apart, turned by its position's angle."""
    one, other = x_BHTE.chunk(2, dim=-1)
    return x_BHTE * cos_TE + torch.cat((-other, one), dim=-1) * sin_TE


class ChunkedCrossEntropy(torch.autograd.Function):
    """Mean cross-entropy of `states @ table.T` against targets, some tokens at a time.

    Its gradient is taken in the same pass, so logits are computed once and no more than a chunk of them ever stands in
    memory (as in Hsu et al. 2024, Liger Kernel). `ChunkedCrossEntropy.apply(states [N, D], table [V, D], targets [N],
    z_loss, compiled)`; targets of `IGNORED` do not count. `z_loss` is the weight of the squared logarithm of the
    normaliser that is added (Chowdhery et al. 2022, PaLM); 0 for none.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, table: Tensor, targets: Tensor, z_loss: float, compiled: bool) -> Tensor:  # type: ignore[override]
        act = _compiled(loss_and_gradient) if compiled else loss_and_gradient
        narrow = table.to(states.dtype)
        weight = 1.0 / (targets != IGNORED).sum().clamp(min=1)
        by_states, by_table = torch.empty_like(states), torch.zeros_like(table)
        total = torch.zeros((), device=states.device)
        for first in range(0, len(states), TOKENS_AT_ONCE):
            chunk = states[first : first + TOKENS_AT_ONCE]
            loss, gradient = act(chunk @ narrow.T, targets[first : first + TOKENS_AT_ONCE], weight, z_loss)
            total += loss
            torch.mm(gradient, narrow, out=by_states[first : first + TOKENS_AT_ONCE])
            by_table += gradient.T @ chunk
        ctx.save_for_backward(by_states, by_table)
        return total

    @staticmethod
    def backward(ctx: Any, by_loss: Tensor) -> tuple[Tensor, Tensor, None, None, None]:  # type: ignore[override]
        by_states, by_table = ctx.saved_tensors
        return by_states * by_loss, by_table * by_loss, None, None, None


def loss_and_gradient(logits: Tensor, targets: Tensor, weight: Tensor, z_loss: float) -> tuple[Tensor, Tensor]:
    """Summed cross-entropy times `weight`, and its gradient in the logits' type; logits [N, V], targets [N]."""
    scores = logits.float()
    log_sum = torch.logsumexp(scores, dim=-1, keepdim=True)
    counts = (targets != IGNORED)[:, None] * weight
    right = torch.arange(scores.shape[1], device=scores.device) == targets[:, None]
    surprise = log_sum + z_loss * log_sum.square() - scores.gather(1, targets.clamp(min=0)[:, None])
    gradient = torch.exp(scores - log_sum) * (counts * (1 + 2 * z_loss * log_sum))
    return (surprise * counts).sum(), torch.where(right, gradient - counts, gradient).to(logits.dtype)


def can_compile(device: str) -> bool:
    """Whether `torch.compile` finds what it needs: a C++ compiler for a CPU, Triton for a GPU."""
    if device == "cuda":
        return importlib.util.find_spec("triton") is not None
    return device == "cpu" and shutil.which(os.environ.get("CXX", "g++")) is not None


@cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    return torch.compile(function, fullgraph=True, dynamic=False)
