"""Stories to token arrays on disk, and the order in which training reads them, which needs no state."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpora.errors import UserError
from corpora.folders import MANIFEST, fingerprint, read_manifest, sha256
from tinymodels.encoding import encode_split

CACHE_FORMAT = 2
"""Of a folder of tokens. 2: with the language and source of each document."""


@dataclass(frozen=True)
class Tokens:
    """The documents of one split, one after the other; each is `<s>`, the story's ids, `</s>`."""

    ids: npt.NDArray[np.unsignedinteger]
    """All token ids, shape [tokens]; memory-mapped."""
    offsets: npt.NDArray[np.int64]
    """Document d is `ids[offsets[d]:offsets[d + 1]]`; shape [documents + 1]."""
    characters: npt.NDArray[np.int64]
    """Characters (code points) of each story's text; shape [documents]."""
    origins: list[tuple[str, str]] = field(default_factory=list)
    """The (language, source) pairs there are, sorted."""
    origin: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    """Of which of the `origins` each document is; shape [documents]."""

    @property
    def documents(self) -> int:
        return len(self.characters)

    @property
    def characters_per_token(self) -> float:
        """Characters of the stories over tokens, the marks of beginning and end included."""
        return float(self.characters.sum() / len(self.ids))

    def document(self, index: int) -> npt.NDArray[np.unsignedinteger]:
        return self.ids[self.offsets[index] : self.offsets[index + 1]]


def pack(
    corpus: str | os.PathLike[str],
    tokenizer_folder: str | os.PathLike[str],
    split: str,
    languages: Sequence[str] | None,
    cache: str | os.PathLike[str],
) -> Tokens:
    """The tokens of a corpus's split, read from the cache or encoded into it.

    The cache holds one folder per combination, named by the hash of the corpus's and the tokenizer's fingerprints,
    the split and the languages; a folder is whole or absent.
    """
    inputs = {"corpus": fingerprint(corpus, "corpus"), "tokenizer": fingerprint(tokenizer_folder, "tokenizer")}
    configuration = {"split": split, "languages": sorted(languages) if languages else None, "format": CACHE_FORMAT}
    name = hashlib.sha256(json.dumps([inputs, configuration], sort_keys=True).encode()).hexdigest()[:20]
    folder = Path(cache) / name
    if (folder / MANIFEST).is_file():
        refuse_damaged(folder, "*", "remove that folder and run the command again")
    else:
        refuse_damaged(corpus, f"{split}-*.parquet", "build the corpus again")
        refuse_damaged(tokenizer_folder, "tokenizer*", "train the tokenizer again")
        encode_split(corpus, tokenizer_folder, split, languages, folder, configuration, inputs)
    return _open(folder)


def _open(folder: Path) -> Tokens:
    manifest = read_manifest(folder, "tokens")
    ids = np.memmap(folder / "tokens.bin", dtype=np.dtype(manifest["dtype"]), mode="r")
    try:
        offsets = np.load(folder / "offsets.npy", allow_pickle=False)
        characters = np.load(folder / "characters.npy", allow_pickle=False)
        origin = np.load(folder / "origin.npy", allow_pickle=False)
    except ValueError:
        raise UserError(
            f"the tokens in {str(folder)!r} hold something other than numbers; remove that folder and run again."
        ) from None
    return Tokens(ids, offsets, characters, [tuple(pair) for pair in manifest["origins"]], origin)


def refuse_damaged(folder: str | os.PathLike[str], pattern: str, remedy: str) -> None:
    """UserError if a file of a folder is not, by its SHA-256, what the folder's manifest says."""
    for name, digest in read_manifest(folder)["files"].items():
        path = Path(folder, name)
        if path.match(pattern) and (not path.is_file() or sha256(path) != digest):
            raise UserError(f"{str(path)!r} is damaged or was changed: it does not match {MANIFEST!r}; {remedy}.")


class Stream:
    """Documents laid end to end, in each epoch in an order drawn from (seed, epoch)."""

    def __init__(
        self, tokens: Tokens, seed: int, documents: npt.NDArray[np.int64] | None = None, part: int = 0
    ) -> None:
        """`documents` are those of a part of the tokens, all if not given; every part has its own numbers."""
        self.tokens = tokens
        self.seed = seed
        self.documents = np.arange(tokens.documents) if documents is None else documents
        self.part = part
        self.length = int(np.diff(tokens.offsets)[self.documents].sum())
        """Tokens of an epoch."""
        self._epoch = -1

    def order(self, epoch: int) -> None:
        """Draw the epoch's order of documents and where each starts in the stream."""
        if epoch == self._epoch:
            return
        order = draws(self.seed, epoch, self.part).permutation(len(self.documents))
        self._documents = self.documents[order]
        lengths = np.diff(self.tokens.offsets)[self._documents]
        self._starts = np.concatenate([[0], np.cumsum(lengths)])
        self._epoch = epoch

    def read(self, epoch: int, begin: int, count: int) -> npt.NDArray[np.int64]:
        """`count` tokens of the epoch's stream from position `begin`."""
        self.order(epoch)
        stream = np.empty(count, dtype=np.int64)
        filled = 0
        place = int(np.searchsorted(self._starts, begin, side="right")) - 1
        skip = begin - int(self._starts[place])
        while filled < count:
            piece = self.tokens.document(self._documents[place])[skip : skip + count - filled]
            stream[filled : filled + len(piece)] = piece
            filled, place, skip = filled + len(piece), place + 1, 0
        return stream


def draws(seed: int, epoch: int, part: int = 0) -> np.random.Generator:
    """Random numbers of an epoch of a part of the documents."""
    return np.random.Generator(np.random.Philox(key=[seed, epoch], counter=[0, 0, 0, part]))


class Windows:
    """The batches of training, each computable alone from its number.

    Per epoch the documents are put in an order drawn from (seed, epoch), laid end to end and cut into windows of
    `sequence_length + 1` tokens that overlap by one (inputs and targets are its first and last `sequence_length`).
    A batch is `batch_size` consecutive windows; the tokens left over at an epoch's end are not read in that epoch.
    """

    utilisation = 1.0
    """Share of the targets that is no padding."""

    def __init__(self, tokens: Tokens, sequence_length: int, batch_size: int, seed: int) -> None:
        self.tokens = tokens
        self.sequence_length = sequence_length
        self.batch_size = batch_size
        self._stream = Stream(tokens, seed)
        if self.per_epoch < 1:
            raise UserError(
                f"the training split holds {len(tokens.ids):,} tokens in {tokens.documents:,} "
                f"{'story' if tokens.documents == 1 else 'stories'}, fewer than one batch of "
                f"{batch_size} windows of {sequence_length} tokens; add stories, or lower "
                "`data.batch_size` or `data.sequence_length`."
            )

    @cached_property
    def per_epoch(self) -> int:
        """Batches of one epoch."""
        return (len(self.tokens.ids) - 1) // (self.batch_size * self.sequence_length)

    def batch(self, number: int) -> npt.NDArray[np.int64]:
        """Batch `number`, counted from the start of training; shape [batch_size, sequence_length + 1]."""
        epoch, number = divmod(number, self.per_epoch)
        span = self.batch_size * self.sequence_length
        stream = self._stream.read(epoch, number * span, span + 1)
        return np.lib.stride_tricks.sliding_window_view(stream, self.sequence_length + 1)[:: self.sequence_length]

    def tokens_before(self, number: int) -> int:
        """Targets in the batches before this one, padding aside."""
        return number * self.batch_size * self.sequence_length

    def epochs_before(self, number: int) -> float:
        """Passes over the stories in the batches before this one."""
        return number / self.per_epoch


@dataclass(frozen=True)
class Pieces:
    """A padded batch of pieces of whole documents, to be scored."""

    inputs: npt.NDArray[np.int64]
    """Shape [pieces, length]."""
    targets: npt.NDArray[np.int64]
    """Shape [pieces, length]; -100 where padded."""
    documents: npt.NDArray[np.int64]
    """Which document each piece is of; shape [pieces]."""


def whole_documents(tokens: Tokens, sequence_length: int, batch_size: int, limit: int | None = None) -> list[Pieces]:
    """Whole documents cut into pieces of at most `sequence_length` targets, in batches of pieces of like length.

    Every token but the first of a document is a target exactly once. A piece after a document's first knows only the
    token before it, so that scoring costs one pass: documents longer than the context score a little worse here than
    with the sliding window of `kathalab evaluation score`. `limit` keeps that many documents, evenly spread.
    """
    count = tokens.documents if limit is None else min(limit, tokens.documents)
    chosen = np.linspace(0, tokens.documents - 1, count).round().astype(np.int64)
    pieces = [
        (document[first : first + sequence_length + 1], int(index))
        for index in chosen
        for document in [tokens.document(index)]
        for first in range(0, len(document) - 1, sequence_length)
    ]
    pieces.sort(key=lambda piece: len(piece[0]), reverse=True)
    return [_pad(pieces[first : first + batch_size]) for first in range(0, len(pieces), batch_size)]


def _pad(pieces: list[tuple[npt.NDArray[np.unsignedinteger], int]]) -> Pieces:
    length = max(len(ids) for ids, _ in pieces) - 1
    inputs = np.zeros((len(pieces), length), dtype=np.int64)
    targets = np.full((len(pieces), length), -100, dtype=np.int64)
    for row, (ids, _) in enumerate(pieces):
        inputs[row, : len(ids) - 1] = ids[:-1]
        targets[row, : len(ids) - 1] = ids[1:]
    return Pieces(inputs, targets, np.array([document for _, document in pieces]))
