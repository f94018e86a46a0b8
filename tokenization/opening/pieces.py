"""The UTF-8 of every id of a `tokenizers` tokenizer, as its decoder would write it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend


def decoder_steps(backend: Backend) -> dict[str, dict[str, Any]]:
    """The decoder's steps by type; empty if it has no decoder."""
    if backend.decoder is None:
        return {}
    decoder = json.loads(backend.decoder.__getstate__())
    return {step["type"]: step for step in decoder.get("decoders", [decoder])}


def pieces_of(backend: Backend) -> list[bytes]:
    """Index = id; special tokens by their name, empty for a hole in the numbering.

    A space is written where a piece holds one (`▁`, `Ġ`, `</w>`), not where a decoder puts one between two words.
    """
    from evaluation.token_bytes import byte_level_letters

    steps = decoder_steps(backend)
    numbers = backend.get_vocab(with_added_tokens=True)
    names = [""] * (max(numbers.values(), default=-1) + 1)
    for name, number in numbers.items():
        names[number] = name
    special = {number for number, token in backend.get_added_tokens_decoder().items() if token.special}
    letters = byte_level_letters() if "ByteLevel" in steps else {}

    def piece(name: str) -> bytes:
        if letters:
            return bytes(letters[letter] for letter in name) if letters.keys() >= set(name) else name.encode()
        if "ByteFallback" in steps and len(name) == 6 and name.startswith("<0x") and name.endswith(">"):
            return bytes([int(name[3:5], 16)])
        if "Metaspace" in steps or "Replace" in steps:
            name = name.replace("▁", " ")
        if "WordPiece" in steps:
            name = name.removeprefix(steps["WordPiece"]["prefix"])
        if "BPEDecoder" in steps and name.endswith(steps["BPEDecoder"]["suffix"]):
            name = name.removesuffix(steps["BPEDecoder"]["suffix"]) + " "
        return name.encode()

    return [name.encode() if number in special else piece(name) for number, name in enumerate(names)]
