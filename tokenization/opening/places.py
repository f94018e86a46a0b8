"""From places in a text's UTF-8 to places in its code points."""

from __future__ import annotations

import numpy as np


def code_points(text: str, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The code points that spans of bytes touch.

    starts, ends: bytes of `text.encode()`, shape (tokens,). Returns the first code point touched and the one behind the
    last, int32; an empty span on a code point's border stays empty.
    """
    content = np.frombuffer(text.encode(), dtype=np.uint8)
    begun = np.concatenate([[0], np.cumsum((content & 0xC0) != 0x80)]).astype(np.int32)
    within = np.append(begun[1:] - 1, begun[-1])
    return within[starts], np.where(ends > starts, begun[ends], within[starts])
