"""A few worker processes: tasks in, results out in the order they are ready, and no more tasks at hand than needed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any, TypeVar

Result = TypeVar("Result")


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(
    function: Callable[..., Result], tasks: Iterable[tuple[Any, ...]], workers: int, first: tuple[Any, ...] = ()
) -> Iterator[Result]:
    """`function(*first, *task)` for each task; in this process if there is one worker or one task.

    Results come as they are ready. At most two tasks a worker are taken from `tasks` ahead of their results.
    """
    iterator = iter(tasks)
    begin = [task for _, task in zip(range(2), iterator, strict=False)]
    if workers < 2 or len(begin) < 2:
        for task in begin:
            yield function(*first, *task)
        for task in iterator:
            yield function(*first, *task)
        return
    running: set[Future[Result]] = set()
    with ProcessPoolExecutor(workers, initializer=_start, initargs=(os.getpid(), first)) as pool:
        try:
            for task in begin:
                running.add(pool.submit(_call, function, *task))
            for task in iterator:
                running.add(pool.submit(_call, function, *task))
                while len(running) >= 2 * workers:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_first: tuple[Any, ...] = ()


def _start(parent: int, first: tuple[Any, ...]) -> None:
    """Keep what all tasks share, leave Ctrl-C to the parent, and end soon after the parent was killed."""
    global _first
    _first = first
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _call(function: Callable[..., Result], *task: Any) -> Result:
    return function(*_first, *task)
