"""A server that does with a connection exactly what a test says, on real sockets, in threads.

with Wire(lambda peer: peer.answer(b"HTTP/1.1 204 No Content\\r\\n\\r\\n")) as wire:
    ...
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

PATIENCE_S = 20.0


class Gone(Exception):  # noqa: N818  no mishap: tests hang up
    """The client hung up before it asked for anything more."""


class Peer:
    """The server's end of one connection."""

    def __init__(self, wire: Wire, connection: Any) -> None:
        self._wire = wire
        self._early = b""
        self.connection = connection

    def request(self) -> bytes:
        """The next request, whole."""
        data = self._early
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, rest = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(rest) < length:
            rest += self._more()
        self._early = rest[length:]
        whole = head + b"\r\n\r\n" + rest[:length]
        self._wire.requests.append(whole)
        return whole

    def answer(self, *parts: bytes) -> None:
        """Read a request and send these bytes."""
        self.request()
        self.send(*parts)

    def send(self, *parts: bytes) -> None:
        """Each part in a segment of its own, as far as the kernel does not join them."""
        for part in parts:
            self.connection.sendall(part)

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def wait_for_end(self) -> None:
        """Until the client hangs up."""
        while self.connection.recv(1 << 16):
            pass

    def _more(self) -> bytes:
        data: bytes = self.connection.recv(1 << 16)
        if not data:
            raise Gone
        return data


class Wire:
    """Accepts connections; each is played in a thread by ``behave``, then closed.

    Attributes:
        requests: What arrived, in order.
        connections: How many were accepted.
        ended: How many have been played to the end and closed.
    """

    def __init__(
        self, behave: Callable[[Peer], object], *, context: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.ended = 0
        self._change = threading.Condition()
        self._behave = behave
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: list[Any] = []
        self._accepting = threading.Thread(target=self._accept)

    @property
    def url(self) -> str:
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def wait_until(self, fact: Callable[[Wire], bool]) -> None:
        """Until something is so; asked again whenever a connection has ended."""
        with self._change:
            assert self._change.wait_for(lambda: fact(self), timeout=PATIENCE_S)

    def __enter__(self) -> Wire:
        self._accepting.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _where: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(PATIENCE_S)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE_S)
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._play, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _play(self, connection: Any) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._behave(Peer(self, connection))
        except (Gone, OSError):
            pass  # the client has hung up, which tests look at from its side
        finally:
            with suppress(OSError):
                connection.close()
            with self._change:
                self.ended += 1
                self._change.notify_all()
