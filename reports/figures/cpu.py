"""Who used the processor, over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.figures import style
from reports.figures.over_time import time_axis
from reports.text import one_line, shortened


def draw(
    cores: Mapping[str, pd.Series[float]],
    *,
    window_s: float,
    total_cores: int | None,
    width: style.Width,
) -> Figure:
    """Cores in use by each component.

    Args:
        cores: Component to its samples, index in seconds since the start; at least one.
        window_s: Planned window.
        total_cores: Cores of the machine; None when unknown.
        width: Drawn for this width.
    """
    figure = style.new_figure(width, 260 if width.narrow else 270)
    axes = figure.subplots()
    style.plain_axes(axes)
    axes.set_ylabel("cores in use")
    highest = 0.0
    for number, (component, series) in enumerate(cores.items()):
        inside = series[(series.index >= 0) & (series.index <= window_s)]
        points: Sequence[float] = inside.tolist()
        highest = max(highest, *points, 0.05)
        axes.plot(
            inside.index.tolist(),
            points,
            color=style.SERIES[number % len(style.SERIES)],
            linewidth=1.8,
            linestyle=("-", (0, (5, 2)), (0, (1.5, 1.5)))[number // 2 % 3],
            label=shortened(one_line(component), 24),
        )
    if total_cores is not None and highest > 0.5 * total_cores:
        axes.axhline(total_cores, color=style.LIMIT, linewidth=1.2)
        axes.annotate(
            f"all {total_cores} cores",
            (0, total_cores),
            xycoords=("axes fraction", "data"),
            xytext=(4, -4),
            textcoords="offset points",
            va="top",
            color=style.LIMIT,
        )
        highest = max(highest, float(total_cores))
    axes.set_ylim(0, highest * 1.1)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlim(0, window_s)
    time_axis(axes, window_s, ticks=5 if width.narrow else 10)
    style.legend_above(figure, axes, columns=2 if width.narrow else 6)
    return figure
