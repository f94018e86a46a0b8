"""What a measure is: its name, formula and source, as every table and page tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Measured = dict[str, float | None]
"""`{"value", "low", "high"}` with a 95 % interval; low and high are None where there is none, all three where the
measure has no value (an empty denominator)."""


@dataclass(frozen=True)
class Definition:
    """One measure."""

    title: str
    """Head of its column."""
    formula: str
    """One line: what is divided by what."""
    source: str = ""
    """Where the formula comes from."""
    better: Literal["lower", "higher", ""] = ""
    """Which end is better; empty where it says nothing by itself."""
    style: Literal["number", "percent", "whole"] = "number"
    group: str = "running text"
    """Table that it stands in: running text, vocabulary, parity, entropy, morphology, robustness or speed."""


def point(value: float | None) -> Measured:
    """A value without an interval."""
    return {"value": value, "low": None, "high": None}
