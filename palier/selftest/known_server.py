"""The known server as a process beside us: started, asked for its log, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from palier.errors import LoadError
from palier.selftest.answer_log import read_log

END_S: Final = 30.0
"""To write the log of a few hundred thousand answers takes a second or two."""


class KnownServer:
    """A running server.

    Attributes:
        url: Where it listens.
    """

    def __init__(self, process: subprocess.Popen[str], log_path: Path) -> None:
        assert process.stdout is not None  # we asked for a pipe
        self._process = process
        self._log_path = log_path
        port = process.stdout.readline().strip()
        if not port:
            raise LoadError(
                what=f"the server of the self-test ended with {process.wait()} before it listened",
                where="palier.selftest.server",
                fix="its last words are above; `palier doctor` looks at this machine",
            )
        self.url = f"http://127.0.0.1:{port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def end(self) -> NDArray[np.void]:
        """End it; what it answered, see ``answer_log``.

        Raises:
            LoadError: It did not end, or ended by itself before.
        """
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(timeout=END_S)
        except subprocess.TimeoutExpired:
            code = None
        if code != 0:
            raise LoadError(
                what=f"the server of the self-test did not end well (exit code {code})",
                where="palier.selftest.server",
                fix="its last words are above; run again",
            )
        return read_log(self._log_path)


@contextmanager
def known_server(
    log_path: Path, flags: Sequence[str] = (), *, cpu_set: frozenset[int] | None = None
) -> Iterator[KnownServer]:
    """A server with these flags, gone when the block is left.

    Args:
        log_path: Where its log goes.
        flags: Of ``python -m palier.selftest.server``.
        cpu_set: Processors it may use; None means all.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "palier.selftest.server", "--log", str(log_path), *flags],
        stdout=subprocess.PIPE,
        text=True,
        # A session of its own: the terminal's Ctrl-C reaches us, and we end it.
        start_new_session=True,
    )
    try:
        if cpu_set is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, cpu_set)
        yield KnownServer(process, log_path)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
