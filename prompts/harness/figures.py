"""A study's figures as inline SVG, coloured by the page's style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.figures import WIDTH, lettering, open_figure, tick_text, ticks_over

COLOURS = 6
"""Colours of the page's style sheet, `c0` … `c5`; further curves are dashed."""
_LEFT, _RIGHT = 14, 14


def method_rows(rows: Sequence[Mapping[str, Any]], measure: str, level: float | None, label: str) -> str:
    """One row per method: its name and value above its interval, the best first; a dashed line at chance."""
    found = [(row, row["measures"][measure]["mean"]) for row in rows]
    found = sorted([(row, m) for row, m in found if m["value"] is not None], key=lambda item: -item[1]["value"])
    if not found:
        return ""
    row_height, top, bottom = 32, 4, 36
    height = top + row_height * len(found) + bottom
    ticks = ticks_over(0, 100 * max([m["high"] for _, m in found] + [level or 0.0]), 5)

    def x_at(share: float) -> float:
        return _LEFT + 100 * max(share, 0.0) / ticks[-1] * (WIDTH - _LEFT - _RIGHT)

    parts = [open_figure(height, label)]
    for tick in ticks:
        x = x_at(tick / 100)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{height - bottom}"/>')
        parts.append(lettering(x, height - bottom + 15, tick_text(tick, ticks), "middle"))
    parts.append(lettering(WIDTH / 2, height - 3, label, "middle", "label"))
    if level is not None:
        parts.append(
            f'<line class="level" x1="{x_at(level):.1f}" x2="{x_at(level):.1f}" y1="{top}" y2="{height - bottom}"/>'
        )
    for number, (row, interval) in enumerate(found):
        y = top + row_height * number
        kind = "control" if row["control"] else "learned" if row["learns"] else "untrained"
        parts.append(lettering(_LEFT, y + 13, row["title"], "start", "name"))
        parts.append(lettering(WIDTH - _RIGHT, y + 13, f"{100 * interval['value']:.1f}", "end", "name"))
        ends = f'x1="{x_at(interval["low"]):.1f}" x2="{x_at(interval["high"]):.1f}" y1="{y + 23}" y2="{y + 23}"'
        parts.append(f'<line class="interval {kind}" {ends}/>')
        parts.append(f'<circle class="dot {kind}" cx="{x_at(interval["value"]):.1f}" cy="{y + 23}" r="4.2"/>')
    return "".join(parts) + "</svg>"


def seen_unseen(rows: Sequence[Mapping[str, Any]]) -> str:
    """The mean seen–unseen curves, the rows’ colours c0, c1 …; a dot where nothing is subtracted (γ = 0)."""
    height, left, top, bottom = 340, 40, 26, 40
    right = WIDTH - _RIGHT
    ticks = [0, 20, 40, 60, 80, 100]

    def x_at(share: float) -> float:
        return left + share * (right - left)

    def y_at(share: float) -> float:
        return top + (1 - share) * (height - top - bottom)

    parts = [open_figure(height, "Accuracy on seen by accuracy on unseen classes")]
    for tick in ticks:
        x, y = x_at(tick / 100), y_at(tick / 100)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(lettering(left - 6, y + 4, str(tick), "end"))
        parts.append(lettering(x, height - bottom + 16, str(tick), "middle"))
    parts.append(lettering((left + right) / 2, height - 5, "accuracy on unseen classes, %", "middle", "label"))
    parts.append(lettering(4, 12, "accuracy on seen classes, %", "start", "label"))
    for number, row in enumerate(rows):
        style = curve_style(number)
        points = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in row["curve"])
        parts.append(f'<polyline class="curve {style}" points="{points}"/>')
        unseen, seen = (row["measures"][name]["mean"]["value"] for name in ("accuracy_unseen", "accuracy_seen"))
        if unseen is not None and seen is not None:
            parts.append(f'<circle class="dot {style}" cx="{x_at(unseen):.1f}" cy="{y_at(seen):.1f}" r="4.2"/>')
    return "".join(parts) + "</svg>"


def curve_style(number: int) -> str:
    """The CSS classes of the curve of this number."""
    return f"c{number % COLOURS}" + (" dashed" if number >= COLOURS else "")
