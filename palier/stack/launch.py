"""Becomes another program after tying itself to its parent; run as a script, never imported.

``python -I -S launch.py JSON`` with ``{"argv", "parent", "death_signal", "user", "cpus"}``.

A launcher instead of ``preexec_fn``: that runs Python between fork and exec, which may deadlock
in a process with threads. It imports nothing of ours, because it may be started as root from a
directory that only root can read, and gives that up before it becomes the program.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""Source: prctl(2). A change of user clears the setting, so the user is changed first."""


def die_with_parent(parent: int, death_signal: int) -> None:
    """Ask the kernel for ``death_signal`` when the thread that started us ends (Linux only)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        # It ended before the kernel knew that we care.
        sys.exit(128 + signal.SIGTERM)


def main(text: str) -> None:
    """Apply the wishes of the parent, then become the program."""
    wishes = json.loads(text)
    if wishes["cpus"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, wishes["cpus"])
    if wishes["user"]:
        uid, gid = wishes["user"]
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if wishes["death_signal"] and sys.platform == "linux":
        die_with_parent(wishes["parent"], wishes["death_signal"])
    # Python ignores SIGPIPE, and that would be inherited.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    argv = wishes["argv"]
    try:
        os.execv(argv[0], argv)
    except OSError as error:
        sys.exit(f"cannot run {argv[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1])
