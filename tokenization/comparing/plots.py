"""The comparison's figures as inline SVG, coloured by the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from evaluation.figures import WIDTH, lettering, open_figure, tick_text, ticks_over

_LEFT, _RIGHT = 14, 14
_LONGEST = 56


class Dot(NamedTuple):
    """A named value with its interval; `style` is `own`, `published` (drawn hollow) or `measure`."""

    name: str
    style: str
    measured: Mapping[str, Any]

    @property
    def ends(self) -> tuple[float, float]:
        """Bounds of the interval; the value itself where it has none."""
        value, low, high = (self.measured.get(key) for key in ("value", "low", "high"))
        return float(value if low is None else low), float(value if high is None else high)  # type: ignore[arg-type]


def interval_rows(dots: Sequence[Dot], label: str, span: tuple[float, float] | None = None) -> str:
    """One row per value, its name and number above its interval; over `span`, else over what the intervals cover."""
    row, top, bottom = 34, 4, 36
    height = top + row * len(dots) + bottom
    low, high = span or (min(dot.ends[0] for dot in dots), max(dot.ends[1] for dot in dots))
    ticks = ticks_over(low, high, 5)

    def x_at(x: float) -> float:
        return _LEFT + (x - ticks[0]) / (ticks[-1] - ticks[0]) * (WIDTH - _LEFT - _RIGHT)

    parts = [open_figure(height, label)]
    for tick in ticks:
        x = x_at(tick)
        style = "grid zero" if tick == 0 else "grid"
        parts.append(f'<line class="{style}" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{height - bottom}"/>')
        parts.append(lettering(x, height - bottom + 15, _signed(tick, ticks), "middle"))
    parts.append(lettering(WIDTH / 2, height - 3, label, "middle", "label"))
    for number, dot in enumerate(dots):
        y = top + row * number
        value = f"{round(dot.measured['value'], 3) + 0.0:.3f}".replace("-", "−")  # -0.0 is 0
        parts.append(lettering(_LEFT, y + 13, _shortened(dot.name), "start", "name"))
        parts.append(lettering(WIDTH - _RIGHT, y + 13, value, "end", "name"))
        ends = [x_at(end) for end in dot.ends]
        parts.append(
            f'<line class="interval {dot.style}" x1="{ends[0]:.1f}" x2="{ends[1]:.1f}" y1="{y + 24}" y2="{y + 24}"/>'
        )
        parts.append(_mark(x_at(dot.measured["value"]), y + 24, dot))
    return "".join(parts) + "</svg>"


def scatter(across: Sequence[Dot], up: Sequence[Dot], x_label: str, y_label: str) -> str:
    """Two measures of the same tokenizers against each other, with both intervals; names where there is room."""
    height, left, top, bottom = 300, 46, 12, 40
    right = WIDTH - _RIGHT
    x_ticks = ticks_over(min(d.ends[0] for d in across), max(d.ends[1] for d in across), 5)
    y_ticks = ticks_over(min(d.ends[0] for d in up), max(d.ends[1] for d in up), 5)

    def x_at(x: float) -> float:
        return left + (x - x_ticks[0]) / (x_ticks[-1] - x_ticks[0]) * (right - left)

    def y_at(y: float) -> float:
        return top + (y_ticks[-1] - y) / (y_ticks[-1] - y_ticks[0]) * (height - top - bottom)

    parts = [open_figure(height, f"{y_label} by {x_label}")]
    for y in y_ticks:
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y_at(y):.1f}" y2="{y_at(y):.1f}"/>')
        parts.append(lettering(left - 6, y_at(y) + 4, tick_text(y, y_ticks), "end"))
    for x in x_ticks:
        parts.append(lettering(x_at(x), height - bottom + 16, tick_text(x, x_ticks), "middle"))
    parts.append(lettering((left + right) / 2, height - 4, x_label, "middle", "label"))
    centres = [(x_at(a.measured["value"]), y_at(b.measured["value"])) for a, b in zip(across, up, strict=True)]
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in centres]
    for (x, y), a, b in zip(centres, across, up, strict=True):
        (x1, x2), (y1, y2) = [x_at(end) for end in a.ends], [y_at(end) for end in b.ends]
        parts.append(f'<line class="whisker {a.style}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<line class="whisker {a.style}" x1="{x:.1f}" x2="{x:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>')
        parts.append(_mark(x, y, a))
        wide = 6.6 * len(a.name)
        for place, anchor in (((x + 8, y - 5), "start"), ((x - 8, y - 5), "end"), ((x + 8, y + 15), "start")):
            start = place[0] if anchor == "start" else place[0] - wide
            box = (start, place[1] - 10, start + wide, place[1] + 3)
            if left <= box[0] and box[2] <= right and not any(_touch(box, other) for other in taken):
                taken.append(box)
                parts.append(lettering(*place, a.name, anchor, "name"))
                break
    return "".join(parts) + "</svg>"


def size_curve(curve: Mapping[str, Any]) -> str:
    """Bits per character by vocabulary size (logarithmic) with the optimum; beneath, the embedding's share."""
    height, left, top, middle, share_height = 364, 46, 20, 210, 70
    right, floor = WIDTH - _RIGHT - 10, middle + 40 + share_height
    points = sorted(curve["points"], key=lambda point: point["vocabulary_size"])
    dots = [Dot(point["name"], "own", point["bits_per_character"]) for point in points]
    optimum = curve["optimum"]["vocabulary_size"]
    sizes = [math.log2(point["vocabulary_size"]) for point in points]
    y_ticks = ticks_over(min(d.ends[0] for d in dots), max(d.ends[1] for d in dots), 5)
    first, last = min(sizes) - 0.3, max(sizes) + 0.3

    def x_at(size: float) -> float:
        return left + (min(max(math.log2(size), first), last) - first) / (last - first) * (right - left)

    def y_at(y: float) -> float:
        return top + (y_ticks[-1] - y) / (y_ticks[-1] - y_ticks[0]) * (middle - top)

    parts = [open_figure(height, "Bits per character and embedding share by vocabulary size")]
    if optimum["low"] is not None and optimum["high"] is not None:
        x1, x2 = x_at(optimum["low"]), x_at(optimum["high"])
        parts.append(
            f'<rect class="band" x="{x1:.1f}" y="{top}" width="{max(x2 - x1, 1):.1f}" height="{middle - top}"/>'
        )
    for y in y_ticks:
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y_at(y):.1f}" y2="{y_at(y):.1f}"/>')
        parts.append(lettering(left - 6, y_at(y) + 4, tick_text(y, y_ticks), "end"))
    if optimum["value"] is not None:
        x = x_at(optimum["value"])
        parts.append(f'<line class="level own" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{middle}"/>')
        parts.append(lettering(x, top - 6, f"optimum {_size(optimum['value'])}", "middle", "name"))
    at = [
        (x_at(point["vocabulary_size"]), y_at(dot.measured["value"])) for point, dot in zip(points, dots, strict=True)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    parts.append(f'<polyline class="curve own" points="{line}"/>')
    before = -math.inf
    for (x, y), point, dot in zip(at, points, dots, strict=True):
        y1, y2 = (y_at(end) for end in dot.ends)
        parts.append(f'<line class="whisker own" x1="{x:.1f}" x2="{x:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>')
        parts.append(_mark(x, y, dot))
        share = point["embedding_share"]
        tall = share * share_height
        parts.append(
            f'<rect class="share" x="{x - 9:.1f}" y="{floor - tall:.1f}" width="18" height="{tall:.1f}"/>'
            f'<line class="grid" x1="{x - 12:.1f}" x2="{x + 12:.1f}" y1="{floor}" y2="{floor}"/>'
        )
        if x - before >= 46:
            before = x
            parts.append(lettering(x, floor - tall - 5, f"{100 * share:.0f}\u202f%", "middle"))
            parts.append(lettering(x, floor + 16, _size(point["vocabulary_size"]), "middle"))
    parts.append(lettering(left, middle + 22, "embedding’s share of the weights", "start", "label"))
    parts.append(lettering((left + right) / 2, height - 5, "vocabulary size", "middle", "label"))
    return "".join(parts) + "</svg>"


def _mark(x: float, y: float, dot: Dot) -> str:
    title = f"{dot.name}: {dot.measured['value']:.3f}"
    return f'<circle class="dot {dot.style}" cx="{x:.1f}" cy="{y:.1f}" r="4.2"><title>{escape(title)}</title></circle>'


def _shortened(name: str) -> str:
    """A name that fits its row; what is too long is cut off before its last colon, else at the end."""
    if len(name) <= _LONGEST:
        return name
    head, colon, kind = name.rpartition(": ") if ": " in name else (name, "", "")
    return head[: max(_LONGEST - len(kind) - 4, 8)].rsplit(" ", 1)[0] + " …" + colon + kind


def _signed(tick: float, ticks: Sequence[float]) -> str:
    return tick_text(tick, ticks).replace("-", "−")


def _size(size: float) -> str:
    return f"{round(size):,}".replace(",", "\u202f")


def _touch(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
