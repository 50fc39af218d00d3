"""Latency over time, with the offered and the achieved rate below it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from palier.analysis.findings import Findings
from palier.analysis.verdict import TargetVerdict
from reports import format as fmt
from reports.figures import style
from reports.figures.thin import Column, columns
from reports.text import one_line, shortened

MOST_EVENTS = 6
_NAN = math.nan


def draw(
    findings: Findings,
    *,
    limits: Sequence[TargetVerdict],
    events: Sequence[tuple[float, str]],
    bends: Sequence[float] = (),
    width: style.Width,
) -> Figure:
    """Two panels on one time axis.

    Args:
        findings: With at least one second in which something was planned.
        limits: Response-time limits on all requests together, in ms or s; at most two are drawn.
        events: (offset in seconds, name) of what happened to the system during the window.
        bends: Offsets at which the load changes its course by plan.
        width: Drawn for this width.
    """
    shown = columns(findings.seconds, most=110 if width.narrow else 300)
    figure = style.new_figure(width, 430 if width.narrow else 470)
    latency, rate = figure.subplots(2, 1, sharex=True, height_ratios=(2.1, 1))
    _latency(latency, shown, limits, width)
    _rate(rate, shown)
    style.legend_above(figure, latency, columns=2 if width.narrow else 4, mark_scale=1.6)
    style.legend_above(figure, rate, columns=2 if width.narrow else 4)
    for axes in (latency, rate):
        _phases(axes, findings)
        for at_s in bends:
            axes.axvline(at_s, color=style.MUTED, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1.4)
        for at_s, _ in events[:MOST_EVENTS]:
            axes.axvline(at_s, color=style.BAD, linewidth=1.1, linestyle=(0, (2, 2)), zorder=1.5)
    _name_events(latency, events[:MOST_EVENTS], findings.window_s, width)
    end_s = max(findings.window_s, shown[-1].at_s + shown[-1].width_s)
    rate.set_xlim(0, end_s)
    time_axis(rate, end_s, ticks=5 if width.narrow else 10)
    return figure


def _name_events(
    axes: Axes, events: Sequence[tuple[float, str]], window_s: float, width: style.Width
) -> None:
    """Names at the top, on the side of the line with more room, in three rows."""
    for number, (at_s, name) in enumerate(events):
        right = at_s < window_s / 2
        label = axes.annotate(
            shortened(one_line(name), 22 if width.narrow else 44),
            (at_s, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4 if right else -4, -4 - 1.5 * width.font_px * (number % 3)),
            textcoords="offset points",
            ha="left" if right else "right",
            va="top",
            color=style.BAD,
            fontsize="small",
            bbox={"facecolor": style.CARD, "edgecolor": "none", "pad": 1, "alpha": 0.85},
        )
        label.set_in_layout(False)


def _latency(
    axes: Axes, shown: Sequence[Column], limits: Sequence[TargetVerdict], width: style.Width
) -> None:
    style.plain_axes(axes)
    axes.set_ylabel("latency (log scale)")
    axes.set_yscale("log")
    middles = [column.at_s + column.width_s / 2 for column in shown]
    values: list[float] = []

    def line(read: Sequence[float | None], label: str, **look: object) -> None:
        numbers = [_NAN if value is None or value <= 0 else value for value in read]
        values.extend(value for value in numbers if not math.isnan(value))
        axes.plot(middles, numbers, label=label, **look)  # type: ignore[arg-type]

    size = 2.0 if width.narrow else 2.6
    line(
        [column.response_max_s for column in shown],
        "response max",
        color=style.RESPONSE,
        linestyle="none",
        marker="o",
        markersize=size,
        alpha=0.55,
    )
    line([c.response_p95_s for c in shown], "response p95", color=style.RESPONSE, linewidth=2.2)
    line(
        [c.service_p95_s for c in shown],
        "service p95",
        color=style.SERVICE,
        linewidth=1.6,
        linestyle=(0, (4, 2)),
    )
    line([c.response_p50_s for c in shown], "response p50", color=style.RESPONSE, linewidth=1.0)
    low, high = (min(values), max(values)) if values else (0.001, 1.0)
    for target in limits[:2]:
        if target.limit is None or target.limit <= 0:
            continue
        limit_s = target.limit / 1000 if target.unit == "ms" else target.limit
        high, low = max(high, limit_s), min(low, limit_s)
        axes.axhline(limit_s, color=style.LIMIT, linewidth=1.2, zorder=1.6)
        what = fmt.percentile_name(target.percentile) + " " if target.percentile else ""
        limit = fmt.limit(target.comparator, target.limit, None, target.unit)
        axes.annotate(
            f"{shortened(one_line(target.id), 12)} {what}{limit}",
            (1, limit_s),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 3),
            textcoords="offset points",
            ha="right",
            va="bottom",
            color=style.LIMIT,
            bbox={"facecolor": style.CARD, "edgecolor": "none", "pad": 1, "alpha": 0.85},
        )
    low, high = low / 1.5, high * 1.9
    axes.set_ylim(low, high)
    style.latency_ticks(axes.yaxis, low, high, most=6 if width.narrow else 8)


def _rate(axes: Axes, shown: Sequence[Column]) -> None:
    style.plain_axes(axes)
    axes.set_ylabel("requests/s")
    starts = [column.at_s for column in shown]
    widths = [column.width_s for column in shown]
    base = [0.0] * len(shown)

    def stack(heights: list[float], label: str, colour: str, hatch: str | None = None) -> None:
        nonlocal base
        axes.bar(
            starts,
            heights,
            widths,
            bottom=base,
            align="edge",
            color=colour,
            hatch=hatch,
            edgecolor=style.CARD if hatch else colour,
            linewidth=0 if hatch else 0.6,
            label=label,
        )
        base = [low + height for low, height in zip(base, heights, strict=True)]

    stack([c.succeeded_per_s for c in shown], "succeeded", style.SUCCEEDED)
    stack([c.failed_per_s for c in shown], "failed or timed out", style.BAD)
    stack([c.skipped_per_s for c in shown], "not sent", style.SKIPPED, "////")
    offered = [c.planned_per_s for c in shown]
    axes.stairs(
        offered,
        [*starts, starts[-1] + widths[-1]],
        baseline=None,
        color=style.INK,
        linewidth=1.2,
        label="offered",
    )
    axes.set_ylim(0, max(*offered, *base, 1.0) * 1.08)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))


def _phases(axes: Axes, findings: Findings) -> None:
    """Shade what is not judged: the warm-up, and the rest of a run that was cut short."""
    spans = [(0.0, findings.judged_from_s, "warm-up")]
    if findings.judged_to_s < findings.window_s:
        spans.append((findings.judged_to_s, findings.window_s, "not judged"))
    for start_s, end_s, name in spans:
        if end_s <= start_s:
            continue
        axes.axvspan(start_s, end_s, color=style.SHADE, linewidth=0, zorder=0)
        if axes.get_ylabel() != "requests/s":
            axes.annotate(
                name,
                (start_s, 0),
                xycoords=("data", "axes fraction"),
                xytext=(4, 4),
                textcoords="offset points",
                va="bottom",
                color=style.MUTED,
                fontsize="small",
            )


def time_axis(axes: Axes, end_s: float, *, ticks: int) -> None:
    """Seconds, minutes or hours since the start, whichever reads best."""
    unit_s, name = (1, "seconds") if end_s <= 300 else (60, "minutes")
    if end_s > 4 * 3600:
        unit_s, name = 3600, "hours"
    axes.set_xlabel(f"{name} since the start of the run")
    step = MaxNLocator(ticks, steps=[1, 2, 3, 5, 10]).tick_values(0, end_s / unit_s)
    axes.set_xticks([value * unit_s for value in step if value * unit_s <= end_s])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: fmt.plain(value / unit_s)))
