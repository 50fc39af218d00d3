"""The whole distribution on one line: latency against how rare it is."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from palier.analysis.findings import Estimate, Percentiles
from reports import format as fmt
from reports.figures import style


def drawable(percentiles: Percentiles) -> list[tuple[float, Estimate]]:
    """Percentiles that have a positive number; refused ones are not drawn."""
    return [
        (fraction, estimate)
        for fraction, estimate in percentiles.points
        if estimate.refused is None and estimate.value is not None and estimate.value > 0
    ]


def draw(response: Percentiles, service: Percentiles, *, width: style.Width) -> Figure:
    """Both clocks with their 95 % intervals; each step to the right is ten times rarer.

    Args:
        response: At least two drawable percentiles.
        service: May be empty.
        width: Drawn for this width.
    """
    figure = style.new_figure(width, 300 if width.narrow else 330)
    axes = figure.subplots()
    style.plain_axes(axes)
    axes.set_yscale("log")
    axes.set_ylabel("latency (log scale)")
    bounds = [
        *_clock(axes, response, "response", style.RESPONSE, filled=True),
        *_clock(axes, service, "service", style.SERVICE, filled=False),
    ]
    low, high = min(bounds) / 1.4, max(bounds) * 1.4
    axes.set_ylim(low, high)
    style.latency_ticks(axes.yaxis, low, high, most=6)
    fractions = sorted({f for f, _ in drawable(response)} | {f for f, _ in drawable(service)})
    axes.set_xticks([_rarity(f) for f in fractions], [_label(f) for f in fractions])
    axes.set_xlim(_rarity(fractions[0]) - 0.12, _rarity(fractions[-1]) + 0.25)
    axes.set_xlabel("share of requests that were at least this fast")
    style.legend_above(figure, axes, columns=2)
    return figure


def _rarity(fraction: float) -> float:
    return -math.log10(1 - fraction)


def _label(fraction: float) -> str:
    return fmt.percentile_name(fraction).removeprefix("p") + " %"


def _clock(
    axes: Axes, percentiles: Percentiles, label: str, colour: str, *, filled: bool
) -> list[float]:
    """Draw one clock; all latencies it covers, for the scale."""
    shown = drawable(percentiles)
    if not shown:
        return []
    places = [_rarity(fraction) for fraction, _ in shown]
    values = [estimate.value for _, estimate in shown if estimate.value is not None]
    lows = [_end(estimate.low, value) for (_, estimate), value in zip(shown, values, strict=True)]
    highs = [_end(estimate.high, value) for (_, estimate), value in zip(shown, values, strict=True)]
    axes.fill_between(places, lows, highs, color=colour, alpha=0.16, linewidth=0)
    axes.plot(
        places,
        values,
        color=colour,
        linewidth=2.0,
        linestyle="-" if filled else (0, (4, 2)),
        marker="o",
        markersize=6,
        markerfacecolor=colour if filled else style.CARD,
        markeredgecolor=colour,
        label=label,
    )
    for place, (_, estimate) in zip(places, shown, strict=True):
        if estimate.censored and estimate.value is not None:
            # The true value lies somewhere above: an arrow says so.
            axes.annotate(
                "",
                (place, estimate.value * 1.35),
                (place, estimate.value),
                arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 1.4},
            )
    return [value for value in (*values, *lows, *highs) if value > 0]


def _end(bound: float | None, value: float) -> float:
    return value if bound is None or bound <= 0 else bound
