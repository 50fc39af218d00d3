"""A connection that is waited for, but not for ever."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg

CONNECT_LIMIT_S: Final = 10


def connect(url: str) -> psycopg.Connection[Any]:
    """A connection in autocommit.

    Raises:
        psycopg.OperationalError: Nobody answered in time.
    """
    return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_LIMIT_S)


@contextmanager
def cut_after(connection: psycopg.Connection[Any], limit_s: float) -> Iterator[None]:
    """Cut the line when the block takes longer: what waits then raises ``OperationalError``.

    The server's own limit does not help against a server that stands still.
    """
    # A second handle on the same line: libpq's own must not be touched from another thread.
    line = socket.socket(fileno=os.dup(connection.fileno()))

    def cut() -> None:
        with suppress(OSError):  # its other end may have gone already
            line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(limit_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        line.close()
