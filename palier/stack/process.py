"""Child processes: started in a session of their own, ended within a bound."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from palier.errors import StackError
from palier.stack import launch
from palier.stack.identity import ProcessId, identify

GRACEFUL_S = 5.0
"""How long a component may take to end after it was asked to, before it is told."""

KILL_S = 5.0
"""How long the kernel may take to end a killed process (it may sit in a disk write)."""

_POLL_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """What must be known about a child to end it from another process.

    Attributes:
        name: Component, ``"postgres"``, ``"app"`` ...
        process: Leader of the child's own session and process group.
        signals: Names of the signals that end it, politest first; SIGKILL follows by itself.
    """

    name: str
    process: ProcessId
    signals: tuple[str, ...]


class Child:
    """A running component of ours.

    Attributes:
        record: How to end it.
        log_path: Where its stdout and stderr go, behind those of an earlier one of that name.
    """

    def __init__(
        self,
        record: ProcessRecord,
        popen: subprocess.Popen[bytes],
        log_path: Path,
        log_start: int = 0,
    ) -> None:
        self.record = record
        self.log_path = log_path
        self._popen = popen
        self._log_start = log_start

    @property
    def pid(self) -> int:
        return self.record.process.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal, as in ``subprocess``."""
        return self._popen.poll()

    def wait(self, deadline_s: float) -> int | None:
        """Exit code once it has ended, or None after ``deadline_s`` seconds."""
        try:
            return self._popen.wait(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            return None

    def pids(self) -> tuple[int, ...]:
        """Its process and all descendants, for accounting; empty when it has ended."""
        try:
            leader = psutil.Process(self.pid)
            return (self.pid, *(process.pid for process in leader.children(recursive=True)))
        except psutil.NoSuchProcess:
            return ()

    def output(self) -> str:
        """What it has written so far."""
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def stop(self) -> None:
        """End it; a no-op when it has ended.

        Raises:
            StackError: It outlived even SIGKILL.
        """
        end(self.record)
        self._popen.wait(timeout=KILL_S)

    def let_go(self) -> None:
        """Stop being its parent in the eyes of ``subprocess``: it is meant to outlive us."""
        self._popen.returncode = 0


def start_process(
    *,
    name: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    folder: Path,
    log_path: Path,
    signals: tuple[str, ...],
    user: tuple[int, int] | None,
    cpus: Sequence[int],
    outlives_us: bool,
) -> Child:
    """Start a component through ``launch.py``.

    Must be called by a thread that lives as long as the component should: Linux ties the life of
    a child to the thread that started it.

    Args:
        name: Component.
        argv: Program (absolute path) and arguments.
        env: Its whole environment.
        folder: Its working directory, which also marks its descendants as ours.
        log_path: Appended to; stdout and stderr.
        signals: See ``ProcessRecord``; the first is also what it gets when we die.
        user: uid and gid to give up root for.
        cpus: Cores it may use; empty means all.
        outlives_us: True when it must not end with this process.
    """
    wishes = {
        "argv": list(argv),
        "parent": os.getpid(),
        "death_signal": None if outlives_us else int(signal.Signals[signals[0]]),
        "user": user,
        "cpus": list(cpus),
    }
    with log_path.open("ab") as log:
        log_start = log.tell()
        popen = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(launch.__file__)), json.dumps(wishes)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=folder,
            start_new_session=True,
        )
    record = ProcessRecord(name=name, process=identify(popen.pid), signals=signals)
    return Child(record, popen, log_path, log_start)


def end(record: ProcessRecord) -> None:
    """End exactly this process: ask, ask louder, kill; each with a deadline.

    Raises:
        StackError: It is still there after SIGKILL.
    """
    for signal_name in record.signals:
        if _signal_and_wait(record.process, signal.Signals[signal_name], GRACEFUL_S):
            return
    if not _signal_and_wait(record.process, signal.SIGKILL, KILL_S):
        raise StackError(
            what=f"{record.name} (process {record.process.pid}) does not end, even killed",
            where=f"{record.name}",
            fix="it hangs in the kernel, often on a full or broken disk; see `dmesg`",
        )


def end_strays(folder: Path, sessions: frozenset[int], *, postgres: bool) -> None:
    """Kill what ended components left: descendants still working inside ``folder``.

    A component that was killed cannot end its own children. They are known by their working
    directory together with their session, so that a shell somebody opened there is spared.

    Args:
        folder: The stack's own directory.
        sessions: Pids of the ended components' leaders.
        postgres: Also PostgreSQL's, which make sessions of their own; they are known by name.
    """
    with ExitStack() as every_one:
        for process in psutil.process_iter():
            try:
                inside = Path(process.cwd()).is_relative_to(folder)
                ours = inside and (
                    os.getsid(process.pid) in sessions
                    or (postgres and process.name() == "postgres")
                )
            except (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
                continue
            if ours and process.pid != os.getpid():
                stray = ProcessRecord(
                    name="leftover process", process=identify(process.pid), signals=()
                )
                every_one.callback(end, stray)


def _signal_and_wait(process: ProcessId, signal_number: signal.Signals, patience_s: float) -> bool:
    """Send a signal to exactly this process; True when it was gone within ``patience_s``."""
    _send(process, signal_number)
    if signal_number is not signal.SIGKILL:
        # A stopped process would act on the signal only after somebody woke it.
        _send(process, signal.SIGCONT)
    deadline = time.monotonic() + patience_s
    while process.alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _send(process: ProcessId, signal_number: signal.Signals) -> None:
    """Signal the process unless it has ended, even if its pid was reused this instant."""
    try:
        if sys.platform == "linux":
            handle = os.pidfd_open(process.pid)
            try:
                # The handle cannot be reused, so this check cannot be outrun.
                if process.alive():
                    signal.pidfd_send_signal(handle, signal_number)
            finally:
                os.close(handle)
        elif process.alive():
            os.kill(process.pid, signal_number)
    except ProcessLookupError:
        return
