"""Waiting for a fact, with a deadline; never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from palier.errors import StackError

_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.1
"""A check costs up to a few milliseconds, so waiting takes at most a few per cent of a core."""

LOG_TAIL_LINES = 20


class Watched(Protocol):
    """What a wait must know about the process behind a component."""

    @property
    def log_path(self) -> Path: ...

    def exit_code(self) -> int | None:
        """None while it runs."""


def wait_until(
    check: Callable[[], str | None],
    *,
    deadline_s: float,
    component: str,
    process: Watched | None = None,
    fix: str = "read the log; `palier doctor` shows what is missing here",
) -> None:
    """Call ``check`` until it is content.

    Args:
        check: Returns None when the component is ready, else why it is not yet.
        deadline_s: Longest wait, in seconds.
        component: Name for the error.
        process: The process behind it; its end ends the wait at once.
        fix: What the reader can do about it.

    Raises:
        StackError: The deadline passed or the process ended; with its last log lines.
    """
    started = time.monotonic()
    pause_s = _FIRST_PAUSE_S
    while True:
        # Asked before the check: a process that ended after a failed check is seen next time.
        exit_code = None if process is None else process.exit_code()
        reason = check()
        if reason is None:
            return
        if exit_code is not None:
            raise failure(
                f"{component} ended with {how_it_ended(exit_code)} instead of getting ready",
                component=component,
                process=process,
                fix=fix,
            )
        waited_s = time.monotonic() - started
        if waited_s >= deadline_s:
            raise failure(
                f"{component} was not ready after {deadline_s:g} s: {reason}",
                component=component,
                process=process,
                fix=fix,
            )
        time.sleep(min(pause_s, deadline_s - waited_s))
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)


def failure(what: str, *, component: str, process: Watched | None, fix: str) -> StackError:
    """A StackError that ends with the last lines the component wrote."""
    if process is None:
        return StackError(what=what, where=component, fix=fix)
    lines = last_lines(process.log_path)
    said = "\n  | ".join(lines) if lines else "(it wrote nothing)"
    return StackError(
        what=f"{what}; its last lines:\n  | {said}", where=str(process.log_path), fix=fix
    )


def last_lines(path: Path, count: int = LOG_TAIL_LINES) -> tuple[str, ...]:
    """The last ``count`` lines of a log; none when it does not exist."""
    longest_bytes = 64 * 1024
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - longest_bytes))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ()
    return tuple(text.splitlines()[-count:])


def how_it_ended(exit_code: int) -> str:
    """``"signal 9"`` or ``"exit code 1"``."""
    return f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
