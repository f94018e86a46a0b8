"""The one architecture: a native `LlamaForCausalLM` with tied embeddings, known to transformers, llama.cpp, vLLM."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from tinymodels.sizing import ModelSize

UNKNOWN, BEGIN, END, PADDING = 0, 1, 2, 3
"""Ids of the special tokens in every tokenizer of the lab."""


def llama_config(size: ModelSize, context: int) -> Any:
    """The transformers configuration of a model of this size that reads up to `context` tokens."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=size.vocabulary_size,
        hidden_size=size.width,
        intermediate_size=size.feed_forward,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.kv_heads,
        head_dim=size.head_size,
        max_position_embeddings=context,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        attention_bias=False,
        mlp_bias=False,
        bos_token_id=BEGIN,
        eos_token_id=END,
        pad_token_id=PADDING,
        dtype="float32",
    )


def build(size: ModelSize, context: int, seed: int) -> Any:
    """A `LlamaForCausalLM` with fresh weights, a pure function of its arguments (float32).

    Matrices are normal with standard deviation 1/sqrt(inputs); the two that write into the residual stream of each
    block start at zero, so that the model starts as its embedding (Zhang et al. 2019, Fixup). The embedding, which is
    the output layer too, gets 0.02 so that the first predictions are nearly uniform.
    """
    from transformers import LlamaForCausalLM

    with torch.random.fork_rng():
        model = LlamaForCausalLM(llama_config(size, context))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, module in model.named_modules():
            if isinstance(module, nn.Embedding):
                module.weight.normal_(0.0, 0.02, generator=generator)
            elif isinstance(module, nn.Linear) and name.endswith(("o_proj", "down_proj")):
                module.weight.zero_()
            elif isinstance(module, nn.Linear) and name != "lm_head":
                module.weight.normal_(0.0, 1 / math.sqrt(module.in_features), generator=generator)
    model.generation_config.pad_token_id = PADDING
    return model
