"""Live progress on stderr: a bar for people, one plain line every few seconds for a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reports import format as fmt

LINE_EVERY_S: Final = 5.0


class LoadProgress(Protocol):
    """What the load engine knows while it runs."""

    @property
    def at_s(self) -> float:
        """Seconds since the start of the window; above ``duration_s`` while draining."""

    @property
    def duration_s(self) -> float:
        """Planned window."""

    @property
    def offered_per_s(self) -> float:
        """Planned requests per second, recently."""

    @property
    def achieved_per_s(self) -> float:
        """Started requests per second, recently."""

    @property
    def p95_s(self) -> float | None:
        """Response time, recently; None when nothing ended."""

    @property
    def errors(self) -> int:
        """Failed, timed out and skipped requests so far."""

    @property
    def in_flight(self) -> int:
        """Requests started and not ended."""


class SeedProgress(Protocol):
    """What the seed knows while it writes."""

    @property
    def rows_done(self) -> int:
        """Rows the database has acknowledged."""

    @property
    def rows_total(self) -> int:
        """Rows of the dataset."""

    @property
    def rows_per_s(self) -> float | None:
        """Mean rate so far; None before the first row."""

    @property
    def left_s(self) -> float | None:
        """Time left at that rate; None while there is no rate."""


def load_words(progress: LoadProgress) -> str:
    """``"33.3/s offered, 33.1/s sent, p95 41 ms, 0 errors, 4 in flight"``."""
    p95 = "p95 –" if fmt.known(progress.p95_s) is None else f"p95 {fmt.duration(progress.p95_s)}"
    return (
        f"{fmt.significant(progress.offered_per_s)}/s offered, "
        f"{fmt.significant(progress.achieved_per_s)}/s sent, "
        f"{p95}, {_errors(progress)}, {progress.in_flight:,} in flight"
    )


def load_time(progress: LoadProgress) -> str:
    """``"0:37 left"``, or what the load waits for after its window."""
    left_s = progress.duration_s - progress.at_s
    if left_s <= 0:
        return "waiting for the last answers"
    return f"{fmt.clock(left_s)} left"


def seed_words(progress: SeedProgress) -> str:
    """``"120,000 of 243,812 rows, 84,000 rows/s"``."""
    rate = fmt.known(progress.rows_per_s)
    speed = "" if rate is None else f", {rate:,.0f} rows/s"
    return f"{progress.rows_done:,} of {progress.rows_total:,} rows{speed}"


def seed_time(progress: SeedProgress) -> str:
    """``"0:02 left"``; empty before the first row."""
    left_s = fmt.known(progress.left_s)
    return "" if left_s is None else f"{fmt.clock(left_s)} left"


class ProgressDisplay:
    """Shows where a run is; a context manager around the whole of it.

    On a terminal one small panel is drawn again and again and leaves nothing behind. Elsewhere a
    plain line is written at most every five seconds, so a CI log stays short. Nothing is
    ever written to stdout.
    """

    def __init__(
        self, console: Console | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Use ``console`` (default: stderr, which also respects ``NO_COLOR``)."""
        self._console = Console(stderr=True, highlight=False) if console is None else console
        self._clock = clock
        self._live: Live | None = None
        self._last_line_s: float | None = None
        self._last_stage = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.update("", refresh=True)
            self._live.stop()
            self._live = None

    def say(self, text: str) -> None:
        """A line that stays, for example the stage that begins."""
        self._console.print(Text(text), soft_wrap=True)

    def load(self, progress: LoadProgress) -> None:
        """Show the state of the load."""
        share = progress.at_s / progress.duration_s if progress.duration_s > 0 else 1.0
        details = Text(load_words(progress))
        if progress.errors:
            details.highlight_words([_errors(progress)], "bold red")
        if progress.achieved_per_s < 0.99 * progress.offered_per_s:
            details.highlight_words(
                [f"{fmt.significant(progress.achieved_per_s)}/s sent"], "bold yellow"
            )
        self._show("load", share, load_time(progress), details)

    def seed(self, progress: SeedProgress) -> None:
        """Show the state of the seed."""
        share = progress.rows_done / progress.rows_total if progress.rows_total else 1.0
        self._show("seed", share, seed_time(progress), Text(seed_words(progress)))

    def _show(self, stage: str, share: float, left: str, details: Text) -> None:
        inside = min(max(share, 0.0), 1.0)
        if self._live is not None:
            self._live.update(_panel(stage, inside, left, details), refresh=True)
            return
        now_s = self._clock()
        recent = self._last_line_s is not None and now_s - self._last_line_s < LINE_EVERY_S
        if recent and stage == self._last_stage:
            return
        self._last_line_s, self._last_stage = now_s, stage
        tail = f", {left}" if left else ""
        self.say(f"{stage} {inside:4.0%}  {details.plain}{tail}")


def _errors(progress: LoadProgress) -> str:
    return f"{progress.errors:,} error{'' if progress.errors == 1 else 's'}"


def _panel(stage: str, share: float, left: str, details: Text) -> RenderableType:
    line = Table.grid(padding=(0, 1), expand=True)
    line.add_column(no_wrap=True)
    line.add_column(ratio=1)
    line.add_column(no_wrap=True, justify="right")
    line.add_row(
        Text(stage, style="bold"),
        ProgressBar(total=1.0, completed=share, complete_style="blue", finished_style="green"),
        Text(left),
    )
    return Group(line, details)
