"""BPE over characters with byte fallback: pieces are stretches of the text itself, with no sign for the space."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from tokenization.specials import SPECIALS, UNKNOWN
from tokenization.training.spelling import FIXED

Merges = list[tuple[str, str]]

WORD = "[\\p{L}\\p{M}\u200c\u200d]+"
"""A word: letters with their marks and joiners, which `\\p{L}+` alone would tear apart."""

# Which two neighbouring characters stand in one stretch follows from their classes alone (digits stand alone for this
# reason), so that merges learnt inside these stretches never apply across their borders, even where nothing is cut.
WORDS = f" ?{WORD}| ?\\p{{N}}| ?[^\\s\\p{{L}}\\p{{M}}\\p{{N}}\u200c\u200d]+|[\r\n]+|\\s"
"""The stretches within which merges are learnt: a word, a digit or a run of signs with the space before, line breaks,
or another space."""


def isolate(*patterns: str) -> pre_tokenizers.PreTokenizer:
    """Cut text at the borders of the first pattern's matches, those stretches at the second's, and so on.

    Last it is cut after the "<" of "<s>", "<0x0A>" and the like: else text that spells the name of a special or byte
    piece would become that piece.
    """
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(p), "isolated") for p in (*patterns, reserved_names())])


def reserved_names() -> str:
    """The "<" with which the name of a special or byte piece begins, as a pattern."""
    return f"<(?={'|'.join(piece[1:] for piece in SPECIALS)}|0x[0-9A-F]{{2}}>)"


def smallest_size(texts: Iterable[str]) -> int:
    """Number of ids that stand in every such vocabulary: special tokens, bytes and the characters of the texts."""
    return len(FIXED) + len(set().union(*texts))


def learn(texts: Iterable[str], size: int, cut: pre_tokenizers.PreTokenizer) -> tuple[list[str], Merges]:
    """Pieces in the order of their ids, at most `size`, and merges in the order in which they were learnt."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = cut
    tokenizer.train_from_iterator(texts, BpeTrainer(vocab_size=size, special_tokens=list(FIXED), show_progress=False))
    return vocabulary(tokenizer), merges(tokenizer)


def vocabulary(tokenizer: Tokenizer) -> list[str]:
    """Pieces in the order of their ids."""
    numbers = tokenizer.get_vocab()
    return sorted(numbers, key=numbers.__getitem__)


def merges(tokenizer: Tokenizer) -> Merges:
    """Merges of a BPE tokenizer, first rank first."""
    return [(left, right) for left, right in json.loads(tokenizer.to_str())["model"]["merges"]]


def assemble(pieces: Sequence[str], merges: Merges, cut: pre_tokenizers.PreTokenizer) -> Tokenizer:
    """The tokenizer of these pieces and merges. Any text is given back exactly: unknown characters are spelt in bytes,
    and nothing is normalised."""
    numbers = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(BPE(vocab=numbers, merges=merges, unk_token=UNKNOWN, byte_fallback=True))
    tokenizer.pre_tokenizer = cut
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer
