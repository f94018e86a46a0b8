"""The picture of a scaling law: loss over compute, and the compute-optimal size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tinymodels.scaling import VARIABLES, Scaling

INK, GREY, LIGHT = "#222222", "#777777", "#d9d9d9"
AXES = {
    "size": "parameters outside the embedding, N",
    "length": "characters of training text read, D",
    "compute": "training compute, C = 6 N · tokens, in FLOP",
}
DASHES = (0, (4, 3))
DOTS = {"s": 30, "edgecolors": "white", "linewidths": 0.7, "zorder": 3}
LOSS = "bits per character on validation stories"


def draw(found: Scaling, path: Path) -> None:
    """Write the picture as PNG: two panels for a law of size and length, one for a law of either."""
    import matplotlib
    from matplotlib.figure import Figure

    style: Any = {
        "font.size": 10,
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "xtick.color": GREY,
        "ytick.color": GREY,
        "figure.dpi": 160,
    }
    with matplotlib.rc_context(style):
        both = len(found.variables) == 2
        figure = Figure(figsize=(12, 5) if both else (6.4, 5), layout="constrained")
        panels = figure.subplots(1, 2 if both else 1, squeeze=False)[0]
        if both:
            figure.get_layout_engine().set(wspace=0.06)  # type: ignore[union-attr, call-arg]
            _losses(panels[0], found)
            _sizes(panels[1], found)
        else:
            _one(panels[0], found)
        figure.savefig(path, metadata={"Software": None})


def _colours(found: Scaling) -> dict[int, Any]:
    """One colour per size, from dark for the smallest to light for the largest."""
    from matplotlib import colormaps

    ordered = sorted({run.non_embedding_parameters for run in found.runs})
    places = np.linspace(0.05, 0.8, len(ordered)) if len(ordered) > 1 else [0.3]
    return {size: colormaps["viridis"](place) for size, place in zip(ordered, places, strict=True)}


def _losses(panel: Any, found: Scaling) -> None:
    """Loss over compute, with the fitted curve of each size and the best that any size can do."""
    read = np.array([run.characters for run in found.runs], dtype=np.float64)
    span = np.geomspace(read.min() / 1.3, read.max() * 1.3, 100)
    for size, colour in _colours(found).items():
        per_character = 6 * size / found.characters_per_token
        curve = found.law(np.stack([np.full_like(span, size), span], axis=1))
        panel.plot(per_character * span, curve, color=colour, linewidth=1.4, zorder=2)
        begin = (per_character * span[0], curve[0])
        panel.annotate(_short(size), begin, (0, 5), textcoords="offset points", color=colour, ha="center", size=9)
        points = [run for run in found.runs if run.non_embedding_parameters == size]
        spent = [6 * run.non_embedding_parameters * run.tokens for run in points]
        panel.scatter(spent, [run.bits_per_character for run in points], color=colour, **DOTS)
    left, right, low, high = panel.dataLim.x0, panel.dataLim.x1, panel.dataLim.y0, panel.dataLim.y1
    compute = np.geomspace(left, right, 200)
    best = np.array([interval.value for interval in found.optimum(compute)["bits_per_character"]])
    panel.plot(compute, best, color=INK, linewidth=1.4, linestyle=DASHES, zorder=4)
    _logarithmic(panel)
    panel.set(ylim=(low / (high / low) ** 0.04, high * (high / low) ** 0.08), xlabel=AXES["compute"], ylabel=LOSS)
    panel.set_title("Loss of each size N, and the least for the compute (dashed)")
    _plain_numbers(panel.yaxis)


def _sizes(panel: Any, found: Scaling) -> None:
    """Size over characters read: the runs, lines of equal compute, and the compute-optimal line with its interval."""
    colours = _colours(found)
    read = np.array([run.characters for run in found.runs], dtype=np.float64)
    sizes = np.array([run.non_embedding_parameters for run in found.runs], dtype=np.float64)
    x_low, x_high, y_low, y_high = read.min() / 1.8, read.max() * 1.8, sizes.min() / 1.8, sizes.max() * 1.8
    per_product = 6 / found.characters_per_token
    first, last = np.log10(per_product * x_low * y_low), np.log10(per_product * x_high * y_high)
    span = np.array([x_low, x_high])
    for power in range(int(np.ceil(first)), int(np.floor(last)) + 1):
        product = 10.0**power / per_product
        panel.plot(span, product / span, color=LIGHT, linewidth=0.9, zorder=1)
        x = min(x_high, product / y_low)  # where the line leaves the panel, below or on the right
        if x > 2 * x_low:
            place = {"textcoords": "offset points", "ha": "right", "va": "bottom", "size": 8}
            panel.annotate(f"$10^{{{power}}}$ FLOP", (x, product / x), (-12, 2), color=GREY, **place)
    compute = np.logspace(first, last, 60)
    best = found.optimum(compute)["non_embedding_parameters"]
    middle, low, high = (np.array([getattr(interval, name) for interval in best]) for name in ("value", "low", "high"))
    reach = compute / per_product
    panel.plot(reach / middle, middle, color=INK, linewidth=1.6, linestyle=DASHES, zorder=4)
    # an interval of the best size runs along its line of equal compute
    around = np.concatenate([low, high[::-1]])
    panel.fill(np.concatenate([reach, reach[::-1]]) / around, around, color=INK, alpha=0.09, linewidth=0, zorder=1.5)
    panel.scatter(read, sizes, color=[colours[run.non_embedding_parameters] for run in found.runs], **DOTS)
    panel.set(xlim=(x_low, x_high), ylim=(y_low, y_high))
    _logarithmic(panel)
    panel.set(xlabel=AXES["length"], ylabel=AXES["size"])
    panel.set_title("Runs, and the compute-optimal size (dashed; 95 % shaded)")


def _one(panel: Any, found: Scaling) -> None:
    """Loss over the one variable that varies, with the fitted curve and its interval."""
    (name,) = found.variables
    values = [getattr(run, VARIABLES[name]) for run in found.runs]
    span = np.geomspace(min(values) / 1.3, max(values) * 1.3, 100)
    low, high = np.quantile(found.draws(span[:, None]), [0.025, 0.975], axis=0)
    panel.fill_between(span, low, high, color=INK, alpha=0.08, linewidth=0)
    panel.plot(span, found.law(span[:, None]), color=INK, linewidth=1.4)
    colours = _colours(found)
    losses = [run.bits_per_character for run in found.runs]
    panel.scatter(values, losses, color=[colours[run.non_embedding_parameters] for run in found.runs], **DOTS)
    _logarithmic(panel)
    panel.set(xlabel=AXES[name], ylabel=LOSS, title="Loss by " + {"size": "size", "length": "text read"}[name])
    _plain_numbers(panel.yaxis)


def _logarithmic(panel: Any) -> None:
    """Both axes logarithmic, with a number at every 1, 2 and 5, or at every 1 where that would crowd."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    panel.set(xscale="log", yscale="log")
    panel.tick_params(which="both", length=3)
    for axis in (panel.xaxis, panel.yaxis):
        low, high = axis.get_view_interval()
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
        axis.set_minor_formatter(NullFormatter())


def _plain_numbers(axis: Any) -> None:
    """Plain numbers on a logarithmic axis that may span less than a decade, about six of them."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, ScalarFormatter

    low, high = axis.get_view_interval()
    even, wide = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]), LogLocator(subs=(1, 1.5, 2, 3, 5, 7))
    axis.set_major_locator(wide if high > 3 * low else even)
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(ScalarFormatter())


def _short(count: float) -> str:
    """`755k`, `4.53M`, and powers of ten where there is no such word"""
    if count < 1e9:
        return f"{count / 1e6:.3g}M" if count >= 1e6 else f"{count / 1e3:.3g}k"
    power = int(np.floor(np.log10(count) + 1e-9))
    leading = round(count / 10.0**power, 1)
    return f"${'' if leading == 1 else f'{leading:g} '}10^{{{power}}}$".replace(" ", r"\cdot ")
