"""Two kinds of figure as inline SVG, coloured by the page's style sheet: they follow dark mode and print sharp.

The parts of a figure (`open_figure`, `lettering`, `ticks_over`, `tick_text`) serve others too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 440
_MOST_POINTS = 300


@dataclass(frozen=True)
class Line:
    """One curve: points (x, y) in order of x; `style` is the CSS class that colours it."""

    name: str
    style: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Bar:
    """One row of an interval plot."""

    name: str
    style: str
    value: float
    low: float | None
    high: float | None


def line_chart(lines: Sequence[Line], levels: Mapping[str, tuple[str, float]], x_label: str, y_label: str) -> str:
    """Curves over a common x, with dashed horizontal levels {name: (style, y)}; an SVG element."""
    height, left, right, top, bottom = 270, 42, 20, 12, 38
    points = [point for line in lines for point in line.points]
    ys = sorted(y for _, y in points)
    # The first steps of a long training would flatten all the rest: above the 90th percentile the curve is cut off.
    ceiling = max([ys[-1 if len(ys) < 10 else int(0.9 * (len(ys) - 1))], *(level for _, level in levels.values())])
    y_ticks = ticks_over(min([ys[0], *(level for _, level in levels.values())]), ceiling, 5)
    x_ticks = ticks_over(min(x for x, _ in points), max(x for x, _ in points), 5)
    x_low, x_high = min(x for x, _ in points), max(max(x for x, _ in points), x_ticks[-1])
    y_low, y_high = y_ticks[0], y_ticks[-1]

    def x_at(x: float) -> float:
        return left + (x - x_low) / ((x_high - x_low) or 1) * (WIDTH - left - right)

    def y_at(y: float) -> float:
        return top + (y_high - y) / ((y_high - y_low) or 1) * (height - top - bottom)

    parts = [open_figure(height, f"{y_label} by {x_label}")]
    for y in y_ticks:
        parts.append(f'<line class="grid" x1="{left}" x2="{WIDTH - right}" y1="{y_at(y):.1f}" y2="{y_at(y):.1f}"/>')
        parts.append(lettering(left - 6, y_at(y) + 4, tick_text(y, y_ticks), "end"))
    for x in x_ticks:
        if x_low <= x <= x_high:
            parts.append(lettering(x_at(x), height - bottom + 16, tick_text(x, x_ticks), "middle"))
    parts.append(lettering(left + (WIDTH - left - right) / 2, height - 4, x_label, "middle", "label"))
    taken: list[float] = []
    for name, (style, level) in sorted(levels.items(), key=lambda item: item[1][1]):
        y = y_at(level)
        parts.append(f'<line class="level {style}" x1="{left}" x2="{WIDTH - right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        label = _free((y - 5, y + 14), taken)
        parts.append(lettering(WIDTH - right, label, f"{name} {level:.2f}", "end", f"name {style}"))
    for line in lines:
        thinned = line.points[:: max(1, len(line.points) // _MOST_POINTS)]
        if thinned[-1] != line.points[-1]:
            thinned = [*thinned, line.points[-1]]
        visible = [(x, min(y, y_high)) for x, y in thinned]
        path = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in visible)
        parts.append(f'<polyline class="curve {line.style}" points="{path}"/>')
        x, y = visible[-1]
        parts.append(f'<circle class="dot {line.style}" cx="{x_at(x):.1f}" cy="{y_at(y):.1f}" r="3.2"/>')
        label = _free((y_at(y) - 8, y_at(y) + 17, y_at(y) - 21), taken)
        words = f"{line.name} {line.points[-1][1]:.2f}"
        parts.append(lettering(min(x_at(x) + 3, WIDTH - right), label, words, "end", f"name {line.style}"))
    return "".join(parts) + "</svg>"


def interval_plot(bars: Sequence[Bar], label: str) -> str:
    """One row per measurement: a dot at the value, a line over its interval, the number beside; from zero."""
    row, left, right, top, bottom = 26, 118, 44, 6, 36
    height = top + row * len(bars) + bottom
    ticks = ticks_over(0, max(bar.high if bar.high is not None else bar.value for bar in bars), 5)

    def x_at(x: float) -> float:
        return left + x / (ticks[-1] or 1) * (WIDTH - left - right)

    parts = [open_figure(height, label)]
    for tick in ticks:
        x = x_at(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{height - bottom}"/>')
        parts.append(lettering(x, height - bottom + 15, tick_text(tick, ticks), "middle"))
    parts.append(lettering(left + (WIDTH - left - right) / 2, height - 3, label, "middle", "label"))
    for number, bar in enumerate(bars):
        y = top + row * (number + 0.5)
        parts.append(lettering(left - 8, y + 4, bar.name, "end", "row"))
        parts.append(f'<line class="stem {bar.style}" x1="{left}" x2="{x_at(bar.value):.1f}" y1="{y}" y2="{y}"/>')
        if bar.low is not None and bar.high is not None:
            ends = f'x1="{x_at(bar.low):.1f}" x2="{x_at(bar.high):.1f}" y1="{y}" y2="{y}"'
            parts.append(f'<line class="interval {bar.style}" {ends}/>')
        parts.append(f'<circle class="dot {bar.style}" cx="{x_at(bar.value):.1f}" cy="{y}" r="4.2"/>')
        edge = x_at(bar.high if bar.high is not None else bar.value)
        parts.append(lettering(edge + 9, y + 4, f"{bar.value:.2f}", "start", f"name {bar.style}"))
    return "".join(parts) + "</svg>"


def _free(places: Sequence[float], taken: list[float]) -> float:
    """The first height at which a label touches none of those set already (else the first), now taken too."""
    place = next((place for place in places if all(abs(place - other) >= 13 for other in taken)), places[0])
    taken.append(place)
    return place


def open_figure(height: float, title: str) -> str:
    """The opening tag of a figure `WIDTH` wide; close it with `</svg>`."""
    return f'<svg class="figure" viewBox="0 0 {WIDTH} {height}" role="img"><title>{escape(title)}</title>'


def lettering(x: float, y: float, text: str, anchor: str, style: str = "tick") -> str:
    """Words in a figure; `anchor` is start, middle or end."""
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def ticks_over(low: float, high: float, count: int) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`."""
    span = (high - low) or abs(high) or 1.0
    step = 10 ** math.floor(math.log10(span / count))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if span / (step * factor) <= count)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [round(number * step, 10) for number in range(first, last + 1)]


def tick_text(value: float, ticks: Sequence[float]) -> str:
    """A tick with as many digits as its neighbours need."""
    step = ticks[1] - ticks[0]
    digits = next((digits for digits in range(6) if round(step, digits) == round(step, 9)), 6)
    return f"{value:,.{digits}f}".replace(",", "\u202f")
