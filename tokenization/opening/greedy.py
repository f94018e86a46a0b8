"""Tokenizers that always take the longest token that fits: RWKV's World."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from corpora.errors import UserError
from corpora.folders import sha256
from tokenization.opening.places import code_points
from tokenization.opening.tokenizer import Encoded, Tokenizer

_LINE = re.compile(r"(\d+) (b?(?:'.*'|\".*\")) (\d+)")
SPECIAL = "<|endoftext|>"
"""Id 0, which the file leaves out."""


@dataclass(frozen=True, kw_only=True)
class GreedyTokenizer(Tokenizer):
    """Longest match from left to right over a text's UTF-8, with no cut before it."""

    tokens: Mapping[bytes, int] = field(repr=False)

    def encode_batch(self, texts: Sequence[str]) -> list[Encoded]:
        return [self._encode(text) for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        pieces = self._pieces
        return b"".join(pieces[number] for number in ids if number).decode("utf-8", errors="replace")

    def pieces(self) -> list[bytes]:
        return list(self._pieces)

    def _encode(self, text: str) -> Encoded:
        content, tokens, lengths = text.encode(), self.tokens, self._lengths
        ids, ends, at = [], [], 0
        while at < len(content):
            for length in lengths.get(content[at : at + 2], (1,)):
                number = tokens.get(content[at : at + length])
                if number is not None:
                    break
            at = min(at + length, len(content))
            ids.append(number)
            ends.append(at)
        last = np.array(ends, dtype=np.int64)
        return Encoded(np.array(ids, dtype=np.int32), *code_points(text, np.append(0, last)[:-1], last))

    @cached_property
    def _pieces(self) -> list[bytes]:
        found = [b""] * self.vocabulary_size
        found[0] = SPECIAL.encode()
        for token, number in self.tokens.items():
            found[number] = token
        return found

    @cached_property
    def _lengths(self) -> dict[bytes, tuple[int, ...]]:
        """First two bytes -> lengths of the tokens that begin so, longest first, and 1."""
        found: dict[bytes, set[int]] = {}
        for token in self.tokens:
            if len(token) > 1:
                found.setdefault(token[:2], {1}).add(len(token))
        return {start: tuple(sorted(lengths, reverse=True)) for start, lengths in found.items()}


def looks_like_rwkv(path: Path) -> bool:
    """Whether a file begins as RWKV's vocabulary does: a number, a Python literal, its length in bytes."""
    with open(path, "rb") as file:
        return _LINE.fullmatch(file.readline(1000).decode("utf-8", errors="replace").rstrip("\r\n")) is not None


def open_rwkv(path: Path) -> GreedyTokenizer:
    """Open RWKV's `rwkv_vocab_*.txt`; UserError if a line is damaged or a byte has no token."""
    tokens: dict[bytes, int] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if line:
            token, index = _read_line(line, f"line {number} of {str(path)!r}")
            tokens[token] = index
    if missing := [byte for byte in range(256) if bytes([byte]) not in tokens]:
        raise UserError(f"{str(path)!r} has no token for byte {missing[0]}; get the whole file again.")
    return GreedyTokenizer(
        name=path.stem,
        kind="greedy",
        vocabulary_size=max(tokens.values()) + 1,
        byte_level=True,
        fingerprint=sha256(path),
        published=True,
        tokens=tokens,
    )


def _read_line(line: bytes, where: str) -> tuple[bytes, int]:
    try:
        match = _LINE.fullmatch(line.decode().rstrip("\r"))
        token = ast.literal_eval(match[2]) if match else None
        token = token.encode() if isinstance(token, str) else token
        if match and isinstance(token, bytes) and len(token) == int(match[3]):
            return token, int(match[1])
    except (ValueError, SyntaxError):
        pass
    raise UserError(f"{where} is not a number, a token and its length; get the file again.")
