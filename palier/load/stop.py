"""How often somebody has asked a run to stop, by Ctrl-C or a signal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Counts.

    Attributes:
        asked: How often.
    """

    def __init__(self) -> None:
        self.asked = 0


@contextmanager
def counted_signals() -> Iterator[Stop]:
    """Count SIGINT, SIGTERM and SIGHUP instead of raising in the middle of whatever is done.

    Signals are heard by the main thread alone: in another one nothing is counted.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.asked += 1

    before = {
        number: signal.signal(number, ask)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
