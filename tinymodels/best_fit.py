"""Whole documents in windows: best-fit packing, after Ding et al. 2024 (arXiv 2404.10830), and padding for the rest."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tinymodels.architecture import PADDING
from tinymodels.packing import Tokens, draws


def best_fit_decreasing(lengths: npt.NDArray[np.int64], spaces: list[int], size: int) -> npt.NDArray[np.int64]:
    """The window of each document: the fullest one it still fits into, a new one if there is none.

    Args:
        lengths: tokens of each document, from the longest to the shortest, none above `size`.
        spaces: what is free in the windows that are there already.
        size: of a new window.
    """
    free: list[list[int]] = [[] for _ in range(size + 1)]  # windows by their free space
    there = 0  # bit n is set if a window has n free
    windows = len(spaces)
    for window, space in enumerate(spaces):
        free[space].append(window)
        there |= 1 << space
    found = np.empty(len(lengths), dtype=np.int64)
    for index, length in enumerate(lengths.tolist()):
        fitting = there >> length
        if fitting:
            space = length + (fitting & -fitting).bit_length() - 1
            window = free[space].pop()
            if not free[space]:
                there ^= 1 << space
        else:
            window, space = windows, size
            windows += 1
        free[space - length].append(window)
        there |= 1 << (space - length)
        found[index] = window
    return found


class BestFitRows:
    """Windows of `sequence_length + 1` tokens, epoch after epoch; in each epoch every document stands in one window.

    A document longer than a window is cut into pieces that overlap by one token; each piece begins a window, so that
    no piece follows another story. The rest of a window is `PADDING`, and a target that is padding is none.

    Which lengths share a window is worked out once, over all documents; which documents of those lengths, and in what
    order the windows come, is drawn from (seed, epoch). So an epoch has the same number of windows each time, and a
    window's epoch is known from its number.
    """

    def __init__(
        self,
        tokens: Tokens,
        sequence_length: int,
        seed: int,
        documents: npt.NDArray[np.int64] | None = None,
        part: int = 0,
    ) -> None:
        """`documents` are those of a part of the tokens, all if not given; every part has its own numbers."""
        self.tokens = tokens
        self.size = sequence_length + 1
        self.seed = seed
        self.part = part
        self._epoch = -1
        documents = np.arange(tokens.documents) if documents is None else documents
        lengths = np.diff(tokens.offsets)[documents]
        self._openers = [
            (int(document), first, min(self.size, int(length) - first))
            for document, length in zip(documents, lengths, strict=True)
            if length > self.size
            for first in range(0, int(length) - 1, sequence_length)
        ]
        """Pieces of long documents: (document, first token, tokens); piece i begins window i."""
        fitting = lengths <= self.size
        self._documents, self._lengths = documents[fitting], lengths[fitting]
        by_length = np.sort(self._lengths)[::-1]
        windows = best_fit_decreasing(by_length, [self.size - length for *_, length in self._openers], self.size)
        self.per_epoch = max(len(self._openers), int(windows.max(initial=-1)) + 1)
        """Windows of one epoch."""
        self._places = np.argsort(windows, kind="stable")  # the documents' places by length, window for window
        self._starts = np.searchsorted(windows[self._places], np.arange(self.per_epoch + 1))
        filled = np.bincount(windows, by_length, self.per_epoch)
        filled[: len(self._openers)] += [length for *_, length in self._openers]
        self._targets = filled.astype(np.int64) - 1
        self.length = int(self._targets.sum())
        """Targets of an epoch, padding aside."""

    @property
    def targets_per_row(self) -> float:
        """Targets of a window on average, padding aside."""
        return self.length / self.per_epoch

    @property
    def utilisation(self) -> float:
        """Share of the targets that is no padding."""
        return self.length / (self.per_epoch * (self.size - 1))

    def row(self, number: int) -> npt.NDArray[np.int64]:
        """Window `number`, counted from the start of training; shape [sequence_length + 1]."""
        epoch, number = divmod(number, self.per_epoch)
        self._order(epoch)
        window = int(self._windows[number])
        pieces = []
        if window < len(self._openers):
            document, first, length = self._openers[window]
            pieces.append(self.tokens.document(document)[first : first + length])
        places = self._places[self._starts[window] : self._starts[window + 1]]
        pieces += [self.tokens.document(document) for document in self._placed[places]]
        row = np.full(self.size, PADDING, dtype=np.int64)
        row[: sum(map(len, pieces))] = np.concatenate(pieces)
        return row

    def tokens_before(self, number: int) -> int:
        """Targets in the windows before this one, padding aside."""
        epoch, number = divmod(number, self.per_epoch)
        if not number:
            return epoch * self.length
        self._order(epoch)
        return epoch * self.length + int(self._targets[self._windows[:number]].sum())

    def _order(self, epoch: int) -> None:
        """Draw which documents of the same length stand where, and the order of the windows."""
        if epoch == self._epoch:
            return
        generator = draws(self.seed, epoch, self.part)
        drawn = generator.permutation(len(self._documents))
        self._placed = self._documents[drawn[np.argsort(-self._lengths[drawn], kind="stable")]]
        self._windows = generator.permutation(self.per_epoch)
        self._epoch = epoch


class BestFit:
    """The batches of training on best-fit windows, each computable alone from its number (see `packing.Windows`).

    A batch is `batch_size` consecutive windows, of two epochs where one ends.
    """

    def __init__(self, tokens: Tokens, sequence_length: int, batch_size: int, seed: int) -> None:
        self.batch_size = batch_size
        self._rows = BestFitRows(tokens, sequence_length, seed)
        self.utilisation = self._rows.utilisation
        self.per_epoch = math.ceil(self._rows.per_epoch / batch_size)
        """Batches of one epoch; the last one may begin the next."""

    def batch(self, number: int) -> npt.NDArray[np.int64]:
        """Batch `number`, counted from the start of training; shape [batch_size, sequence_length + 1]."""
        first = number * self.batch_size
        return np.stack([self._rows.row(row) for row in range(first, first + self.batch_size)])

    def tokens_before(self, number: int) -> int:
        """Targets in the batches before this one, padding aside."""
        return self._rows.tokens_before(number * self.batch_size)

    def epochs_before(self, number: int) -> float:
        """Passes over the stories in the batches before this one."""
        return number * self.batch_size / self._rows.per_epoch
