"""What the kernel says of this process. Where a system does not tell, the answer is None."""

from __future__ import annotations

import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LINUX: Final = sys.platform == "linux"
_CLOCK_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
_STEAL: Final = 8
"""Place of the stolen time in the first line of /proc/stat. Source: proc_stat(5)."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Where the time of the thread that runs the event loop went, so far. Seconds.

    Attributes:
        running_s: It had a core.
        waiting_s: It was ready and had none: another process had it. None where not told.
    """

    running_s: float
    waiting_s: float | None


class Kernel:
    """Files of /proc that stay open: at the limit of open files they can still be read."""

    def __init__(self) -> None:
        self._schedule = _open("/proc/self/schedstat")
        self._machine = _open("/proc/stat")
        self._memory = _open("/proc/self/statm")
        self._sockets = _open("/proc/net/sockstat")

    def close(self) -> None:
        for file in (self._schedule, self._machine, self._memory, self._sockets):
            if file is not None:
                os.close(file)

    def spent(self) -> Spent:
        """Of the calling thread, which is the first of its process."""
        waiting_s = None
        if self._schedule is not None:
            # Time on the processor, time waiting for it, turns. Source: sched-stats.rst.
            _, waiting_ns, _ = _read(self._schedule).split()
            waiting_s = int(waiting_ns) / 1e9
        return Spent(time.thread_time(), waiting_s)

    def stolen_s(self) -> float | None:
        """Time that the machine below this virtual one took, over all cores."""
        if self._machine is None:
            return None
        return int(_read(self._machine).split()[_STEAL]) * _CLOCK_TICK_S

    def memory_mib(self) -> float | None:
        """What this process has in memory."""
        if self._memory is None:
            return None
        return int(_read(self._memory).split()[1]) * resource.getpagesize() / 2**20

    def sockets(self) -> int | None:
        """TCP connections of the machine that may hold a port: open, or closed a moment ago."""
        if self._sockets is None:
            return None
        for line in _read(self._sockets).splitlines():
            if line.startswith(b"TCP:"):
                words = line.split()
                told = dict(zip(words[1::2], words[2::2], strict=True))
                return int(told[b"inuse"]) + int(told[b"tw"])
        return None


def forced_switches() -> int:
    """How often a core was taken from this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def open_files() -> int | None:
    """Files that this process has open. Counting ten thousand names would hold up the loop;
    Linux 6.2 and later tell the number as the size of the folder, elsewhere it is not known."""
    if not _LINUX:
        return None
    return Path("/proc/self/fd").stat().st_size or None


def open_file_limit() -> int | None:
    """None without a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def _open(path: str) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None  # another system, or a kernel that was built without it


def _read(file: int) -> bytes:
    return os.pread(file, 4096, 0)
