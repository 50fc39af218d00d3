"""Signals to all processes of a component."""

from __future__ import annotations

import os
from collections.abc import Iterable
from signal import Signals


def send_to_all(pids: Iterable[int], signal: Signals) -> None:
    """A signal to each process that is still there: a server's children come and go, and one that
    was told to end while it was frozen ends as soon as it goes on."""
    for pid in pids:
        try:
            os.kill(pid, signal)
        except ProcessLookupError:
            continue
