"""Progress of long work: a bar on a terminal, a sparse line where stderr is a file or a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")


def progress(items: Iterable[Item], what: str, total: int | None = None, unit: str = "story") -> Iterable[Item]:
    """The items, with progress on stderr at most twice a second, or every 15 seconds where that is no terminal."""
    from tqdm import tqdm

    interval = 0.5 if sys.stderr.isatty() else 15.0
    if total is None and hasattr(items, "__len__"):
        total = len(items)
    return tqdm(items, desc=what, total=total, unit=unit, mininterval=interval, maxinterval=interval, leave=False)
