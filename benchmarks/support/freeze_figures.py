"""The two figures of the freeze test for docs/method.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures.style import BAD, GRID, INK, MUTED, RESPONSE, SERVICE, SHADE

FROZEN_S = {"middle": (8.5, 11.5), "end": (15.0, 20.0)}
TITLES = {
    "middle": "Frozen for 3 s in the middle",
    "end": "Frozen for the last 5 s",
}
WINDOW_S = 20.0
NEVER_S = 5.6
"""Height at which users are drawn who were never answered."""

PERCENTILES = (("p50_ms", "p50", "o"), ("p95_ms", "p95", "D"), ("p99_ms", "p99", "s"))
NEVER_MS = 60_000.0

Results = Mapping[str, Mapping[str, Any]]


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw what there are results for; returns the files."""
    drawn = []
    with mpl.rc_context({"font.family": ["DejaVu Sans"], "font.size": 10, "text.color": INK}):
        for name, figure in (("users", _users(results)), ("tools", _tools(results))):
            if figure is not None:
                path = folder / f"freeze-{name}.png"
                figure.savefig(path, dpi=110, facecolor="white", metadata={"Software": None})
                drawn.append(path)
    return drawn


def _users(results: Results) -> Figure | None:
    """Every user: when they came, what they waited; and what two reports say of it."""
    tests = [test for test in FROZEN_S if "truth" in results.get(test, {})]
    if not tests:
        return None
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, test in zip(
        figure.subplots(1, len(tests), sharey=True, squeeze=False)[0], tests, strict=True
    ):
        _one_test(axes, results[test], test)
        axes.set_xlabel("when the user came, seconds of the run")
    figure.axes[0].set_ylabel("what the user waited, s")
    return figure


def _one_test(axes: Axes, rows: Mapping[str, Any], test: str) -> None:
    truth = rows["truth"]
    users = list(zip(truth["at_s"], truth["waited_s"], strict=True))
    answered = [(at, waited) for at, waited in users if waited is not None]
    never = [at for at, waited in users if waited is None]
    axes.axvspan(*FROZEN_S[test], color=SHADE, zorder=0)
    came_s, waited_s = zip(*answered, strict=True)
    axes.scatter(came_s, waited_s, s=5, color=RESPONSE, linewidths=0)
    if never:
        axes.scatter(never, [NEVER_S] * len(never), s=9, color=BAD, marker="^", linewidths=0)
        axes.annotate("never answered", (14.6, NEVER_S), color=BAD, ha="right", va="center")
    axes.annotate(
        "the server\nstands still",
        (FROZEN_S[test][0] - 0.3, 2.0),
        color=MUTED,
        ha="right",
        va="center",
    )
    for name, colour, lift in (("Palier", INK, 0.09), ("Locust", SERVICE, 0.09)):
        row = rows.get(name)
        if row is None or row["p99_ms"] is None:
            continue
        height = row["p99_ms"] / 1000
        bound = "≥ " if "p99_ms" in row.get("at_least", ()) else ""
        text = (
            f"p99 by {name}: {bound}{height:.2f} s"
            if height >= 1
            else f"p99 by {name}: {row['p99_ms']:.0f} ms"
        )
        if height > NEVER_S:
            axes.annotate(text, (0.3, NEVER_S - 0.75), color=colour)
            continue
        axes.axhline(height, color=colour, linewidth=1, linestyle="--")
        axes.annotate(text, (0.3, height + lift), color=colour)
    axes.set_title(TITLES[test], loc="left", fontsize=11)
    axes.set_xlim(0, WINDOW_S)
    axes.set_ylim(-0.1, 6.0)
    _plain(axes)


def _tools(results: Results) -> Figure | None:
    """Each tool's percentiles beside the true ones."""
    tests = [test for test in FROZEN_S if "truth" in results.get(test, {})]
    if not tests:
        return None
    figure = Figure(figsize=(9, 4.0), layout="constrained")
    for axes, test in zip(
        figure.subplots(1, len(tests), sharey=True, squeeze=False)[0], tests, strict=True
    ):
        rows = results[test]
        names = [name for name in rows if name != "truth"]
        for key, label, marker in PERCENTILES:
            true_ms = rows["truth"][key]
            axes.axvline(
                NEVER_MS if true_ms is None else true_ms, color=GRID, linewidth=6, zorder=0
            )
            for height, name in enumerate(reversed(names)):
                value = rows[name][key]
                if value is None:
                    continue
                colour = RESPONSE if name == "Palier" else SERVICE
                bound = key in rows[name].get("at_least", ())
                axes.scatter(
                    [value],
                    [height],
                    marker=marker,
                    s=42,
                    zorder=3,
                    color=colour,
                    label=label if name == names[0] else None,
                )
                if bound:
                    axes.annotate(
                        "",
                        (NEVER_MS, height),
                        (value, height),
                        arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 1},
                    )
        for height, name in enumerate(reversed(names)):
            if rows[name]["p50_ms"] is None:
                axes.annotate(
                    "says nothing: it never ended", (70, height), color=MUTED, va="center"
                )
        axes.set_yticks(range(len(names)), reversed(names))
        axes.set_xscale("log")
        axes.set_xlim(20, 1.6 * NEVER_MS)
        ticks = {
            50: "50 ms",
            200: "200 ms",
            1000: "1 s",
            3000: "3 s",
            10000: "10 s",
            NEVER_MS: "never",
        }
        axes.set_xticks(list(ticks), list(ticks.values()))
        axes.minorticks_off()
        axes.set_title(TITLES[test], loc="left", fontsize=11)
        _plain(axes)
        axes.set_ylim(-0.6, len(names) - 0.2)
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=3,
        frameon=False,
        title="as reported; grey bars: what really happened (p50, p95, p99)",
    )
    return figure


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=MUTED)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
