"""A tokenizer's vocabulary: which scripts its pieces are for, and how much of it a text uses."""

from __future__ import annotations

import re

import numpy as np

from corpora.scripts import SCRIPTS, letter_table
from tokenization.measures.definitions import Definition, Measured, point
from tokenization.opening.tokenizer import Tokenizer

CLASSES = (*SCRIPTS, "other", "bytes", "none")
"""What a piece is for, in the order of `classify`'s numbers."""

DEFINITIONS = {
    "vocabulary_use": Definition(
        "Vocabulary used",
        "different ids in the text / vocabulary size; no interval, for resampling texts loses rare pieces",
        better="higher",
        style="percent",
        group="vocabulary",
    ),
    "dead_pieces": Definition(
        "Pieces never used",
        "number of pieces with letters that the text never uses; no interval, for resampling texts loses rare pieces",
        "Land & Bartolo 2024 look for pieces that training never saw; these are pieces that one text never uses",
        better="lower",
        style="whole",
        group="vocabulary",
    ),
}

_SPECIAL = re.compile(r"<[^<>\s]+>|\[[A-Z0-9_]+\]")


def classify(tokenizer: Tokenizer) -> np.ndarray:
    """The class of every id, as its place in `CLASSES`; uint8, shape (ids,).

    A piece belongs to the script of most of its letters and marks (the first of `CLASSES` if two are even); `other`:
    letters of another script; `bytes`: a byte fallback's piece, or one that is not valid UTF-8; `none`: no letter, or a
    special token's name (in angle or square brackets).
    """
    texts: list[str] = []
    classes = np.full(tokenizer.vocabulary_size, CLASSES.index("none"), dtype=np.uint8)
    for number, piece in enumerate(tokenizer.pieces()[: tokenizer.vocabulary_size]):
        try:
            text = piece.decode()
        except UnicodeDecodeError:
            text = ""
            classes[number] = CLASSES.index("bytes")
        texts.append("" if _SPECIAL.fullmatch(text) else text)
    units = [text.encode("utf-16-le") for text in texts]
    letters = letter_table()[np.frombuffer(b"".join(units), dtype="<u2")]
    owners = np.repeat(np.arange(len(texts)), [len(unit) // 2 for unit in units])
    counts = np.bincount(owners * 5 + letters, minlength=len(texts) * 5).reshape(-1, 5)[:, 1:]
    lettered = np.flatnonzero(counts.any(axis=1))
    classes[lettered] = counts[lettered].argmax(axis=1)
    classes[sorted(tokenizer.byte_ids)] = CLASSES.index("bytes")
    return classes


def allocate(tokenizer: Tokenizer) -> dict[str, int]:
    """Number of ids for each of `CLASSES`."""
    return dict(zip(CLASSES, np.bincount(classify(tokenizer), minlength=len(CLASSES)).tolist(), strict=True))


def measure_use(counts: np.ndarray, classes: np.ndarray) -> dict[str, Measured]:
    """The measures of `DEFINITIONS`. `counts`: occurrences of each id, `classes`: those of `classify`; shape (ids,)."""
    lettered = classes < CLASSES.index("bytes")
    return {
        "vocabulary_use": point(float((counts > 0).mean()) if len(counts) else None),
        "dead_pieces": point(float((lettered & (counts == 0)).sum())),
    }
