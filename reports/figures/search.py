"""A search in two figures: how the bracket closed, and how the binding gate moved with the rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from palier.analysis.findings import Estimate
from palier.capacity.decision import Outcome
from palier.capacity.story import ProbeTold, SearchStory
from reports import format as fmt
from reports.figures import style

MARKS: Final[dict[Outcome, tuple[str, str, str]]] = {
    "pass": ("o", style.SERIES[2], "passed"),
    "fail": ("X", style.BAD, "failed"),
    "undecided": ("D", style.MUTED, "undecided"),
    "too_few": ("s", style.MUTED, "too few requests"),
    "go_on": ("d", style.MUTED, "cut off"),
}
"""Shape, colour and name of each outcome; the shape alone tells them apart."""

LOG_FROM: Final = 4.0
"""Rates that differ by more than this factor are drawn on a logarithmic scale."""


def draw_bracket(story: SearchStory, *, width: style.Width) -> Figure:
    """Rate over the number of the probe, with the bracket that is known after each.

    Args:
        story: With at least one probe.
        width: Drawn for this width.
    """
    figure = style.new_figure(width, 330 if width.narrow else 380)
    axes = figure.subplots()
    style.plain_axes(axes)
    probes = story.probes
    low, high = _rate_scale(axes, [probe.rate_per_s for probe in probes])
    edges = [probe.number - 0.5 for probe in probes] + [probes[-1].number + 0.5]
    axes.stairs(
        [high if probe.high is None else probe.high for probe in probes],
        edges,
        baseline=[low if probe.low is None else probe.low for probe in probes],
        fill=True,
        color=style.SUCCEEDED,
        alpha=0.45,
        linewidth=0,
        label="may hold the capacity",
    )
    _marks(axes, [(probe.number, probe.rate_per_s, probe) for probe in probes], width)
    axes.set_xlim(0.5, len(probes) + 0.5)
    axes.set_xticks([probe.number for probe in probes])
    axes.set_xlabel("probe")
    axes.set_ylabel("offered, requests/s")
    style.legend_above(figure, axes, columns=2 if width.narrow else 5)
    return figure


def draw_by_rate(
    points: Sequence[tuple[ProbeTold, Estimate]],
    story: SearchStory,
    *,
    limit_s: float,
    name: str,
    width: style.Width,
) -> Figure:
    """The percentile that the binding gate is about, over the rate; its limit as a line.

    Args:
        points: Probes with a measured percentile, at least one.
        story: Of the search.
        limit_s: Of the gate.
        name: ``"p95"``.
        width: Drawn for this width.
    """
    figure = style.new_figure(width, 330 if width.narrow else 380)
    axes = figure.subplots()
    style.plain_axes(axes)
    axes.set_yscale("log")
    axes.set_ylabel(f"response {name} (log scale)")
    axes.set_xlabel("offered, requests/s")
    values = [limit_s]
    for probe, estimate in points:
        assert estimate.value is not None  # only measured ones are points
        ends = (estimate.low or estimate.value, estimate.high or estimate.value)
        values += [estimate.value, *ends]
        axes.plot(
            [probe.rate_per_s] * 2, ends, color=MARKS[probe.outcome][1], linewidth=1.4, zorder=2.5
        )
    _marks(axes, [(p.rate_per_s, e.value or 0.0, p) for p, e in points], width)
    axes.axhline(limit_s, color=style.LIMIT, linewidth=1.2, zorder=1.6)
    axes.annotate(
        f"limit {fmt.duration(limit_s)}",
        (0, limit_s),
        xycoords=("axes fraction", "data"),
        xytext=(4, 3),
        textcoords="offset points",
        va="bottom",
        color=style.LIMIT,
    )
    answer = story.answer
    if answer.low is not None and answer.high is not None:
        axes.axvspan(
            answer.low,
            answer.high,
            color=style.SUCCEEDED,
            alpha=0.45,
            linewidth=0,
            zorder=0,
            label="the capacity",
        )
    bottom, top = min(values) / 1.4, max(values) * 1.6
    axes.set_ylim(bottom, top)
    style.latency_ticks(axes.yaxis, bottom, top, most=6 if width.narrow else 8)
    axes.set_xlim(0, max(probe.rate_per_s for probe, _ in points) * 1.05)
    axes.xaxis.set_major_locator(MaxNLocator(5 if width.narrow else 9))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: fmt.plain(value)))
    style.legend_above(figure, axes, columns=2 if width.narrow else 5)
    return figure


def _marks(
    axes: Axes, points: Sequence[tuple[float, float, ProbeTold]], width: style.Width
) -> None:
    for outcome, (marker, colour, label) in MARKS.items():
        chosen = [(x, y) for x, y, probe in points if probe.outcome == outcome]
        if chosen:
            axes.plot(
                [x for x, _ in chosen],
                [y for _, y in chosen],
                linestyle="none",
                marker=marker,
                markersize=6 if width.narrow else 8,
                color=colour,
                markerfacecolor=colour if outcome in ("pass", "fail") else style.CARD,
                label=label,
                zorder=3,
            )


def _rate_scale(axes: Axes, rates: Sequence[float]) -> tuple[float, float]:
    """Set the scale of the rates; its ends."""
    lowest, highest = min(rates), max(rates)
    if highest < LOG_FROM * lowest:
        room = 0.12 * (highest - lowest) or 0.1 * highest
        low, high = max(0.0, lowest - room), highest + room
        axes.yaxis.set_major_locator(MaxNLocator(6))
    else:
        low, high = lowest / 1.3, highest * 1.3
        axes.set_yscale("log")
        ticks = [m * 10.0**e for e in range(-3, 7) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
        axes.yaxis.set_major_locator(FixedLocator(ticks))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: fmt.plain(value)))
    axes.set_ylim(low, high)
    return low, high
