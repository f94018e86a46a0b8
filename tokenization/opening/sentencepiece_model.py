"""SentencePiece's `.model`, tokenized by SentencePiece itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from corpora.errors import UserError
from corpora.folders import sha256
from tokenization.opening.places import code_points
from tokenization.opening.tokenizer import Encoded, Tokenizer

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

SPACE = "▁"


@dataclass(frozen=True, kw_only=True)
class SentencePieceTokenizer(Tokenizer):
    """A SentencePiece model; places are in the text as given, whatever the model's normaliser makes of it."""

    processor: SentencePieceProcessor = field(repr=False)

    def encode_batch(self, texts: Sequence[str]) -> list[Encoded]:
        protos = self.processor.encode(list(texts), out_type="proto")
        return [self._place(text, proto.pieces) for text, proto in zip(texts, protos, strict=True)]

    def decode(self, ids: Sequence[int]) -> str:
        return self.processor.decode([int(number) for number in ids])

    def pieces(self) -> list[bytes]:
        processor = self.processor
        names = [processor.id_to_piece(number) for number in range(self.vocabulary_size)]
        return [
            bytes([int(name[3:5], 16)])
            if number in self.byte_ids
            else (
                name if processor.is_control(number) or processor.is_unknown(number) else name.replace(SPACE, " ")
            ).encode()
            for number, name in enumerate(names)
        ]

    @cached_property
    def _space(self) -> int:
        return self.processor.piece_to_id(SPACE)

    def _place(self, text: str, pieces: Sequence) -> Encoded:
        ids = np.array([piece.id for piece in pieces], dtype=np.int32)
        begins = np.array([piece.begin for piece in pieces], dtype=np.int64)
        ends = np.array([piece.end for piece in pieces], dtype=np.int64)
        # Of the pieces that share a character only the last has it; the others get it too. A space put before the
        # text has none.
        for at in np.flatnonzero((begins == ends) & (ids != self._space))[::-1]:
            if at + 1 < len(ids) and begins[at + 1] == begins[at]:
                ends[at] = ends[at + 1]
        return Encoded(ids, *code_points(text, begins, ends))


def open_sentencepiece(path: Path, name: str) -> SentencePieceTokenizer:
    """Open a `.model` file; UserError if it is damaged or something else."""
    from sentencepiece import SentencePieceProcessor, sentencepiece_model_pb2

    content = path.read_bytes()
    try:
        processor = SentencePieceProcessor(model_proto=content)
        model = sentencepiece_model_pb2.ModelProto.FromString(content)  # type: ignore[attr-defined]
        size = processor.get_piece_size()
    except Exception:  # RuntimeError from C++, DecodeError from protobuf
        raise UserError(
            f"{str(path)!r} is a damaged tokenizer or none: neither a SentencePiece model nor any other format that is "
            "known here; get it again, or give another file."
        ) from None
    if not size:
        raise UserError(f"{str(path)!r} holds no pieces, so it is no SentencePiece model; get it again.")
    kind = model.trainer_spec.ModelType.Name(model.trainer_spec.model_type).lower()
    return SentencePieceTokenizer(
        name=name,
        kind=f"sentencepiece-{kind}",
        vocabulary_size=size,
        byte_level=False,
        fingerprint=sha256(path),
        published=True,
        unknown_id=processor.unk_id(),
        byte_ids=frozenset(number for number in range(size) if processor.is_byte(number)),
        processor=processor,
    )
