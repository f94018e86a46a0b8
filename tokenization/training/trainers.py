"""Training tokenizers: four kinds behind one function, all lossless on any Unicode text and deterministic."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from corpora.errors import UserError
from tokenization.specials import BYTES, SPECIALS, UNKNOWN

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tokenization.folder import TrainedTokenizer

Kind = Literal["sentencepiece-bpe", "sentencepiece-unigram", "bytelevel-bpe", "characters"]
KINDS: tuple[Kind, ...] = get_args(Kind)

DEFAULT_SIZE = 2048

# GPT-2's pattern cuts an Indic word at every vowel sign, for its \p{L} holds no marks; here marks and joiners stay with
# their letters. Line breaks stay together, as in later patterns, so that a paragraph's end can be one token.
MARK_SAFE_PATTERN = (
    " ?[\\p{L}\\p{M}\u200c\u200d]+| ?\\p{N}{1,3}| ?[^\\s\\p{L}\\p{M}\\p{N}\u200c\u200d]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
)


def train_tokenizer(kind: Kind, texts: Sequence[str], vocabulary_size: int | None = None) -> TrainedTokenizer:
    """Train one tokenizer on whole stories. Equal texts give equal bytes: no kind draws a random number.

    Args:
        kind: `sentencepiece-bpe`, `sentencepiece-unigram`, `bytelevel-bpe` or `characters`.
        texts: the stories; line breaks inside them are learnt like other characters.
        vocabulary_size: number of ids, special tokens and byte pieces included. None gives 2048, and for `characters`
            every character of the text; a smaller number keeps the most frequent ones, the others being spelt in bytes.

    Raises:
        UserError: there is no text, the kind is unknown, or the text cannot give a vocabulary of that size (the message
            names the largest, or smallest, that it can give).
    """
    if kind not in KINDS:
        raise UserError(f"there is no kind of tokenizer {kind!r}; choose from {', '.join(KINDS)}.")
    if not any(text.strip() for text in texts):
        raise UserError("there is no text to train a tokenizer on; give a corpus with stories in its train split.")
    if kind == "characters":
        return _characters(texts, vocabulary_size)
    size = DEFAULT_SIZE if vocabulary_size is None else vocabulary_size
    return _bytelevel(texts, size) if kind == "bytelevel-bpe" else _sentencepiece(kind, texts, size)


def _sentencepiece(kind: Kind, texts: Sequence[str], size: int) -> TrainedTokenizer:
    from tokenization.folder import TrainedTokenizer
    from tokenization.training.conversion import convert_sentencepiece

    algorithm: Literal["bpe", "unigram"] = "bpe" if kind == "sentencepiece-bpe" else "unigram"
    try:
        model = train_sentencepiece(algorithm, texts, size)
    except RuntimeError as error:
        if found := re.search(r"smaller than required_chars\. \d+ vs (\d+)", str(error)):
            raise _too_small(kind, size, int(found[1])) from None
        if re.search(r"too high|vocab_size", str(error), re.IGNORECASE):
            raise _too_large(kind, size, _largest_sentencepiece(algorithm, texts, error)) from None
        raise UserError(f"SentencePiece could not train on this text ({error}); give it more text.") from None
    return TrainedTokenizer(kind, convert_sentencepiece(model, algorithm), model)


def train_sentencepiece(algorithm: Literal["bpe", "unigram"], texts: Sequence[str], size: int) -> bytes:
    """The serialised SentencePiece model: identity normalisation, every character covered, byte fallback.

    RuntimeError (SentencePiece's own) if the text cannot give `size` pieces.
    """
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        model_type=algorithm,
        vocab_size=size,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        character_coverage=1.0,
        byte_fallback=True,
        split_digits=True,
        max_sentence_length=2**30,
        num_threads=16,  # fixed, for the sums of Unigram's training depend on it
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=3,
        minloglevel=2,
    )
    return model.getvalue()


def _largest_sentencepiece(algorithm: Literal["bpe", "unigram"], texts: Sequence[str], error: RuntimeError) -> int:
    """The largest size that SentencePiece reaches: the one its complaint names, tried until it holds."""
    while found := re.search(r"<= (\d+)", str(error)):
        largest = int(found[1])
        try:
            train_sentencepiece(algorithm, texts, largest)
        except RuntimeError as next_error:
            if str(next_error) == str(error):
                break
            error = next_error
        else:
            return largest
    raise UserError(f"SentencePiece could not train on this text ({error}); give it more text.") from None


def _bytelevel(texts: Sequence[str], size: int) -> TrainedTokenizer:
    from tokenization.folder import TrainedTokenizer

    smallest = len(SPECIALS) + 256
    if size < smallest:
        raise _too_small("bytelevel-bpe", size, smallest)
    tokenizer = train_bytelevel(texts, size, MARK_SAFE_PATTERN)
    if tokenizer.get_vocab_size() < size:
        raise _too_large("bytelevel-bpe", size, tokenizer.get_vocab_size())
    return TrainedTokenizer("bytelevel-bpe", tokenizer)


def train_bytelevel(texts: Sequence[str], size: int, pattern: str) -> Tokenizer:
    """A byte-level BPE tokenizer with at most `size` ids, whose merges stay within the pattern's matches."""
    from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

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


def _characters(texts: Sequence[str], size: int | None) -> TrainedTokenizer:
    from tokenizers import Tokenizer, decoders
    from tokenizers.models import BPE

    from tokenization.folder import TrainedTokenizer

    counts = Counter(character for text in texts for character in text)
    fixed = len(SPECIALS) + len(BYTES)
    size = fixed + len(counts) if size is None else size
    if size < fixed:
        raise _too_small("characters", size, fixed)
    if size > fixed + len(counts):
        raise _too_large("characters", size, fixed + len(counts))
    frequent = sorted(counts, key=lambda character: (-counts[character], character))[: size - fixed]
    pieces = [*SPECIALS, *BYTES, *sorted(frequent)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[], unk_token=UNKNOWN, byte_fallback=True))
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    return TrainedTokenizer("characters", tokenizer)


def _too_large(kind: str, size: int, largest: int) -> UserError:
    return UserError(
        f"this text gives a {kind} vocabulary of at most {largest}, but {size} was asked for; "
        f"ask for {largest} or fewer, or train on more text."
    )


def _too_small(kind: str, size: int, smallest: int) -> UserError:
    return UserError(
        f"a {kind} vocabulary of this text needs at least {smallest} ids (special tokens, bytes and characters), "
        f"but {size} was asked for; ask for {smallest} or more."
    )
