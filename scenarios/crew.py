"""The crew: greenlets that do one piece of work after the other.

A greenlet is needed only while a request is in flight, so there are as many as requests in flight
at once, and starting a request costs a switch instead of a new greenlet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import gevent
from gevent.hub import get_hub
from greenlet import greenlet

Work = TypeVar("Work")


class Crew(Generic[Work]):
    """Greenlets of one loader.

    Args:
        do: What they do with a piece of work; it may block.
        on_bug: Told of an exception that escaped ``do``; the greenlet is gone then.
    """

    def __init__(
        self, do: Callable[[Work], None], *, on_bug: Callable[[BaseException], None]
    ) -> None:
        self._do = do
        self._on_bug = on_bug
        self._idle: list[gevent.Greenlet] = []
        self._all: set[gevent.Greenlet] = set()
        self._hub = get_hub()

    @property
    def busy(self) -> int:
        """How many are at work."""
        return len(self._all) - len(self._idle)

    def fill(self, count: int) -> None:
        """Have so many, ready as soon as the loop has run."""
        for _ in range(count - len(self._all)):
            self._hire(None)

    def give(self, work: Work) -> None:
        """Have a piece of work done: at once, up to its first wait.

        Only for callers in the hub's greenlet, which nobody waits for.
        """
        if self._idle:
            self._idle.pop().switch(work)
        else:
            self._hire(work)

    def kill(self) -> None:
        """End all of them, wherever they are; returns when they have ended."""
        self._idle.clear()
        gevent.killall(list(self._all))

    def _hire(self, work: Work | None) -> None:
        greenlet = gevent.Greenlet(self._run, work)
        self._all.add(greenlet)
        greenlet.link(self._on_end)
        greenlet.start()

    def _run(self, work: Work | None) -> None:
        me, idle, do = gevent.getcurrent(), self._idle, self._do
        # The hub's own ``switch`` looks first for a hook that nobody has.
        park = greenlet.switch.__get__(self._hub)
        while True:
            if work is not None:
                do(work)
            idle.append(me)
            work = park()

    def _on_end(self, greenlet: gevent.Greenlet) -> None:
        self._all.discard(greenlet)
        if greenlet.exception is not None:
            self._on_bug(greenlet.exception)
