"""Training tokenizers: every kind behind one function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, get_args

from corpora.errors import UserError
from tokenization.folder import TrainedTokenizer
from tokenization.training.akshara_bpe import train_akshara_bpe
from tokenization.training.bytelevel import train_bytelevel_gpt2, train_bytelevel_mark_safe
from tokenization.training.morphology import train_morphology
from tokenization.training.sentencepiece import train_sentencepiece_bpe, train_sentencepiece_unigram
from tokenization.training.sizes import DEFAULT_SIZE
from tokenization.training.spelling import train_aksharas, train_bytes, train_characters
from tokenization.training.superword import train_superword
from tokenization.training.wordpiece import train_wordpiece

Kind = Literal[
    "sentencepiece-bpe",
    "sentencepiece-unigram",
    "bytelevel-bpe",
    "bytelevel-bpe-gpt2",
    "wordpiece",
    "akshara-bpe",
    "morphology-bpe",
    "superword-bpe",
    "characters",
    "bytes",
    "aksharas",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

TRAINERS: dict[Kind, Callable[[Iterable[str], int], TrainedTokenizer]] = {
    "sentencepiece-bpe": train_sentencepiece_bpe,
    "sentencepiece-unigram": train_sentencepiece_unigram,
    "bytelevel-bpe": train_bytelevel_mark_safe,
    "bytelevel-bpe-gpt2": train_bytelevel_gpt2,
    "wordpiece": train_wordpiece,
    "akshara-bpe": train_akshara_bpe,
    "morphology-bpe": train_morphology,
    "superword-bpe": train_superword,
}
"""Kinds whose vocabulary has the size asked for. The texts may be gone through several times."""

SPELLINGS: dict[Kind, Callable[[Iterable[str], int | None], TrainedTokenizer]] = {
    "characters": train_characters,
    "bytes": train_bytes,
    "aksharas": train_aksharas,
}
"""Kinds whose vocabulary, where no size is given, is everything the text holds."""


def train_tokenizer(kind: Kind, texts: Iterable[str], vocabulary_size: int | None = None) -> TrainedTokenizer:
    """Train one tokenizer on whole stories. No kind draws a random number; what `deterministic` in the result says.

    Args:
        kind: one of `KINDS`.
        texts: the stories, which can be gone through several times; line breaks are learnt like other characters.
        vocabulary_size: number of ids, special tokens and byte pieces included. None gives 2048, and for a kind of
            `SPELLINGS` all that the text holds; a smaller number keeps the most frequent, others are spelt in bytes.

    Raises:
        UserError: there is no text, the kind is unknown, or the text cannot give a vocabulary of that size (the message
            names the largest, or smallest, that it can give).
    """
    if kind not in KINDS:
        raise UserError(f"there is no kind of tokenizer {kind!r}; choose from {', '.join(KINDS)}.")
    if vocabulary_size is not None and vocabulary_size < 1:
        raise UserError(f"a vocabulary cannot have {vocabulary_size} ids; ask for 1 or more.")
    if not any(text.strip() for text in texts):
        raise UserError("there is no text to train a tokenizer on; give a corpus with stories in its train split.")
    if kind in SPELLINGS:
        return SPELLINGS[kind](texts, vocabulary_size)
    return TRAINERS[kind](texts, DEFAULT_SIZE if vocabulary_size is None else vocabulary_size)
