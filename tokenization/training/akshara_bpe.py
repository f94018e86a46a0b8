"""Akshara-constrained BPE: pieces of whole aksharas, as a plain BPE model of `tokenizers`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from tokenizers import Regex, Tokenizer, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from tokenization.folder import TrainedTokenizer
from tokenization.specials import UNKNOWN
from tokenization.training.aksharas import AksharaPieces, akshara_pieces, aksharas
from tokenization.training.conversion import space_decoder, space_normalizer
from tokenization.training.sizes import too_large, too_small
from tokenization.training.spelling import FIXED

KIND = "akshara-bpe"

AKSHARA_SHARE = 0.5

# A word is a letter with the letters, marks and joiners behind it; a digit stands alone, with its marks; punctuation
# and the rest stand together; line breaks too. Each may begin with one "▁". Whether it cuts an akshara that starts with
# no mark depends on that one's own characters, never on its neighbours.
PATTERN = "▁+(?=▁)|▁?\\p{L}[\\p{L}\\p{M}\u200c\u200d]*|▁?\\p{N}[\\p{M}\u200c\u200d]*|▁?[^\\p{L}\\p{N}▁\r\n]+|[\r\n]+|▁"

_PRIVATE = 0xF0000
_PRIVATE_SIZE = 0x20000
"""Planes 15 and 16: one character for each akshara while the merges are learnt."""


def train_akshara_bpe(texts: Iterable[str], size: int) -> TrainedTokenizer:
    """BPE whose merges join whole aksharas of the vocabulary, after merges that build those (see `aksharas`).

    In any text no boundary falls inside an akshara of the vocabulary. The most frequent aksharas of the text, with the
    pieces that build them, take up to half of the vocabulary behind special tokens and bytes, and more only where the
    text has too few merges to fill the rest; rarer ones are spelt in smaller pieces or bytes. A merge stays within a
    match of `PATTERN`.
    """
    if size < len(FIXED):
        raise too_small(KIND, size, len(FIXED))
    words = _count_words(texts)
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


def _pre_tokenizer() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Split(Regex(PATTERN), "isolated")


def _count_words(texts: Iterable[str]) -> Counter[str]:
    """Occurrences of each pre-token of the texts."""
    normalizer, splitter = space_normalizer(), _pre_tokenizer()
    words: Counter[str] = Counter()
    for text in texts:
        words.update(word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    return words


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
    tokenizer.pre_tokenizer = _pre_tokenizer()
    tokenizer.decoder = space_decoder()
    return TrainedTokenizer(KIND, tokenizer)
