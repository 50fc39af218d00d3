"""An alarm that rings at an instant, in the event loop, and is late by microseconds.

The loop's own timers ride on ``epoll_wait``, whose limit is a whole number of milliseconds: they
wake half a millisecond late in the median. The kernel's timer behind a descriptor has nanoseconds,
and to the loop it is a descriptor like any other. What else was tried, and measured:
docs/decisions/0064-one-precise-alarm.md.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from gevent.hub import get_hub

# Python has os.timerfd_create from 3.13 on; the C library of Linux has had it since 2009.
_LIBC: Final = ctypes.CDLL(None, use_errno=True)

_CLOCK_MONOTONIC: Final = 1
_NONBLOCK_CLOEXEC: Final = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_ABSOLUTE: Final = 1
_READABLE: Final = 1
_SECOND_NS: Final = 1_000_000_000


class Alarm(Protocol):
    """Rings once after each setting; setting it again replaces the instant."""

    def set(self, at_ns: int) -> None:
        """Ring at an instant of CLOCK_MONOTONIC; at once, and after the loop has looked for
        answers, when that is over."""

    def close(self) -> None:
        """Never ring again."""


def make_alarm(ring: Callable[[], None]) -> Alarm:
    """The most precise alarm that this system has.

    Args:
        ring: Called in the hub's greenlet; it must not block.
    """
    return KernelAlarm(ring) if hasattr(_LIBC, "timerfd_create") else LoopAlarm(ring)


class _Timerspec(ctypes.Structure):
    """``struct itimerspec``: an interval of 0 means once."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("s", ctypes.c_long),
        ("ns", ctypes.c_long),
    )


class KernelAlarm:
    """A ``timerfd`` that the loop watches. Linux only.

    Args:
        ring: Called in the hub's greenlet; it must not block.

    Raises:
        OSError: No descriptor is left.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._settime = _LIBC.timerfd_settime
        self._spec = _Timerspec(0, 0, 0, 0)
        self._spec_pointer = ctypes.byref(self._spec)
        self._fd: int = _LIBC.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._watcher: Any = get_hub().loop.io(self._fd, _READABLE)
        # Not read when it rings: it stays readable until it is set again, which ring does.
        self._watcher.start(ring)

    def set(self, at_ns: int) -> None:
        spec = self._spec
        # An instant of 0 would turn it off; one in the past rings at once.
        spec.s, spec.ns = divmod(max(at_ns, 1), _SECOND_NS)
        if self._settime(self._fd, _ABSOLUTE, self._spec_pointer, None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def close(self) -> None:
        if self._fd >= 0:
            self._watcher.stop()
            self._watcher.close()
            os.close(self._fd)
            self._fd = -1


class LoopAlarm:
    """The loop's own timer: everywhere, to the millisecond.

    Args:
        ring: Called in the hub's greenlet; it must not block.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._at_ns = 0
        self._timer: Any = get_hub().loop.timer(0)

    def set(self, at_ns: int) -> None:
        self._at_ns = at_ns
        self._start()

    def close(self) -> None:
        self._timer.stop()
        self._timer.close()

    def _start(self) -> None:
        left_ns = max(self._at_ns - time.monotonic_ns(), 0)
        # A new time-out needs a new timer; ``update`` counts it from now, not from the last time
        # that the loop looked at the clock.
        self.close()
        self._timer = get_hub().loop.timer(left_ns / _SECOND_NS)
        self._timer.start(self._on_time, update=True)

    def _on_time(self) -> None:
        # The loop may wake a little early; who set the alarm must not.
        if time.monotonic_ns() < self._at_ns:
            self._start()
        else:
            self._ring()
