"""A connection to the service: sends bytes, waits for bytes, knows when it has gone stale.

The socket is the interpreter's own, in non-blocking mode, and one watcher of the event loop stays
on it for its whole life. gevent's socket asks the kernel first, gets an exception, and then makes
and drops a watcher; that is three quarters of what a request costs (measured in
docs/decisions/0062-a-lean-client.md).
"""

from __future__ import annotations

import _socket
import select
import ssl
import struct
import sys
import time
from typing import Any, Final

import gevent
import gevent.socket
import gevent.ssl
from gevent import getcurrent
from greenlet import greenlet

from scenarios.client.opening import connect
from scenarios.client.polled import polled
from scenarios.client.reader import Reader

_READ: Final = 1
_WRITE: Final = 2

_AT_FIRST: Final = 4 << 10
_AT_ONCE: Final = 32 << 10
"""Bytes asked for at once: little, because making room costs more than taking a short answer; once
an answer has filled that, most answers in one call, and no large buffer for it."""

_SO_TIMESTAMPNS: Final = 35 if sys.platform == "linux" else None
"""Makes the kernel say when bytes came; the ``socket`` module does not know the option."""

_STAMP: Final = struct.Struct("qq")
_STAMP_ROOM: Final = _socket.CMSG_SPACE(_STAMP.size)


class Connection:
    """A connection without encryption. Used by one greenlet at a time.

    Args:
        opened: Its socket, connected and in non-blocking mode.

    Attributes:
        reader: Reads its answers.
    """

    def __init__(self, opened: _socket.socket) -> None:
        self._socket = opened
        if _SO_TIMESTAMPNS is not None:
            self._socket.setsockopt(_socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._room = _AT_FIRST
        self._stamps: list[tuple[int, int, bytes]] = []
        descriptor = self._socket.fileno()
        self._hub = gevent.get_hub()
        # The hub's own ``switch`` looks first for a hook that nobody has.
        self._to_loop = greenlet.switch.__get__(self._hub)
        self._unasked_for = self._on_bytes_unasked_for
        self._watcher = self._hub.loop.io(descriptor, _READ)
        self._watched = False
        self._polled = polled(descriptor, select.POLLIN)
        self.reader = Reader()

    def is_idle(self) -> bool:
        """True for an open connection with nothing to read: data would be the answer to a request
        that was given up, or the end of the connection."""
        return not self._polled.poll(0)

    def send(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            OSError: It cannot be sent.
        """
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._send_rest(memoryview(data)[sent:])

    def receive(self) -> bytes:
        """Wait for bytes; none mean the end of the connection.

        Raises:
            OSError: The connection is broken.
        """
        watcher = self._watcher
        while True:
            # Always wait first: the answer is never there yet.
            if self._watched:
                watcher.callback = getcurrent().switch
            else:
                watcher.start(getcurrent().switch)
                self._watched = True
            try:
                self._to_loop()
            finally:
                watcher.callback = self._unasked_for
            try:
                data, self._stamps, _, _ = self._socket.recvmsg(self._room, _STAMP_ROOM)
            except BlockingIOError:
                continue  # the kernel may say so and then change its mind
            if len(data) == _AT_FIRST:
                self._room = _AT_ONCE
            return data

    def came_ns(self, started_ns: int) -> int:
        """When the bytes received last had come, as far as the kernel tells; otherwise now.

        Not when we looked: a loop with six hundred answers to read takes 70 ms for it, and that
        would be charged to the service.

        Args:
            started_ns: When the request was sent; nothing of its answer came before.
        """
        now_ns = time.monotonic_ns()
        if self._stamps:
            # The stamp is of the clock that can be set. Only its age counts: a step in the few
            # microseconds since then gives no age that is possible, or hardly changes it.
            seconds, nanoseconds = _STAMP.unpack(self._stamps[0][2])
            age_ns: int = time.time_ns() - seconds * 1_000_000_000 - nanoseconds
            if 0 <= age_ns <= now_ns - started_ns:
                return now_ns - age_ns
        return now_ns

    def close(self) -> None:
        self._watcher.stop()
        self._watcher.close()
        del self._unasked_for  # it refers to us, and the collector is off
        self._socket.close()
        self.reader.close()

    def _on_bytes_unasked_for(self) -> None:
        # While nobody reads, the loop would report them again and again.
        self._watcher.stop()
        self._watched = False

    def _send_rest(self, rest: memoryview) -> None:
        watcher = self._hub.loop.io(self._socket.fileno(), _WRITE)
        try:
            while rest:
                self._hub.wait(watcher)
                try:
                    rest = rest[self._socket.send(rest) :]
                except BlockingIOError:
                    continue
        finally:
            watcher.close()


class TlsConnection:
    """A connection with encryption; gevent's socket does the work."""

    def __init__(self, opened: Any, context: ssl.SSLContext, host: str) -> None:
        self._socket = context.wrap_socket(opened, server_hostname=host)
        self._polled = polled(self._socket.fileno(), select.POLLIN)
        self.reader = Reader()

    def is_idle(self) -> bool:
        """As that of ``Connection``. Tickets of the encryption's own look like data, too; they come
        with the first answer, at the latest."""
        return not self._socket.pending() and not self._polled.poll(0)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self) -> bytes:
        data: bytes = self._socket.recv(_AT_ONCE)
        return data

    def came_ns(self, started_ns: int) -> int:  # noqa: ARG002  as that of ``Connection``
        """Now: what the kernel stamps is encrypted, and belongs to no answer in particular."""
        return time.monotonic_ns()

    def close(self) -> None:
        self._socket.close()
        self.reader.close()


def open_connection(
    host: str, port: int, *, timeout_s: float, context: ssl.SSLContext | None
) -> Connection | TlsConnection:
    """Connect, and agree on the encryption if there is a context.

    Raises:
        OSError: Refused, unreachable, no such host, no trust; ``TimeoutError`` after the limit.
    """
    if context is None:
        return Connection(connect(host, port, timeout_s=timeout_s))
    opened = gevent.socket.create_connection((host, port), timeout=timeout_s)
    try:
        opened.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        connection = TlsConnection(opened, context, host)
    except BaseException:
        opened.close()
        raise
    connection._socket.settimeout(None)
    return connection
