"""Progress of long work: a bar on a terminal, a line now and then where stderr is a file or a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar("Item")
_SECONDS_BETWEEN_LINES = 15.0


def progress(items: Iterable[Item], what: str, unit: str = "stories", total: int | None = None) -> Iterator[Item]:
    """The items themselves, with progress on stderr. `total`: how many there will be, if `items` has no length."""
    total = len(items) if isinstance(items, Sized) else total
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, desc=what, total=total, unit=f" {unit}", mininterval=0.5, leave=False)
        return
    shown = time.monotonic()
    for number, item in enumerate(items):
        if time.monotonic() - shown > _SECONDS_BETWEEN_LINES:
            shown = time.monotonic()
            print(f"{what}: {number:,}{f' of {total:,}' if total else ''} {unit}", file=sys.stderr, flush=True)
        yield item


class Meter:
    """Progress of work that is done in pieces: a line on stderr now and then."""

    def __init__(self, what: str, total: int = 0, unit: str = "stories"):
        self.what, self.total, self.unit = what, total, unit
        self.done = 0
        self._shown = time.monotonic()

    def add(self, number: int) -> None:
        """Count what was done since."""
        self.done += number
        if time.monotonic() - self._shown > (1.0 if sys.stderr.isatty() else _SECONDS_BETWEEN_LINES):
            self._shown = time.monotonic()
            of = f" of {self.total:,}" if self.total else ""
            print(f"{self.what}: {self.done:,}{of} {self.unit}", file=sys.stderr, flush=True)
