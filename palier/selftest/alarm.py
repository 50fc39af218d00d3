"""A timer of an asyncio loop that is more precise than the loop's own milliseconds.

Linux lets a timer be a file (``timerfd``): the loop watches it as it watches a socket, and the
kernel wakes us within some fifty microseconds. Elsewhere the loop's own timer has to do. What is
measured with it stays true, for whoever answers late notes when it answered.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

_NS_PER_S: Final = 1_000_000_000
_CLOCK_MONOTONIC: Final = 1
_TFD_TIMER_ABSTIME: Final = 1


class Alarm(Protocol):
    """Calls a function once at the set instant of ``time.monotonic_ns``; setting it again moves
    it."""

    def set(self, at_ns: int) -> None: ...

    def close(self) -> None: ...


def make_alarm(loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> Alarm:
    """The most precise one that this machine has."""
    if platform.system() == "Linux":
        return _TimerFile(loop, ring)
    return _LoopTimer(loop, ring)


class _Timespec(ctypes.Structure):
    _fields_ = (("sec", ctypes.c_long), ("nsec", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class _TimerFile:
    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        # Python has these functions of the C library from 3.13 on.
        self._libc: Any = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._ring = ring
        self._spec = _Itimerspec()
        self._pointer = ctypes.byref(self._spec)
        self._loop = loop
        loop.add_reader(self._fd, self._on_time)

    def set(self, at_ns: int) -> None:
        value = self._spec.value
        # An instant of zero would disarm it; one in the past rings at once.
        value.sec, value.nsec = divmod(max(at_ns, 1), _NS_PER_S)
        if self._libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, self._pointer, None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _on_time(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return  # moved to a later instant after it had rung
        self._ring()


class _LoopTimer:
    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None

    def set(self, at_ns: int) -> None:
        self.close()
        left_s = (at_ns - time.monotonic_ns()) / _NS_PER_S
        self._handle = self._loop.call_later(max(left_s, 0.0), self._ring)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
