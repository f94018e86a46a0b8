"""SentencePiece's BPE and Unigram, converted exactly to `tokenizers`."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Literal

from corpora.errors import UserError
from tokenization.folder import TrainedTokenizer
from tokenization.training.sizes import too_large, too_small

Algorithm = Literal["bpe", "unigram"]


def train_sentencepiece_bpe(texts: Iterable[str], size: int) -> TrainedTokenizer:
    """Byte-pair encoding over characters."""
    return _train("bpe", texts, size)


def train_sentencepiece_unigram(texts: Iterable[str], size: int) -> TrainedTokenizer:
    """The unigram language model (Kudo 2018)."""
    return _train("unigram", texts, size)


def _train(algorithm: Algorithm, texts: Iterable[str], size: int) -> TrainedTokenizer:
    from tokenization.training.conversion import convert_sentencepiece

    kind = f"sentencepiece-{algorithm}"
    try:
        model = train_sentencepiece(algorithm, texts, size)
    except RuntimeError as error:
        if found := re.search(r"smaller than required_chars\. \d+ vs (\d+)", str(error)):
            raise too_small(kind, size, int(found[1])) from None
        if re.search(r"too high|vocab_size", str(error), re.IGNORECASE):
            raise too_large(kind, size, _largest(algorithm, texts, error)) from None
        raise UserError(f"SentencePiece could not train on this text ({error}); give it more text.") from None
    return TrainedTokenizer(kind, convert_sentencepiece(model, algorithm), model)


def train_sentencepiece(algorithm: Algorithm, texts: Iterable[str], size: int) -> bytes:
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


def _largest(algorithm: Algorithm, texts: Iterable[str], error: RuntimeError) -> int:
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
