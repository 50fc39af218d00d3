"""Response and service percentiles of each operation, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from palier.analysis.findings import OperationFinding, Percentiles
from reports.figures import style
from reports.text import one_line, shortened

MOST_OPERATIONS = 20
SHOWN = ((0.5, "o"), (0.95, "D"), (0.99, "s"))
"""Fractions drawn and their marks."""


def points(percentiles: Percentiles) -> list[tuple[float, float]]:
    """(fraction, seconds) of the shown percentiles that have a number."""
    wanted = {fraction for fraction, _ in SHOWN}
    return [
        (fraction, estimate.value)
        for fraction, estimate in percentiles.points
        if fraction in wanted and estimate.value is not None and estimate.value > 0
    ]


def slowest_first(operations: Sequence[OperationFinding]) -> list[OperationFinding]:
    """Those with a number, by their highest shown response percentile."""
    drawn = [operation for operation in operations if points(operation.response)]
    return sorted(drawn, key=lambda o: (-max(v for _, v in points(o.response)), o.operation))


def draw(operations: Sequence[OperationFinding], *, width: style.Width) -> Figure:
    """One row an operation: response above (filled), service below (open).

    Args:
        operations: At least one with a percentile; the 20 slowest are drawn.
        width: Drawn for this width.
    """
    shown = slowest_first(operations)[:MOST_OPERATIONS]
    row_px = 52 if width.narrow else 40
    figure = style.new_figure(width, 96 + row_px * len(shown))
    axes = figure.subplots()
    style.plain_axes(axes, grid="x")
    axes.set_xscale("log")
    values: list[float] = []
    for row, operation in enumerate(shown):
        response, service = points(operation.response), points(operation.service)
        values += [value for _, value in response + service]
        shift = 0.06 if width.narrow else 0
        _marks(axes, response, y=row - 0.13 + shift, colour=style.RESPONSE, filled=True)
        _marks(axes, service, y=row + 0.17 + shift, colour=style.SERVICE, filled=False)
        if width.narrow:
            _name_inside(axes, operation.operation, row)
    low, high = min(values) / 1.4, max(values) * 1.4
    axes.set_xlim(low, high)
    style.latency_ticks(axes.xaxis, low, high, most=5 if width.narrow else 9)
    axes.set_xlabel("latency (log scale)")
    axes.set_ylim(len(shown) - 0.45, -0.6)
    if width.narrow:
        axes.set_yticks([])
    else:
        axes.set_yticks(range(len(shown)), [shortened(one_line(o.operation), 34) for o in shown])
        axes.tick_params(axis="y", labelcolor=style.INK)
    _legend(figure, axes, columns=2 if width.narrow else 5)
    return figure


def _name_inside(axes: Axes, name: str, row: int) -> None:
    """On a phone the name stands above its row; a label column would eat half the width."""
    label = axes.annotate(
        shortened(one_line(name), 36),
        (0, row - 0.34),
        xycoords=("axes fraction", "data"),
        va="center",
        color=style.INK,
    )
    label.set_in_layout(False)


def _marks(
    axes: Axes, values: list[tuple[float, float]], *, y: float, colour: str, filled: bool
) -> None:
    if not values:
        return
    marks = dict(SHOWN)
    axes.plot(
        [value for _, value in values], [y] * len(values), color=colour, linewidth=1.6, zorder=2
    )
    for fraction, value in values:
        axes.plot(
            [value],
            [y],
            marker=marks[fraction],
            markersize=6.5,
            markerfacecolor=colour if filled else style.CARD,
            markeredgecolor=colour,
            markeredgewidth=1.4,
            zorder=3,
        )


def _legend(figure: Figure, axes: Axes, *, columns: int) -> None:
    axes.plot([], [], color=style.RESPONSE, linewidth=2.4, label="response")
    axes.plot([], [], color=style.SERVICE, linewidth=2.4, label="service")
    for fraction, mark in SHOWN:
        axes.plot(
            [],
            [],
            linestyle="none",
            marker=mark,
            markersize=6,
            color=style.MUTED,
            label=f"p{fraction * 100:.0f}",
        )
    style.legend_above(figure, axes, columns=columns)
