"""WordPiece: the longest piece first, and a whole word unknown if its characters are not all known."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.trainers import WordPieceTrainer

from tokenization.folder import TrainedTokenizer
from tokenization.specials import SPECIALS, UNKNOWN
from tokenization.training.conversion import space_decoder, space_normalizer
from tokenization.training.patterns import word_splitter
from tokenization.training.sizes import too_large, too_small

KIND = "wordpiece"


def train_wordpiece(texts: Iterable[str], size: int) -> TrainedTokenizer:
    """WordPiece as `tokenizers` trains it; lossy, for a word with a character that the text lacks becomes `<unk>`.

    Unlike BERT's it strips no accents (which would take the vowel signs away), and marks a word's beginning by "▁", not
    its continuation by "##": what it knows, spaces included, is read back exactly. Without "##" its training is
    deterministic too, for it is the pieces with "##" that the library numbers in the order of a hash.
    """
    normalizer = space_normalizer()
    characters: set[str] = set()
    for text in texts:
        characters.update(normalizer.normalize_str(text))
    smallest = len(SPECIALS) + len(characters)
    if size < smallest:
        raise too_small(KIND, size, smallest)
    tokenizer = Tokenizer(WordPiece(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = word_splitter()
    tokenizer.decoder = space_decoder()
    trainer = WordPieceTrainer(
        vocab_size=size, special_tokens=list(SPECIALS), continuing_subword_prefix="", show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() < size:
        raise too_large(KIND, size, tokenizer.get_vocab_size())
    return TrainedTokenizer(KIND, tokenizer, lossless=False)
