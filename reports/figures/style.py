"""One look for all figures: colours as tokens, two widths, axes without ornament.

A colour here is the light theme's value. ``svg.py`` replaces it in the page by the CSS variable
of the same name, so one figure serves light, dark and print.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from reports import format as fmt

CARD: Final = "#ffffff"
INK: Final = "#18212f"
MUTED: Final = "#566072"
GRID: Final = "#e3e7ed"
SHADE: Final = "#eef1f6"
RESPONSE: Final = "#1f5fae"
SERVICE: Final = "#b4560b"
SUCCEEDED: Final = "#a8c7ec"
BAD: Final = "#b3261e"
SKIPPED: Final = "#6d3aa8"
LIMIT: Final = "#9c1458"
SERIES: Final = ("#2f6db5", "#c2691a", "#2a7d4f", "#7a4fb0", "#1b7f86", "#b0457d")

CSS_VARIABLES: Final[dict[str, str]] = {
    CARD: "--card",
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    SHADE: "--shade",
    RESPONSE: "--response",
    SERVICE: "--service",
    SUCCEEDED: "--succeeded",
    BAD: "--bad",
    SKIPPED: "--skipped",
    LIMIT: "--limit",
    **{colour: f"--series-{number}" for number, colour in enumerate(SERIES, start=1)},
}
"""Figure colour to the variable of ``style.css`` that replaces it in the page."""


@dataclass(frozen=True, slots=True)
class Width:
    """A width a figure is drawn for, so that its text stays readable there.

    Attributes:
        name: Suffix of file and element ids.
        width_px: Width of the drawing.
        font_px: Size of its text.
    """

    name: str
    width_px: int
    font_px: float

    @property
    def narrow(self) -> bool:
        return self.width_px < 500


WIDE = Width("wide", 940, 12.5)
NARROW = Width("narrow", 340, 11.5)

_SETTINGS: Final[dict[str, Any]] = {
    "font.family": ["DejaVu Sans"],
    "svg.fonttype": "none",  # real text: selectable, searchable, in the page's own font
    "svg.hashsalt": "palier",  # element ids that depend on the drawing only
    "axes.unicode_minus": False,
    "text.usetex": False,
    "text.parse_math": False,  # names come from users: a "$" is a "$"
    "path.simplify": False,
}


@contextmanager
def drawing(width: Width) -> Iterator[None]:
    """Matplotlib's settings while a figure is drawn and saved; restored afterwards."""
    sized: Any = {**_SETTINGS, "font.size": width.font_px, "savefig.facecolor": CARD}
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(sized)
        yield


def new_figure(width: Width, height_px: float) -> Figure:
    """An empty figure; one unit of its SVG is one CSS pixel when shown at its own width."""
    return Figure(
        figsize=(width.width_px / 72, height_px / 72),
        facecolor=CARD,
        layout="constrained",
    )


def plain_axes(axes: Axes, *, grid: str = "y") -> None:
    """Keep what carries data: one base line, a faint grid, quiet labels."""
    axes.set_facecolor(CARD)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(MUTED)
        spine.set_linewidth(0.8)
    axes.grid(visible=True, axis="x" if grid == "x" else "y", color=GRID, linewidth=0.9)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=MUTED, labelcolor=MUTED, pad=5)
    axes.xaxis.label.set_color(MUTED)
    axes.yaxis.label.set_color(MUTED)


def latency_ticks(axis: Axis, low_s: float, high_s: float, *, most: int = 7) -> None:
    """Ticks at 1, 2, 5 x 10^k with their unit; 1 x 10^k alone where those would crowd."""
    steps: list[list[float]] = [[1, 2, 5], [1, 3], [1]]
    for mantissas in steps:
        ticks = [
            mantissa * 10.0**exponent
            for exponent in range(-6, 5)
            for mantissa in mantissas
            if low_s <= mantissa * 10.0**exponent <= high_s
        ]
        if len(ticks) <= most:
            break
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: fmt.stated(value * 1000, "ms")))


def legend_above(figure: Figure, axes: Axes, *, columns: int, mark_scale: float = 1.0) -> None:
    """A frameless legend over the axes, in the order the series were drawn."""
    legend = axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=columns,
        markerscale=mark_scale,
        frameon=False,
        borderaxespad=0.2,
        handlelength=1.6,
        handletextpad=0.5,
        columnspacing=1.3,
        labelcolor=INK,
    )
    legend.set_in_layout(True)
    figure.canvas.draw_idle()
