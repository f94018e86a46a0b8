"""A `tokenizer.json`, or any tokenizer of Hugging Face's `tokenizers`, as the lab's `Tokenizer`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from corpora.errors import UserError
from corpora.folders import sha256
from tokenization.opening.pieces import decoder_steps
from tokenization.opening.tokenizer import FastTokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend


def open_tokenizer_json(path: Path, name: str) -> FastTokenizer:
    """Open a `tokenizer.json`; UserError if it is damaged or something else."""
    from tokenizers import Tokenizer as Backend

    try:
        backend = Backend.from_file(str(path))
    except Exception as error:  # the Rust library raises bare Exception
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{str(path)!r} cannot be opened as a tokenizer ({reason}); get the file again.") from None
    return fast_tokenizer(backend, name, sha256(path))


def fast_tokenizer(backend: Backend, name: str, fingerprint: str) -> FastTokenizer:
    """`backend` made ready to measure, and described.

    It is changed: it never adds, cuts off or pads, it reads the name of a special token in a text as text, it tokenizes
    the same way every time (no dropout), and the places of its tokens cover their spaces (post-processors of the
    byte-level kind trim them).
    """
    backend.post_processor = None
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True
    model = backend.model
    make = type(model).__name__
    unknown, falls_back = getattr(model, "unk_token", None), getattr(model, "byte_fallback", False)
    if make == "BPE":
        model.dropout = None
    if make == "Unigram":
        state = json.loads(backend.to_str())["model"]
        falls_back = state.get("byte_fallback", False)
        unknown = None if state["unk_id"] is None else state["vocab"][state["unk_id"]][0]
    byte_level = "ByteLevel" in decoder_steps(backend)
    byte_pieces = [backend.token_to_id(f"<0x{byte:02X}>") for byte in range(256)] if falls_back else []
    return FastTokenizer(
        name=name,
        kind=f"bytelevel-{make.lower()}" if byte_level else make.lower(),
        vocabulary_size=max(backend.get_vocab(with_added_tokens=True).values(), default=-1) + 1,
        byte_level=byte_level,
        fingerprint=fingerprint,
        published=True,
        unknown_id=None if unknown is None else backend.token_to_id(unknown),
        byte_ids=frozenset(number for number in byte_pieces if number is not None),
        backend=backend,
    )
