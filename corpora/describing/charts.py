"""One kind of figure as inline SVG, coloured by the page's style sheet: it follows dark mode and prints sharp."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT = 440, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 12, 12, 36
_BINS = 40
_COLOURS = 6


def distributions(lengths: Sequence[Mapping[int, int]], label: str) -> str:
    """How stories are spread over lengths, one curve (style c0, c1, …) for each set; an SVG element.

    Bins are equally wide on a logarithmic scale, for stories of 30 and of 3,000 words stand side by side. The height of
    a curve is the share of its stories, so that sets of different sizes can be compared; it has no scale of its own.

    Args:
        lengths: for each set, length -> number of stories.
        label: what the lengths are.
    """
    sets = [{length: times for length, times in found.items() if length > 0 and times} for found in lengths]
    every = [length for found in sets for length in found]
    if not every:
        return ""
    low, high = math.log(max(1, min(every) * 0.9)), math.log(max(every) * 1.1)
    width = (high - low) / _BINS or 1.0
    shares = [_smooth(_binned(found, low, width)) for found in sets]
    top = max(max(found) for found in shares) or 1.0

    def x_at(value: float) -> float:
        return _LEFT + (value - low) / (high - low or 1) * (_WIDTH - _LEFT - _RIGHT)

    bottom = _HEIGHT - _BOTTOM
    parts = [f'<svg class="figure" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"><title>{escape(label)}</title>']
    for tick in _round_numbers(math.exp(low), math.exp(high)):
        x = x_at(math.log(tick))
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        anchor = "start" if x < 20 else "end" if x > _WIDTH - 24 else "middle"
        parts.append(f'<text x="{x:.1f}" y="{bottom + 15}" text-anchor="{anchor}">{_number(tick)}</text>')
    parts.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 4}" text-anchor="middle">{escape(label)}</text>')
    for number, found in enumerate(shares):
        if not any(found):
            continue
        style = f"c{number % _COLOURS}"
        points = [
            (x_at(low + width * (index + 0.5)), bottom - share / top * (bottom - _TOP - 4))
            for index, share in enumerate(found)
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        area = f"{points[0][0]:.1f},{bottom} {line} {points[-1][0]:.1f},{bottom}"
        parts.append(f'<polygon class="area {style}" points="{area}"/>')
        parts.append(f'<polyline class="curve {style}" points="{line}"/>')
    return "".join(parts) + "</svg>"


def _binned(lengths: Mapping[int, int], low: float, width: float) -> list[float]:
    bins = [0.0] * _BINS
    total = sum(lengths.values()) or 1
    for length, times in lengths.items():
        bins[min(_BINS - 1, max(0, int((math.log(length) - low) / width)))] += times / total
    return bins


def _smooth(bins: Sequence[float]) -> list[float]:
    """Each bin with its neighbours, by the weights of a binomial; a hundred stories make ragged bins."""
    padded = [0.0, 0.0, *bins, 0.0, 0.0]
    weights = (1, 4, 6, 4, 1)
    return [sum(w * padded[i + j] for j, w in enumerate(weights)) / 16 for i in range(len(bins))]


def _round_numbers(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten between two numbers; powers of ten alone where those are many."""
    steps = [factor * 10**power for power in range(7) for factor in (1, 2, 5)]
    found = [step for step in steps if low <= step <= high]
    return found if len(found) < 8 else [step for step in found if str(step)[0] == "1"]


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u202f")
