"""The reporter: twice a second a loader's line, and then the garbage that failures left."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import gevent

from palier.load.chance import MICROSECONDS
from palier.load.recorder import LINE_EVERY_S, Recorder
from scenarios.books import Books
from scenarios.line_text import pieces
from scenarios.pause import pause
from scenarios.run_clock import RunClock
from scenarios.sink import Sink
from scenarios.user_pool import UserPool
from scenarios.vitals import Vitals

COLLECT_AFTER: Final = 1000
"""Requests without success after which the collector is asked: each leaves some fifty objects that
refer to each other (the HTTP client's exceptions); successful ones leave none. Collecting this
many takes a few milliseconds."""

AT_ONCE_NS: Final = 500_000
"""Longest that a line is written before the loop looks for answers again."""

WRITTEN_WITHIN_NS: Final = 100_000_000
"""Then the rest is written at once: a loop that is so far behind gains nothing from pauses, and a
worker whose lines do not come is taken for lost."""


class Reporter:
    """Writes the lines of one loader.

    Args:
        clock: The clock of the run.
        recorder: What the lines are made of.
        books: Says how much garbage there may be.
        users: Know what was seen in the run.
        output: Where lines go.
        sessions: Tells how many sessions are in progress.
    """

    def __init__(
        self,
        *,
        clock: RunClock,
        recorder: Recorder,
        books: Books,
        users: UserPool,
        output: Sink,
        sessions: Callable[[], int],
    ) -> None:
        self._clock = clock
        self._recorder = recorder
        self._books = books
        self._users = users
        self._output = output
        self._sessions = sessions
        self._vitals = Vitals()

    def run(self) -> None:
        """A line every half second, until it is killed."""
        watch = gevent.spawn(self._vitals.watch_loop)
        lines = 0
        try:
            while True:
                lines += 1
                self._clock.sleep_until(round(lines * LINE_EVERY_S * MICROSECONDS))
                self._write(final=False, pausing=True)
                if self._books.without_success >= COLLECT_AFTER:
                    self._books.without_success = 0
                    gc.collect(1)
        finally:
            watch.kill()

    def last(self) -> None:
        """The last line, with what was seen in the whole run."""
        self._write(final=True)

    def refused(self, what: str) -> None:
        """A line of a loader that cannot go on, because its machine refuses it something."""
        self._vitals.note_own_error(what)
        self._write(final=False)

    def _write(self, *, final: bool, pausing: bool = False) -> None:
        at_s = self._clock.now_us() / MICROSECONDS
        health = self._vitals.since_last(sessions=self._sessions())
        seen = {"observations": self._users.observations, "tallies": self._users.tallies}
        more: dict[str, Any] = {"positions": self._books.moved.since_last()}
        if final:
            more |= seen
        line = self._recorder.line(at_s=at_s, final=final, health=health, **more)
        text: list[str] = []
        left = pieces(line)
        try:
            if pausing:
                _write_pausing(left, text)
        finally:
            # Killed at the end of the run, too: what the recorder has handed over is in this line.
            text += left
            self._output.line("".join(text), seq=line["seq"], final=final)


def _write_pausing(left: Iterator[str], text: list[str]) -> None:
    paused_ns = time.monotonic_ns()
    until_ns = paused_ns + WRITTEN_WITHIN_NS
    for piece in left:
        text.append(piece)
        now_ns = time.monotonic_ns()
        if now_ns > until_ns:
            return
        if now_ns - paused_ns > AT_ONCE_NS:
            pause()
            paused_ns = time.monotonic_ns()
