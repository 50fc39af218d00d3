"""A pause in work that takes long."""

from __future__ import annotations

from typing import Final

from gevent import get_hub

_AN_INSTANT_S: Final = 1e-6

_AFTER_ALL_ELSE: Final = -1
"""Priority of the timer: what the loop has found ready in the same turn comes first."""


def pause() -> None:
    """Let the loop look for answers, and begin what is due.

    ``gevent.sleep(0)`` would not: it comes back before the loop has asked the kernel for anything,
    so work in pieces of 0.3 ms held up an answer for 15 ms. Nor would a sleep of an instant: of
    what is ready in one turn of the loop, the timer would come first.
    """
    hub = get_hub()
    with hub.loop.timer(_AN_INSTANT_S, priority=_AFTER_ALL_ELSE) as timer:
        hub.wait(timer)
