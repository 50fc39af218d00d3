"""A pause in work that takes long."""

from __future__ import annotations

from typing import Final

import gevent

_AN_INSTANT_S: Final = 1e-6


def pause() -> None:
    """Let the loop look for answers, and begin what is due.

    ``gevent.sleep(0)`` would not: it comes back before the loop has asked the kernel for anything,
    so work in pieces of 0.3 ms held up an answer for 15 ms. A timer comes after that question.
    """
    gevent.sleep(_AN_INSTANT_S)
