"""The kinds that learn nothing but an alphabet: characters, bytes and aksharas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tokenizers import Tokenizer, decoders
from tokenizers.models import BPE

from tokenization.folder import TrainedTokenizer
from tokenization.specials import BYTES, SPECIALS, UNKNOWN
from tokenization.training.aksharas import akshara_pieces, aksharas
from tokenization.training.sizes import too_large, too_small

FIXED = (*SPECIALS, *BYTES)
"""The first pieces of every kind with a byte fallback."""


def train_characters(texts: Iterable[str], size: int | None) -> TrainedTokenizer:
    """Every code point of the text, or the `size` − 260 most frequent ones; others are spelt in bytes."""
    counts = Counter(character for text in texts for character in text)
    frequent = sorted(counts, key=lambda character: (-counts[character], character))
    size = check_size("characters", size, len(frequent))
    return _spell("characters", sorted(frequent[: size - len(FIXED)]), [])


def train_bytes(texts: Iterable[str], size: int | None) -> TrainedTokenizer:
    """The 256 bytes of UTF-8: nothing depends on the text."""
    check_size("bytes", size, 0)
    return _spell("bytes", [], [])


def train_aksharas(texts: Iterable[str], size: int | None) -> TrainedTokenizer:
    """Every akshara of the text with the pieces that build it (see `aksharas`), or the first `size` − 260 of those.

    The most frequent aksharas come first; rarer ones are spelt in smaller pieces or bytes.
    """
    counts = Counter(akshara for text in texts for akshara in aksharas(text))
    frequent = sorted(counts, key=lambda akshara: (-counts[akshara], akshara))
    size = check_size("aksharas", size, len(akshara_pieces(frequent)))
    built = akshara_pieces(frequent, size - len(FIXED))
    return _spell("aksharas", built.pieces(), built.merges)


def check_size(kind: str, size: int | None, pieces: int) -> int:
    """The size asked for, or that of all `pieces` beside the fixed ones; UserError if the text cannot give it."""
    largest = len(FIXED) + pieces
    size = largest if size is None else size
    if size < len(FIXED):
        raise too_small(kind, size, len(FIXED))
    if size > largest:
        raise too_large(kind, size, largest)
    return size


def _spell(kind: str, pieces: list[str], merges: list[tuple[str, str]]) -> TrainedTokenizer:
    vocabulary = {piece: number for number, piece in enumerate([*FIXED, *pieces])}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=merges, unk_token=UNKNOWN, byte_fallback=True))
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    return TrainedTokenizer(kind, tokenizer)
