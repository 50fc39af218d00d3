"""The line to whoever drives us: what we say through a pipe, what we are told on stdin.

Both ways it is one JSON object a line. The end of stdin means that the driver is gone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent.os import tp_read

Handler = Callable[[Any], None]


class DriverPipe:
    """Both directions.

    Args:
        ready_fd: Where we speak; None when nobody drives us.
    """

    def __init__(self, ready_fd: int | None) -> None:
        self._ready_fd = ready_fd

    @property
    def is_driven(self) -> bool:
        """True when somebody listens."""
        return self._ready_fd is not None

    def tell(self, message: Mapping[str, Any]) -> None:
        """Say something; to nobody when nobody drives us."""
        if self._ready_fd is not None:
            # A short line fits into the pipe, so this cannot block.
            os.write(self._ready_fd, json.dumps(message).encode() + b"\n")

    def listen(self, handlers: Mapping[str, Handler], *, at_end: Callable[[], None]) -> None:
        """Hear commands until stdin ends, in a greenlet of its own.

        Args:
            handlers: What to do about each key of a command, with its value.
            at_end: Called when the driver is gone.
        """
        gevent.spawn(_hear, handlers, at_end)


def at_end_of_stdin(stop: Callable[[], None]) -> None:
    """Call ``stop`` when the driver is gone; never where somebody sits at a terminal."""
    if not os.isatty(0):
        gevent.spawn(_hear, {}, stop)


def _hear(handlers: Mapping[str, Handler], at_end: Callable[[], None]) -> None:
    text = b""
    # In a thread: a read that blocks must not hold up the event loop.
    while read := tp_read(0, 65_536):
        *lines, text = (text + read).split(b"\n")
        for line in lines:
            for name, value in json.loads(line).items():
                handlers[name](value)
    at_end()
