"""How running text is parted into words before merges or pieces are learnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tokenizers import Regex, pre_tokenizers

from tokenization.training.conversion import space_normalizer

WORD_PATTERN = (
    "▁+(?=▁)|▁?\\p{L}[\\p{L}\\p{M}\u200c\u200d]*|▁?\\p{N}[\\p{M}\u200c\u200d]*|▁?[^\\p{L}\\p{N}▁\r\n]+|[\r\n]+|▁"
)
"""Matches in text whose spaces are "▁": a word is a letter with the letters, marks and joiners behind it; a digit
stands alone, with its marks; punctuation and the rest stand together; line breaks too. Each may begin with one "▁".
Whether it cuts an akshara that starts with no mark depends on that one's own characters, never on its neighbours."""


def word_splitter() -> pre_tokenizers.PreTokenizer:
    """The pre-tokenizer of `WORD_PATTERN`."""
    return pre_tokenizers.Split(Regex(WORD_PATTERN), "isolated")


def count_words(texts: Iterable[str]) -> Counter[str]:
    """Occurrences of each match of `WORD_PATTERN` in the texts."""
    normalizer, splitter = space_normalizer(), word_splitter()
    words: Counter[str] = Counter()
    for text in texts:
        words.update(word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    return words
