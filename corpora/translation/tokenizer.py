"""The translator's vocabulary: SentencePiece over all its languages, in the files of a Marian tokenizer."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.folders import write_json
from corpora.translation.pairs import Pair

_SENTENCES = 100_000


def train_tokenizer(
    pairs: Sequence[Pair], source_language: str, size: int, longest: int, folder: Path, fresh: bool
) -> Any:
    """Train (or, unless `fresh`, open) the tokenizer in `folder`: a `MarianTokenizer`.

    Both sides share one unigram vocabulary, written without normalisation; a character that the pairs do not have is
    `<unk>`, so that a sentence with it can be told from one that was understood. Each target language has a tag.
    """
    from transformers import MarianTokenizer

    if fresh or not (folder / "vocab.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        model = _sentencepiece(pairs, size)
        for name in ("source.spm", "target.spm"):
            (folder / name).write_bytes(model)
        tags = [f">>{code}<<" for code in sorted({pair.language for pair in pairs})]
        names = ["<pad>", "</s>", "<unk>", *tags, *_pieces(model)]
        vocabulary = {name: number for number, name in enumerate(names)}
        write_json(folder / "vocab.json", vocabulary)  # the last of the three: where it is, they are
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")
        return MarianTokenizer(
            source_spm=str(folder / "source.spm"),
            target_spm=str(folder / "target.spm"),
            vocab=str(folder / "vocab.json"),  # type: ignore[arg-type] # a path, whatever the annotation says
            source_lang=source_language,
            model_max_length=longest,
        )


def _sentencepiece(pairs: Sequence[Pair], size: int) -> bytes:
    import sentencepiece

    step = max(1, 2 * len(pairs) // _SENTENCES)
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=(text for pair in pairs[::step] for text in (pair.source, pair.target)),
            model_writer=model,
            model_type="unigram",
            vocab_size=size,
            hard_vocab_limit=False,
            character_coverage=1.0,
            normalization_rule_name="identity",
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise UserError(f"SentencePiece cannot make a vocabulary of {size:,} from these pairs ({error}).") from None
    return model.getvalue()


def _pieces(model: bytes) -> list[str]:
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    return [
        processor.id_to_piece(i)
        for i in range(len(processor))
        if not processor.is_control(i) and not processor.is_unknown(i)
    ]
