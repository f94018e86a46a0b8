"""Akshara-constrained BPE: pieces of whole aksharas, as a plain BPE model of `tokenizers`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from tokenization.folder import TrainedTokenizer
from tokenization.specials import UNKNOWN
from tokenization.training.aksharas import AksharaPieces, akshara_pieces, aksharas
from tokenization.training.conversion import space_decoder, space_normalizer
from tokenization.training.patterns import count_words, word_splitter
from tokenization.training.sizes import too_large, too_small
from tokenization.training.spelling import FIXED

KIND = "akshara-bpe"

AKSHARA_SHARE = 0.5
"""Of the vocabulary behind special tokens and bytes, what aksharas may take. Measured on held-out Pratham stories in
Hindi at 2,048 ids: tenths from 0.2 to 0.6 give 1.93, 1.90, 1.90, 1.93 and 1.99 tokens a word, and cut an akshara at
9.7, 5.8, 3.3, 1.7 and 1.0 % of their boundaries."""

_PRIVATE = 0xF0000
_PRIVATE_SIZE = 0x20000
"""Planes 15 and 16: one character for each akshara while the merges are learnt."""


def train_akshara_bpe(texts: Iterable[str], size: int) -> TrainedTokenizer:
    """BPE whose merges join whole aksharas of the vocabulary, after merges that build those (see `aksharas`).

    In any text no boundary falls inside an akshara of the vocabulary. The most frequent aksharas of the text, with the
    pieces that build them, take up to half of the vocabulary behind special tokens and bytes, and more only where the
    text has too few merges to fill the rest; rarer ones are spelt in smaller pieces or bytes. A merge stays within a
    match of `WORD_PATTERN`.
    """
    if size < len(FIXED):
        raise too_small(KIND, size, len(FIXED))
    words = count_words(texts)
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for akshara in aksharas(word):
            counts[akshara] += count
    frequent = sorted(counts, key=lambda akshara: (-counts[akshara], akshara))
    room = size - len(FIXED)
    limit = int(room * AKSHARA_SHARE)
    while True:
        base = akshara_pieces(frequent, limit)
        merges = _learn_merges(words, base.kept, room - len(base))
        joined = dict.fromkeys(left + right for left, right in merges)
        missing = room - len(base) - len(joined)
        if not missing:
            return _assemble(base, list(joined), merges)
        if len(base) < limit:
            raise too_large(KIND, size, size - missing)
        limit += missing


def _learn_merges(words: Counter[str], kept: frozenset[str], number: int) -> list[tuple[str, str]]:
    """The merges of whole aksharas that give up to `number` new pieces; a word is cut at aksharas that are not kept."""
    alphabet = {akshara: chr(_PRIVATE + place) for place, akshara in enumerate(sorted(kept)[:_PRIVATE_SIZE])}
    if number < 1 or not alphabet:
        return []
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = BpeTrainer(vocab_size=len(alphabet) + number, show_progress=False)
    tokenizer.train_from_iterator(_mapped(words, alphabet), trainer)
    back = {private: akshara for akshara, private in alphabet.items()}

    def spelt(piece: str) -> str:
        return "".join(map(back.__getitem__, piece))

    return [(spelt(left), spelt(right)) for left, right in json.loads(tokenizer.to_str())["model"]["merges"]]


def _mapped(words: Counter[str], alphabet: dict[str, str]) -> Iterator[str]:
    """Each word as often as it occurs, one private character for an akshara and a space for one that is not kept."""
    for word, count in words.items():
        mapped = "".join(alphabet.get(akshara, " ") for akshara in aksharas(word)) + " "
        if mapped.strip():
            for start in range(0, count, 10_000):
                yield mapped * min(10_000, count - start)


def _assemble(base: AksharaPieces, joined: list[str], merges: list[tuple[str, str]]) -> TrainedTokenizer:
    pieces = [*FIXED, *base.pieces(), *joined]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(
        BPE(vocab=vocabulary, merges=[*base.merges, *merges], unk_token=UNKNOWN, fuse_unk=True, byte_fallback=True)
    )
    tokenizer.normalizer = space_normalizer()
    tokenizer.pre_tokenizer = word_splitter()
    tokenizer.decoder = space_decoder()
    return TrainedTokenizer(KIND, tokenizer)
