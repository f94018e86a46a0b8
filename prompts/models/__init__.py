"""Hugging Face models as prompting uses them: frozen, asked for the word that follows a text and a template."""

from prompts.models.answering import AnswerModel
from prompts.models.asking import Asked, SoftVectors, special_prefix
from prompts.models.caching import TextCache
from prompts.models.causal import last_logits, load_tokenizer, with_random_weights
from prompts.models.opening import GEMMA, has_gemma, open_answer_model, unpack_gemma
from prompts.models.traits import Traits

__all__ = [
    "GEMMA",
    "AnswerModel",
    "Asked",
    "SoftVectors",
    "TextCache",
    "Traits",
    "has_gemma",
    "last_logits",
    "load_tokenizer",
    "open_answer_model",
    "special_prefix",
    "unpack_gemma",
    "with_random_weights",
]
