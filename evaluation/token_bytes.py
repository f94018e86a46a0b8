"""What every token stands for, in bytes: the ground on which token boundaries are measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from corpora.errors import UserError

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerBase


def token_bytes(tokenizer: PreTrainedTokenizerBase) -> tuple[list[bytes], bool]:
    """The UTF-8 bytes of each id, and whether every text starts with a space that it does not hold itself.

    Joined over a text's ids they give the text's UTF-8 (after that space, where there is one). Unlike character offsets
    they stay exact for tokens that are a part of a character. UserError for a tokenizer whose decoder is neither
    byte-level nor SentencePiece-like nor plain characters.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise _immeasurable(tokenizer.name_or_path)
    return piece_bytes(backend, tokenizer.name_or_path)


def piece_bytes(backend: Tokenizer, name: str = "") -> tuple[list[bytes], bool]:
    """`token_bytes` for a tokenizer of Hugging Face's `tokenizers`; `name` stands in the error."""
    decoder = json.loads(backend.to_str())["decoder"] or {}
    steps = {step["type"]: step for step in decoder.get("decoders", [decoder]) if step}
    pieces = [backend.id_to_token(number) or "" for number in range(_ids(backend))]
    if "ByteLevel" in steps:
        letters = byte_level_letters()
        return [
            bytes(letters[letter] for letter in piece) if letters.keys() >= set(piece) else piece.encode()
            for piece in pieces
        ], False
    if "Fuse" not in steps:
        raise _immeasurable(name)
    marks_spaces = "Replace" in steps or "Metaspace" in steps
    return [_piece_bytes(piece, "ByteFallback" in steps, marks_spaces) for piece in pieces], "Strip" in steps


def _ids(backend: Tokenizer) -> int:
    """One more than the largest id: a vocabulary may have holes."""
    return max(backend.get_vocab().values()) + 1


def _immeasurable(name: str) -> UserError:
    return UserError(
        f"the tokenizer {name!r} is neither SentencePiece-like nor byte-level, "
        "so its tokens cannot be measured in bytes; use another tokenizer."
    )


def _piece_bytes(piece: str, has_byte_pieces: bool, marks_spaces: bool) -> bytes:
    if has_byte_pieces and len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        return bytes([int(piece[3:5], 16)])
    return (piece.replace("▁", " ") if marks_spaces else piece).encode()


def byte_level_letters() -> dict[str, int]:
    """GPT-2's alphabet: the letter that stands for each byte (printable Latin-1 as itself, the rest from U+0100 on)."""
    itself = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in set(itself)]
    return {chr(byte): byte for byte in itself} | {chr(0x100 + number): byte for number, byte in enumerate(rest)}
