"""Multi-stage mixtures: which language and source each window of a run is drawn from, and how large its batches are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from jsonargparse.typing import ClosedUnitInterval, NonNegativeFloat, PositiveFloat, PositiveInt

from corpora.errors import UserError
from tinymodels.best_fit import BestFitRows
from tinymodels.identity import plain
from tinymodels.packing import Stream, Tokens, draws

Packing = Literal["stream", "best-fit"]
GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Stage:
    """A part of a run, with its own mixture and batch size.

    Args:
        until: share of the run at which the stage ends; 1 for the last.
        weights: share of the tokens by language (`hi: 2`) or by source; what is not named is not read. As the corpus
            has them if not given.
        temperature: where no weights are given (and among the sources of a language, or the languages of a source,
            where they are), shares are proportional to tokens^(1 / temperature): 1 as the corpus has them, more for
            more equal ones.
        replay: share of the tokens that are drawn as the stage before drew them.
        batch_size: windows per batch; that of the data if not given.
    """

    until: ClosedUnitInterval = 1.0
    weights: dict[str, NonNegativeFloat] | None = None
    temperature: PositiveFloat = 1.0
    replay: ClosedUnitInterval = 0.0
    batch_size: PositiveInt | None = None

    @property
    def plain(self) -> dict[str, Any]:
        """The stage in plain values, as checkpoints hold it."""
        values = {name: plain(value) for name, value in asdict(self).items()}
        weights = values["weights"]
        return values | {"weights": weights and {str(name): float(weight) for name, weight in weights.items()}}


@dataclass(frozen=True)
class Part:
    """The stages of a run of so many batches, of which a branch may have used the first ones only."""

    stages: Sequence[Stage]
    batches: int
    used: int


@dataclass(frozen=True)
class _Segment:
    """So many batches of one size and one mixture."""

    batches: int
    batch_size: int
    shares: npt.NDArray[np.float64]
    """Of the tokens, for each of the origins."""


class StreamRows:
    """Windows of `sequence_length + 1` tokens that overlap by one, of documents laid end to end, epoch after epoch."""

    def __init__(
        self, tokens: Tokens, sequence_length: int, seed: int, documents: npt.NDArray[np.int64], part: int
    ) -> None:
        self.sequence_length = self.targets_per_row = sequence_length
        self._stream = Stream(tokens, seed, documents, part)

    def row(self, number: int) -> npt.NDArray[np.int64]:
        """Window `number`, counted from the start of training; shape [sequence_length + 1]."""
        epoch, begin = divmod(number * self.sequence_length, self._stream.length)
        pieces: list[npt.NDArray[np.int64]] = []
        missing = self.sequence_length + 1
        while missing:
            pieces.append(self._stream.read(epoch, begin, min(missing, self._stream.length - begin)))
            missing, epoch, begin = missing - len(pieces[-1]), epoch + 1, 0
        return np.concatenate(pieces)

    def tokens_before(self, number: int) -> int:
        """Targets in the windows before this one."""
        return number * self.sequence_length


class Mixture:
    """The batches of a run in stages, each computable alone from its number (see `packing.Windows`).

    Every (language, source) pair has its own windows, in an order drawn from (seed, epoch), which go on from stage to
    stage. The r-th window of the run is of the pair into whose part of [0, 1) the fractional part of u + r·φ falls
    (Weyl's sequence with the golden ratio; u is drawn from the seed), so that at any moment each pair has had its share
    to within a few windows. A pair whose windows hold more padding has more windows for the same share of the tokens.
    """

    def __init__(
        self, tokens: Tokens, sequence_length: int, batch_size: int, seed: int, packing: Packing, parts: Sequence[Part]
    ) -> None:
        self.origins = tokens.origins
        self.total = len(tokens.ids)
        counts = np.bincount(tokens.origin, np.diff(tokens.offsets), len(tokens.origins)).astype(np.float64)
        make = BestFitRows if packing == "best-fit" else StreamRows
        self._rows = [
            make(tokens, sequence_length, seed, np.flatnonzero(tokens.origin == number), number + 1)
            for number in range(len(tokens.origins))
        ]
        self._per_row = np.array([rows.targets_per_row for rows in self._rows])
        self.segments = _segments(parts, self.origins, counts, batch_size)
        sizes = [(segment.batches, segment.batch_size) for segment in self.segments]
        self._batches = np.cumsum([0, *(batches for batches, _ in sizes)])
        self._windows = np.cumsum([0, *(batches * size for batches, size in sizes)])
        self._draw(seed)

    def _draw(self, seed: int) -> None:
        """The pair of each window of the run, and which of the pair's windows it is."""
        start = draws(seed, 0).random()
        number = np.arange(self._windows[-1])
        points = np.mod(start + number * GOLDEN_RATIO, 1.0)
        self._origin = np.empty(len(number), dtype=np.int16)
        for segment, first, end in zip(self.segments, self._windows, self._windows[1:], strict=False):
            ends = np.cumsum(segment.shares / self._per_row)
            self._origin[first:end] = np.searchsorted(ends / ends[-1], points[first:end], side="right")
        self._place = np.empty(len(number), dtype=np.int64)
        for origin in range(len(self.origins)):
            windows = np.flatnonzero(self._origin == origin)
            self._place[windows] = np.arange(len(windows))

    def batch(self, number: int) -> npt.NDArray[np.int64]:
        """Batch `number`, counted from the start of training; shape [batch_size, sequence_length + 1]."""
        windows = range(self._before(number), self._before(number + 1))
        return np.stack([self._rows[self._origin[window]].row(int(self._place[window])) for window in windows])

    def _before(self, number: int) -> int:
        """Windows in the batches before this one."""
        segment = min(int(np.searchsorted(self._batches, number, side="right")) - 1, len(self.segments) - 1)
        inside = number - int(self._batches[segment])
        return int(self._windows[segment]) + inside * self.segments[segment].batch_size

    def realised(self, number: int) -> dict[tuple[str, str], int]:
        """Targets of each (language, source) in the batches before this one, padding aside."""
        windows = np.bincount(self._origin[: self._before(number)], minlength=len(self.origins))
        return {
            origin: rows.tokens_before(int(count))
            for origin, rows, count in zip(self.origins, self._rows, windows, strict=True)
        }

    def asked(self) -> dict[tuple[str, str], float]:
        """Share of the run's targets that each (language, source) is to have, padding aside."""
        windows = np.stack([segment.shares / self._per_row for segment in self.segments])
        windows *= (np.diff(self._windows) / windows.sum(axis=1))[:, None]
        targets = windows.sum(axis=0) * self._per_row
        return dict(zip(self.origins, (targets / targets.sum()).tolist(), strict=True))

    @property
    def utilisation(self) -> float:
        """Share of the run's targets that is no padding."""
        last = int(self._batches[-1])
        length = self.batch(0).shape[1] - 1
        return self.tokens_before(last) / (int(self._windows[-1]) * length)

    def tokens_before(self, number: int) -> int:
        """Targets in the batches before this one, padding aside."""
        return sum(self.realised(number).values())

    def epochs_before(self, number: int) -> float:
        """Targets in the batches before this one over the tokens of the corpus."""
        return self.tokens_before(number) / self.total


def _segments(
    parts: Sequence[Part], origins: list[tuple[str, str]], counts: npt.NDArray[np.float64], batch_size: int
) -> list[_Segment]:
    segments: list[_Segment] = []
    shares = None
    for part in parts:
        _check(part.stages)
        begin = 0
        for stage in part.stages:
            if begin == part.used < part.batches:
                break
            shares = _shares(stage, origins, counts, shares)
            end = min(round(stage.until * part.batches), part.used)
            segments.append(_Segment(end - begin, stage.batch_size or batch_size, shares))
            begin = end
    return segments


def _check(stages: Sequence[Stage]) -> None:
    ends = [stage.until for stage in stages]
    if ends != sorted(set(ends)) or not ends or ends[0] <= 0 or ends[-1] != 1:
        raise UserError(
            f"`data.stages` end at {', '.join(map(str, ends)) or 'nothing'}: give each stage an `until` above that of "
            "the stage before, and the last one 1."
        )


def _shares(
    stage: Stage,
    origins: list[tuple[str, str]],
    counts: npt.NDArray[np.float64],
    before: npt.NDArray[np.float64] | None,
) -> npt.NDArray[np.float64]:
    """Share of a stage's tokens for each of the `origins`; they sum to 1."""
    shares = (counts / counts.sum()) ** (1 / stage.temperature)
    if stage.weights is not None:
        names = _named(stage.weights, origins)
        for name in set(names):
            alike = np.array([other == name for other in names])
            shares[alike] *= stage.weights.get(name, 0.0) / shares[alike].sum()
    if not shares.sum():
        raise UserError("a stage's `weights` in `data.stages` are all 0; give one language or source more.")
    shares /= shares.sum()
    if stage.replay:
        if before is None:
            raise UserError("the first of `data.stages` has a `replay`, but no stage before it to replay; remove it.")
        shares = (1 - stage.replay) * shares + stage.replay * before
    return shares / shares.sum()


def _named(weights: dict[str, float], origins: list[tuple[str, str]]) -> list[str]:
    """The language or the source of each of the `origins`, whichever the weights name."""
    languages, sources = ([origin[field] for origin in origins] for field in (0, 1))
    for names in (languages, sources):
        if set(weights) <= set(names):
            return names
    known = [*sorted(set(languages)), *sorted(set(sources))]
    unknown = sorted(set(weights) - set(known))
    raise UserError(
        f"`weights` in `data.stages` name {unknown[0]!r}, which the training stories do not have; "
        f"name languages or sources out of {', '.join(known)}."
        if unknown
        else "`weights` of one stage in `data.stages` name languages and sources; name only the one or the other."
    )
