"""How fast a tokenizer encodes and decodes on this machine: never part of what must come out the same twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median

from tokenization.measures.definitions import Definition, Measured, point
from tokenization.opening.tokenizer import Tokenizer

_HOW = "text by text, so on one core; median of the timings between the fastest and the slowest, on this machine"

DEFINITIONS = {
    "encoding_speed": Definition(
        "Encoding, MB/s", f"million UTF-8 bytes / seconds to ids and their places; {_HOW}", "", "higher", group="speed"
    ),
    "decoding_speed": Definition(
        "Decoding, MB/s", f"million UTF-8 bytes / seconds from ids to text; {_HOW}", "", "higher", group="speed"
    ),
}


def measure_speed(tokenizer: Tokenizer, texts: Sequence[str], rounds: int = 7) -> dict[str, Measured]:
    """Every measure of `DEFINITIONS`; some 100 kB of text are enough.

    The range of n independent timings holds their median with probability 1 − 2^(1−n): 98 % for 7 rounds.
    """
    size = sum(len(text.encode()) for text in texts) / 1e6
    if not size:
        return {name: point(None) for name in DEFINITIONS}
    ids = [one.ids.tolist() for one in tokenizer.encode_batch(texts)]
    return {
        "encoding_speed": _rate(size, rounds, lambda: [tokenizer.encode_batch([text]) for text in texts]),
        "decoding_speed": _rate(size, rounds, lambda: [tokenizer.decode(row) for row in ids]),
    }


def _rate(size: float, rounds: int, action: Callable[[], object]) -> Measured:
    rates = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        rates.append(size / (time.perf_counter() - start))
    return {"value": median(rates), "low": min(rates), "high": max(rates)}
