"""Byte-level BPE, with a pattern that keeps Indic words whole and with GPT-2's, which does not."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from tokenization.folder import TrainedTokenizer
from tokenization.specials import SPECIALS
from tokenization.training.sizes import too_large, too_small

GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
"""The pattern of GPT-2 and of the byte-level default: its `\\p{L}` holds no marks, so that it cuts an Indic word at
every vowel sign, virama and nukta. Here as the warning that the report stands on."""

# Marks and joiners stay with their letters. Line breaks stay together, as in later patterns, so that a paragraph's end
# can be one token.
MARK_SAFE_PATTERN = (
    " ?[\\p{L}\\p{M}\u200c\u200d]+| ?\\p{N}{1,3}| ?[^\\s\\p{L}\\p{M}\\p{N}\u200c\u200d]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
)


def train_bytelevel_mark_safe(texts: Iterable[str], size: int) -> TrainedTokenizer:
    """Byte-level BPE whose words keep their marks and joiners."""
    return _train("bytelevel-bpe", texts, size, MARK_SAFE_PATTERN)


def train_bytelevel_gpt2(texts: Iterable[str], size: int) -> TrainedTokenizer:
    """Byte-level BPE within GPT-2's pattern."""
    return _train("bytelevel-bpe-gpt2", texts, size, GPT2_PATTERN)


def _train(kind: str, texts: Iterable[str], size: int, pattern: str) -> TrainedTokenizer:
    smallest = len(SPECIALS) + 256
    if size < smallest:
        raise too_small(kind, size, smallest)
    tokenizer = train_bytelevel(texts, size, pattern)
    if tokenizer.get_vocab_size() < size:
        raise too_large(kind, size, tokenizer.get_vocab_size())
    return TrainedTokenizer(kind, tokenizer)


def train_bytelevel(texts: Iterable[str], size: int, pattern: str) -> Tokenizer:
    """A byte-level BPE tokenizer with at most `size` ids, whose merges stay within the pattern's matches."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIALS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
