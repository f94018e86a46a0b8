"""How fast training goes and what it costs: tokens per second, memory, floating-point operations.

Nothing is waited for until a row is due: on a GPU the times are events in its queue, read when the row's loss is.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from typing import Any

import torch

from tinymodels.sizing import ModelSize

COLUMNS = (
    "step",
    "seconds",
    "tokens_per_second",
    "gflops",
    "outside_share",
    "peak_memory_mib",
    "peak_gpu_memory_mib",
)


def operations_per_token(size: ModelSize, sequence_length: int) -> int:
    """Floating-point operations of training on one token: 6N + 12 L w T (Chowdhery et al. 2022, PaLM, appendix B).

    N: all weights, for the tied embedding is multiplied as the output layer; L: layers; w: width; T: tokens of a
    window. A multiply-add counts as two; the backward pass costs twice the forward pass. The second term is attention,
    counted as if every token saw the whole window, as is usual.
    """
    return 6 * size.total + 12 * size.layers * size.width * sequence_length


def peak_memory() -> float:
    """The most memory this process has been resident in, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 if sys.platform != "darwin" else 1024**2)


class Stopwatch:
    """Times updates; `row` gives the medians since the last row. Of several processes, it measures its own."""

    def __init__(self, device: torch.device, operations: int) -> None:
        """
        Args:
            device: where the work is done.
            operations: floating-point operations per token.
        """
        self.operations = operations
        self.speeds: list[float] = []
        """Tokens per second of every row."""
        self._cuda = device.type == "cuda"
        if self._cuda:
            torch.cuda.reset_peak_memory_stats(device)
        self._began = time.perf_counter()
        self.pause()

    def pause(self) -> None:
        """What follows until the next batch (validation, samples) is not training."""
        self._marks: list[Any] = []
        self._tokens: list[int] = []
        self._tokens_now = 0
        self._inside = self._outside = 0.0
        self._left: float | None = None

    def batch_starts(self) -> None:
        self._entered = time.perf_counter()
        if self._left is not None:
            self._outside += self._entered - self._left
        if not self._marks:
            self._mark()

    def batch_ends(self, tokens: int, updated: bool) -> None:
        """`tokens` of the batch, in all processes; `updated`: whether an update was made with it."""
        self._tokens_now += tokens
        self._left = time.perf_counter()
        self._inside += self._left - self._entered
        if updated:
            self._mark()
            self._tokens.append(self._tokens_now)
            self._tokens_now = 0

    def _mark(self) -> None:
        if self._cuda:
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            self._marks.append(event)
        else:
            self._marks.append(time.perf_counter())

    def row(self, step: int) -> dict[str, Any]:
        """The columns of `timing.csv`, after the row's loss was waited for.

        `outside_share` is the share of the time, as this process's CPU sees it, between a batch's end and the next
        one's start: reading the batch, logging, the trainer's loop. Empty where nothing was measured.
        """
        if self._cuda:
            torch.cuda.synchronize()
            seconds = [one.elapsed_time(other) / 1000 for one, other in zip(self._marks, self._marks[1:], strict=False)]
        else:
            seconds = [other - one for one, other in zip(self._marks, self._marks[1:], strict=False)]
        row: dict[str, Any] = {"step": step, "seconds": f"{time.perf_counter() - self._began:.2f}"}
        if seconds:
            speed = statistics.median(count / each for count, each in zip(self._tokens, seconds, strict=True))
            self.speeds.append(speed)
            row["tokens_per_second"] = f"{speed:.0f}"
            row["gflops"] = f"{speed * self.operations / 1e9:.2f}"
            row["outside_share"] = f"{self._outside / (self._inside + self._outside):.4f}"
        row["peak_memory_mib"] = f"{peak_memory():.0f}"
        if self._cuda:
            row["peak_gpu_memory_mib"] = f"{torch.cuda.max_memory_allocated() / 2**20:.0f}"
        self._marks, self._tokens = self._marks[-1:], []
        self._inside = self._outside = 0.0
        return row

    def summary(self) -> str:
        """Tokens per second (the median row) and memory at their peak, for a person; empty before any row."""
        if not self.speeds:
            return ""
        memory = torch.cuda.max_memory_allocated() / 2**20 if self._cuda else peak_memory()
        return f"{statistics.median(self.speeds):,.0f} tokens/s with {memory:,.0f} MiB at the peak"
