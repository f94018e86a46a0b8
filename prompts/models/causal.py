"""What scoring names needs of a Hugging Face model beyond opening it."""

from __future__ import annotations

import copy
import inspect
from pathlib import Path
from typing import Any, cast

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from corpora.errors import UserError
from evaluation.models import is_hub_name


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The tokenizer in a folder, or of a model `USER/MODEL` on the Hub; UserError if it does not open."""
    if not Path(name).is_dir() and not is_hub_name(name):
        raise UserError(f"there is no tokenizer folder {name!r}; check the path.")
    try:
        return AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise UserError(f"no tokenizer opens from {name!r} ({reason}).") from None


def with_random_weights(model: PreTrainedModel, seed: int = 0) -> PreTrainedModel:
    """A model of the same configuration with freshly drawn weights, on the same device."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        auto = AutoModelForSeq2SeqLM if model.config.is_encoder_decoder else AutoModelForCausalLM
        fresh = cast(Any, auto).from_config(copy.deepcopy(model.config), dtype=torch.float32)
    return fresh.eval().to(model.device)


def last_logits(model: PreTrainedModel, keep: int, **inputs: Any) -> tuple[torch.Tensor, Any]:
    """Float32 logits of the last `keep` positions, shape (rows, keep, vocabulary), and the key-value cache if any.

    Asks the model to compute no other logits where it can.
    """
    if "logits_to_keep" in inspect.signature(model.forward).parameters:
        inputs["logits_to_keep"] = keep
    output = model(use_cache=True, **inputs)
    return output.logits[:, -keep:].float(), getattr(output, "past_key_values", None)
