"""Pruning a large tokenizer to the pieces that a corpus uses, without changing how it cuts that corpus.

BPE keeps for each used piece the merges that build it. Inside a piece's span the full tokenizer chooses among the same
pairs whatever stands around it, so these are the merges that it applied in the corpus; a merge that it never applied
was never the first in rank, and without it every choice stays as it was. Unigram keeps the best path of a text when
pieces that are not on it are gone. Both hold as long as no size is given.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from corpora.errors import UserError
from evaluation.token_bytes import byte_level_letters
from tokenization.folder import TrainedTokenizer
from tokenization.specials import BYTES, SPECIALS, UNKNOWN
from tokenization.training.character_bpe import reserved_names
from tokenization.training.conversion import ESCAPE, ESCAPE_MARK, SPACE, SPACE_MARK
from tokenization.training.sizes import too_large, too_small

HARD = (
    "क़ क\u093c ऩ न\u093c ো ো é e\u0301 ﬁ",
    "  दो  खाली \t\r\n\n ",
    "▁ ▁\0\u200c\u200d\ufeff\ufdd0\U0010fffd漢",
    "<s></s><unk><pad><0x0A>",
)
"""Texts that a tokenizer which normalises, trims, drops or reads names does not give back."""


def prune(backend: Tokenizer, texts: Sequence[str], size: int | None = None, kind: str = "pruned") -> TrainedTokenizer:
    """The tokenizer with the pieces that the texts use, those that build them, and all bytes.

    Special tokens get ids 0 to 3; all added tokens of the original are gone, and what they match is text. Other pieces
    keep their order. `lossless` says whether every line of the texts and each of `HARD` is given back.

    Args:
        backend: BPE (byte-level or not) or Unigram of Hugging Face's `tokenizers`.
        texts: the stories.
        size: number of ids; the most frequent pieces are kept that fit with all that builds them. None keeps all used.
        kind: `kind` of the result, also named in errors.

    Raises:
        UserError: a model of another make, or one that marks the inside or the end of words; or the size is impossible.
    """
    full = strip(backend)
    state = json.loads(full.to_str())
    fixed = _fixed_pieces(state)
    if size is not None and size < len(fixed):
        raise too_small(kind, size, len(fixed))
    tree = _Bpe(state["model"]) if state["model"]["type"] == "BPE" else _Unigram(state["model"])
    kept = dict.fromkeys(tree.always)
    merges: set[tuple[str, str]] = set()
    for piece in _used(full, texts):
        joins = tree.joins(piece)
        needed = dict.fromkeys([piece, *tree.letters(piece), *(left + right for left, right in joins)])
        new = [name for name in needed if name not in kept and name not in fixed]
        fits = size is None or len(fixed) + len(kept) + len(new) <= size
        if fits and not needed.keys() & {*SPECIALS, *BYTES, tree.unknown}:
            kept |= dict.fromkeys(new)
            merges.update(joins)
    if size is not None and len(fixed) + len(kept) < size:
        raise too_large(kind, size, len(fixed) + len(kept))
    state["model"] |= tree.cut([*fixed, *sorted(kept, key=tree.ids.__getitem__)], merges)
    tokenizer = Tokenizer.from_str(json.dumps(state))
    lines = (line for text in texts for line in text.splitlines(keepends=True))
    return TrainedTokenizer(kind, tokenizer, lossless=all(_comes_back(tokenizer, line) for line in (*HARD, *lines)))


def strip(backend: Tokenizer) -> Tokenizer:
    """The tokenizer without added tokens and post-processor: what it does with plain text, and only that.

    Where a literal "▁" would be read back as a space, it is escaped as in `conversion`.
    """
    state = json.loads(backend.to_str())
    model = state["model"]
    if model["type"] not in ("BPE", "Unigram"):
        raise UserError(f"a {model['type']} tokenizer cannot be pruned; give one of make BPE or Unigram.")
    if model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"):
        raise UserError("a BPE tokenizer that marks the inside or end of words cannot be pruned; give another.")
    state |= {"added_tokens": [], "post_processor": None, "truncation": None, "padding": None}
    _escape_space_sign(state)
    if model["type"] == "Unigram" or model["ignore_merges"]:  # these would read "<s>" in a text as the special token
        guard = {"type": "Split", "pattern": {"Regex": reserved_names()}, "behavior": "Isolated", "invert": False}
        state["pre_tokenizer"] = _sequence("pretokenizers", state["pre_tokenizer"], guard)
    return Tokenizer.from_str(json.dumps(state))


def count_cut_alike(pruned: Tokenizer, full: Tokenizer, texts: Sequence[str]) -> int:
    """How many of the texts both tokenizers cut into the same pieces."""
    full = strip(full)
    return sum(pruned.encode(text).tokens == full.encode(text).tokens for text in texts)


class _Bpe:
    """What builds the pieces of a BPE model."""

    def __init__(self, model: dict[str, Any]) -> None:
        self.ids: dict[str, int] = model["vocab"]
        self.always: list[str] = []
        self._merges = [(left, right) for left, right in model["merges"]]
        self._ranks = {pair: rank for rank, pair in enumerate(self._merges)}
        self.unknown: str | None = model["unk_token"]

    def letters(self, piece: str) -> list[str]:
        """The pieces of one character that it begins from."""
        return [letter for letter in piece if letter in self.ids]

    def joins(self, piece: str) -> list[tuple[str, str]]:
        """The merges that the tokenizer applies when it builds a piece: first in rank, then leftmost.

        Empty for a piece that no merges build (`ignore_merges` takes it whole).
        """
        parts, joins = list(piece), []
        while len(parts) > 1:
            pair = min(pairwise(parts), key=lambda pair: self._ranks.get(pair, math.inf))
            if pair not in self._ranks:
                return []
            at = next(at for at, found in enumerate(pairwise(parts)) if found == pair)
            parts[at : at + 2] = ["".join(pair)]
            joins.append(pair)
        return joins

    def cut(self, pieces: Iterable[str], merges: set[tuple[str, str]]) -> dict[str, Any]:
        """The model's new vocabulary and merges."""
        return {
            "vocab": {piece: number for number, piece in enumerate(pieces)},
            "merges": [pair for pair in self._merges if pair in merges],
            "unk_token": UNKNOWN if self.unknown else None,
        }


class _Unigram:
    """The pieces of a Unigram model, which need no others."""

    def __init__(self, model: dict[str, Any]) -> None:
        self.ids = {piece: number for number, (piece, _) in enumerate(model["vocab"])}
        self.unknown = None if model["unk_id"] is None else model["vocab"][model["unk_id"]][0]
        self._scores = dict(model["vocab"])
        # Of the lowest score the price of an unknown character is made.
        self.always = [min(self._scores, key=self._scores.__getitem__)]

    def letters(self, piece: str) -> list[str]:
        """Single characters, without which unknown ones would compete with the pieces."""
        return [letter for letter in piece if letter in self.ids]

    def joins(self, piece: str) -> list[tuple[str, str]]:
        """None: a Unigram model has no merges."""
        return []

    def cut(self, pieces: Iterable[str], merges: set[tuple[str, str]]) -> dict[str, Any]:
        """The model's new vocabulary."""
        return {"vocab": [[piece, self._scores.get(piece, 0.0)] for piece in pieces], "unk_id": 0}


def _fixed_pieces(state: dict[str, Any]) -> list[str]:
    """Special tokens and, where the tokenizer spells in bytes, the 256 byte pieces."""
    if "ByteLevel" in {step["type"] for step in _steps(state["decoder"], "decoders")}:
        return [*SPECIALS, *sorted(byte_level_letters())]
    return [*SPECIALS, *BYTES] if state["model"].get("byte_fallback") else [*SPECIALS]


def _used(tokenizer: Tokenizer, texts: Iterable[str]) -> list[str]:
    """The pieces of the texts, most frequent first."""
    names = {number: piece for piece, number in tokenizer.get_vocab().items()}
    counts = np.zeros(max(names) + 1, dtype=np.int64)
    for batch in _batches(texts):
        for encoding in tokenizer.encode_batch(batch, add_special_tokens=False):
            counts += np.bincount(encoding.ids, minlength=len(counts))
    order = np.argsort(-counts, kind="stable")
    return [names[int(number)] for number in order if counts[number]]


def _batches(texts: Iterable[str], length: int = 64) -> Iterator[list[str]]:
    rest = iter(texts)
    while batch := list(islice(rest, length)):
        yield batch


def _comes_back(tokenizer: Tokenizer, text: str) -> bool:
    return tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids) == text


def _escape_space_sign(state: dict[str, Any]) -> None:
    """Give a tokenizer that writes a space as "▁", and unknown characters in bytes, the escape of `conversion`."""
    steps = _steps(state["decoder"], "decoders")
    makes_spaces = any(step["type"] == "Replace" and step["pattern"] == {"String": SPACE} for step in steps)
    if not (makes_spaces and state["model"].get("byte_fallback") and {"type": "Fuse"} in steps):
        return
    if any(step.get("pattern") == {"String": ESCAPE + SPACE_MARK} for step in steps):
        return
    pairs = [(ESCAPE, ESCAPE + ESCAPE_MARK), (SPACE, ESCAPE + SPACE_MARK)]
    before = [{"type": "Replace", "pattern": {"String": sign}, "content": escape} for sign, escape in pairs]
    after = [{"type": "Replace", "pattern": {"String": escape}, "content": sign} for sign, escape in reversed(pairs)]
    state["normalizer"] = {"type": "Sequence", "normalizers": [*before, *_steps(state["normalizer"], "normalizers")]}
    state["decoder"] = {"type": "Sequence", "decoders": [*steps, *after]}


def _steps(part: dict[str, Any] | None, name: str) -> list[dict[str, Any]]:
    """The steps of a normaliser, pre-tokenizer or decoder."""
    if part is None:
        return []
    return part[name] if part["type"] == "Sequence" else [part]


def _sequence(name: str, part: dict[str, Any] | None, last: dict[str, Any]) -> dict[str, Any]:
    steps = _steps(part, name)
    return {"type": "Sequence", name: steps if last in steps else [*steps, last]}
