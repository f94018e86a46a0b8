"""Hugging Face models as prompting uses them: frozen, asked for the word that follows a text and a template."""

from prompts.models.answering import AnswerModel
from prompts.models.asking import Asked, SoftVectors, special_prefix
from prompts.models.causal import last_logits, load_tokenizer, with_random_weights

__all__ = [
    "AnswerModel",
    "Asked",
    "SoftVectors",
    "last_logits",
    "load_tokenizer",
    "special_prefix",
    "with_random_weights",
]
