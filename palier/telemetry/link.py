"""A database connection of telemetry's own: it may be lost, and another thread may cut it."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress

import psycopg

CONNECT_TIMEOUT_S = 2
"""libpq takes nothing shorter."""

APPLICATION_NAME = "palier_telemetry"


class Link:
    """Connects when it is asked for a connection and has none.

    Everything but ``cut`` belongs to one thread.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None
        self._line: socket.socket | None = None
        self._lock = threading.Lock()

    def connection(self) -> psycopg.Connection:
        """The open connection, or a new one.

        Raises:
            psycopg.Error: The server cannot be reached or refuses.
        """
        if self._connection is None or self._connection.closed:
            self.close()
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                application_name=APPLICATION_NAME,
                connect_timeout=CONNECT_TIMEOUT_S,
                # The measured statements are prepared; ours need not be.
                prepare_threshold=None,
            )
            self._connection = connection
            with self._lock:
                # A second handle on the same line: libpq's own must not be touched.
                self._line = socket.socket(fileno=os.dup(connection.fileno()))
        return self._connection

    def cut(self) -> None:
        """End a reading that hangs, from another thread: it raises there.

        A server that is stopped rather than gone keeps a reader waiting for ever.
        """
        with self._lock:
            if self._line is not None:
                with suppress(OSError):
                    # Its other end may have gone already.
                    self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection, if there is one."""
        with self._lock:
            line, self._line = self._line, None
        connection, self._connection = self._connection, None
        if line is not None:
            line.close()
        if connection is not None:
            connection.close()
