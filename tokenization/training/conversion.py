"""Exact conversion of a SentencePiece model to a Hugging Face `tokenizers.Tokenizer`."""

from __future__ import annotations

from typing import Literal

from sentencepiece import SentencePieceProcessor
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE, Unigram

from tokenization.specials import BYTES, SPECIALS, UNKNOWN

SPACE = "▁"
"""U+2581, as which SentencePiece writes a space."""

# SentencePiece itself reads a literal U+2581 back as a space. Noncharacters, which no text holds by right, tell the two
# apart: U+2581 travels as ESCAPE + SPACE_MARK, and a stray U+FDD0 as ESCAPE + ESCAPE_MARK.
ESCAPE, ESCAPE_MARK, SPACE_MARK = "\ufdd0", "\ufdd1", "\ufdd2"


def convert_sentencepiece(model: bytes, algorithm: Literal["bpe", "unigram"]) -> Tokenizer:
    """The Hugging Face tokenizer that gives a SentencePiece model's ids.

    `model`: a serialised model trained with identity normalisation, byte fallback, a dummy prefix and no removal of
    spaces. Ids equal SentencePiece's on every text, save that U+2581 and U+FDD0 keep their identity here (SentencePiece
    turns U+2581 into a space), and that Unigram may choose otherwise where two segmentations score alike to within
    SentencePiece's single precision, or where a text spells the name of a special or byte piece.
    """
    processor = SentencePieceProcessor(model_proto=model)
    size = processor.get_piece_size()
    pieces = [processor.id_to_piece(number) for number in range(size)]
    scores = [processor.get_score(number) for number in range(size)]
    if algorithm == "bpe":
        tokenizer = Tokenizer(
            BPE(
                vocab={piece: number for number, piece in enumerate(pieces)},
                merges=_merges(pieces, scores),
                unk_token=UNKNOWN,
                fuse_unk=True,
                byte_fallback=True,
            )
        )
    else:
        tokenizer = Tokenizer(Unigram(list(zip(pieces, scores, strict=True)), unk_id=0, byte_fallback=True))
    tokenizer.normalizer = space_normalizer()
    if algorithm == "unigram":
        # Without this cut after its "<", a text that spells "<s>" or "<0x0A>" would become that control or byte piece.
        names = "|".join(piece[1:] for piece in SPECIALS)
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(f"<(?={names}|0x[0-9A-F]{{2}}>)"), "isolated")
    tokenizer.decoder = space_decoder()
    return tokenizer


def space_normalizer() -> normalizers.Normalizer:
    """Spaces as U+2581, one more before the text, and a U+2581 of the text itself escaped."""
    return normalizers.Sequence(
        [
            normalizers.Replace(ESCAPE, ESCAPE + ESCAPE_MARK),
            normalizers.Replace(SPACE, ESCAPE + SPACE_MARK),
            normalizers.Prepend(SPACE),
            normalizers.Replace(" ", SPACE),
        ]
    )


def space_decoder() -> decoders.Decoder:
    """What `space_normalizer` did and the byte fallback, undone."""
    return decoders.Sequence(
        [
            decoders.Replace(SPACE, " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(content=" ", left=1),
            decoders.Replace(ESCAPE + SPACE_MARK, SPACE),
            decoders.Replace(ESCAPE + ESCAPE_MARK, ESCAPE),
        ]
    )


def _merges(pieces: list[str], scores: list[float]) -> list[tuple[str, str]]:
    """The merges that build SentencePiece's BPE pieces, best score first: each pair of pieces that joins to a third."""
    apart = set(SPECIALS) | set(BYTES)
    known = set(pieces) - apart
    joins = [
        (score, piece[:cut], piece[cut:])
        for piece, score in zip(pieces, scores, strict=True)
        if piece not in apart
        for cut in range(1, len(piece))
        if piece[:cut] in known and piece[cut:] in known
    ]
    joins.sort(key=lambda join: -join[0])
    return [(left, right) for _, left, right in joins]
