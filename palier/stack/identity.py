"""Which process is meant: a pid alone names another process after the system has reused it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

NEVER = "never"
"""Birth of a process that had ended before it could be looked at; equal to no real one."""

_ENDED_STATES = frozenset({"Z", "X"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessId:
    """A pid together with the moment its process was born.

    Attributes:
        pid: Process id.
        birth: Opaque; equal only for the same process. Names the boot, too.
    """

    pid: int
    birth: str

    def alive(self) -> bool:
        """True while exactly this process runs; a zombie has ended."""
        return birth_of(self.pid) == self.birth


def identify(pid: int) -> ProcessId:
    """The process that has this pid now; one that has ended already is never alive."""
    return ProcessId(pid=pid, birth=birth_of(pid) or NEVER)


def this_process() -> ProcessId:
    return identify(os.getpid())


def birth_of(pid: int) -> str | None:
    """Birth of a running process, or None when there is none (or only its zombie).

    On Linux it is the start time in clock ticks since boot with the id of the boot: unlike the
    wall-clock start time it does not move when the clock is set.

    Source: proc_pid_stat(5), fields 3 (state) and 22 (starttime).
    """
    return _birth_in_proc(pid) if sys.platform == "linux" else _birth_by_clock(pid)


def _birth_in_proc(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in parentheses may itself contain spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in _ENDED_STATES else f"{_boot_id()}/{fields[19]}"


def _birth_by_clock(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None


@cache
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
