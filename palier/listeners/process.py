"""The process of the listeners, from its start to its end, for whoever drives a run."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from palier.errors import LoadError
from palier.listeners.accounts import Account, write_accounts
from palier.listeners.notes import NOTES_FILE

START_S: Final = 120.0
"""Longest time to import, to sign in and to open every socket."""

SETTLE_S: Final = 3.0
"""How long they listen on after the load: what was committed at its end is on its way, and a change
should take two seconds at most (T-29)."""

END_S: Final = 30.0
"""Thousands of sockets take a moment to close; after this the process is killed."""

_LOG: Final = "listeners.log"
_LOG_LINES: Final = 5


class ListenerProcess:
    """Listeners beside a run.

    A context: all sockets are open inside it, and they have left after it.

    Args:
        url: Of the service.
        accounts: Who listens.
        count: Sockets.
        folder: Gets their notes and their log.
        cpu_set: Processors they may use; None means all.

    Raises:
        LoadError: They could not all be opened.
    """

    def __init__(
        self,
        url: str,
        *,
        accounts: Sequence[Account],
        count: int,
        folder: Path,
        cpu_set: frozenset[int] | None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._count = count
        self._log_path = folder / _LOG
        accounts_path = folder / "listeners.accounts"
        write_accounts(accounts_path, accounts)
        argv = [
            *(sys.executable, "-m", "palier.listeners", "--url", url, "--end-with-input"),
            *("--accounts", str(accounts_path), "--count", str(count)),
            *("--out", str(folder / NOTES_FILE), "--within", f"{START_S:g}"),
        ]
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,  # closes with us, however we end
                stdout=subprocess.PIPE,
                stderr=log,
                # A session of its own: the terminal's Ctrl-C is for us to pass on.
                start_new_session=True,
            )
        if cpu_set is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self._process.pid, cpu_set)

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> ListenerProcess:
        try:
            self._wait_until_open()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if error is None and self._process.poll() is None:
            time.sleep(SETTLE_S)
        self._end()

    def _wait_until_open(self) -> None:
        out = self._process.stdout
        assert out is not None  # a pipe, as we asked for
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            if not selector.select(START_S + END_S) or not out.readline():
                raise LoadError(
                    what=f"{self._count} listeners could not be opened: {self._last_words()}",
                    where=str(self._log_path),
                    fix="see the log of the application in the run directory, or lower "
                    "load.listeners of the tier",
                )

    def _last_words(self) -> str:
        lines = self._log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return " / ".join(lines[-_LOG_LINES:]) or "no word from their process"

    def _end(self) -> None:
        """They write their last notes when told to end."""
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
