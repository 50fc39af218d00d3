"""One WebSocket of a listener: the protocol is wsproto's, the transport asyncio's.

No task and no thread a socket: bytes come in by a call, and what they mean goes out by another, so
the time of receipt is taken before anything else is done.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

PROTOCOL: Final = "palier.v1"

NO_CLOSE: Final = 1006
"""The line broke without a word (RFC 6455, section 7.1.5)."""

OnMessage = Callable[[str, int], None]
"""Told a message and when it came, in nanoseconds of ``time.time_ns``."""


@dataclass(frozen=True, slots=True)
class End:
    """How a line ended.

    Attributes:
        code: Of the close frame; of the HTTP answer when the socket was refused; else 1006.
        reason: What the other side said; may be empty.
    """

    code: int
    reason: str


class Line(asyncio.Protocol):
    """The client's side of one WebSocket.

    Args:
        request: What opens it.
        on_message: Told every text.

    Attributes:
        ended: Done when the line is gone.
    """

    def __init__(self, request: Request, on_message: OnMessage) -> None:
        self._request = request
        self._on_message = on_message
        self._wire = WSConnection(ConnectionType.CLIENT)
        self._transport: asyncio.Transport | None = None
        self._parts: list[str] = []
        self._end = End(NO_CLOSE, "")
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[End] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # of a stream; uvloop's is no subclass
        self._write(self._request)

    def data_received(self, data: bytes) -> None:
        # Understood a moment later: when a change reaches thousands of lines at once, none of them
        # should wait for the others to be read before its time is taken.
        self._loop.call_soon(self._understand, data, time.time_ns())

    def _understand(self, data: bytes, received_ns: int) -> None:
        try:
            self._wire.receive_data(data)
            for event in self._wire.events():
                self._heed(event, received_ns)
        except ProtocolError as error:
            self._hang_up(End(NO_CLOSE, f"not a WebSocket: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(self._end if exc is None else End(NO_CLOSE, str(exc)))

    def pause_reading(self) -> None:
        """Read no more: what is sent to us waits in the network, as with a reader that hangs."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on reading."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def say(self, text: str) -> None:
        """Send a text; the service asked for none."""
        self._write(TextMessage(text))

    def close(self) -> None:
        """Say goodbye and leave."""
        if self._wire.state is ConnectionState.OPEN:
            self._write(CloseConnection(1000))
        self._hang_up(End(1000, "we left"))

    def abort(self) -> None:
        """Leave without a word, as a machine that loses its network."""
        if self._transport is not None:
            self._end = End(NO_CLOSE, "we broke it off")
            self._transport.abort()

    def _heed(self, event: object, received_ns: int) -> None:
        if isinstance(event, TextMessage):
            self._parts.append(event.data)
            if event.message_finished:
                text, self._parts = "".join(self._parts), []
                self._on_message(text, received_ns)
        elif isinstance(event, Ping):
            self._write(event.response())
        elif isinstance(event, CloseConnection):
            self._write(event.response())
            self._hang_up(End(event.code, event.reason or ""))
        elif isinstance(event, RejectConnection):
            self._hang_up(End(event.status_code, "refused"))
        elif isinstance(event, AcceptConnection) and event.subprotocol != PROTOCOL:
            self._hang_up(End(NO_CLOSE, f"the server speaks {event.subprotocol}"))

    def _write(self, event: Event) -> None:
        if self._transport is not None:
            self._transport.write(self._wire.send(event))

    def _hang_up(self, end: End) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._end = end
            self._transport.close()


async def open_line(
    url: str, *, path: str, token: str, on_message: OnMessage, connect_s: float = 10.0
) -> Line:
    """Connect and ask for a socket; whether it is granted shows by its first message or its end.

    Args:
        url: ``http://host:port`` or ``https://…`` of the service.
        path: With its query.
        token: Goes into a subprotocol, as scripts in a browser send it.
        on_message: Told every text.
        connect_s: Longest wait for the connection.

    Raises:
        OSError: No connection; TimeoutError is one of them.
    """
    parts = urlsplit(url)
    if parts.hostname is None:
        raise ValueError(f"no host in {url}")
    is_safe = parts.scheme == "https"
    request = Request(host=parts.netloc, target=path, subprotocols=[PROTOCOL, f"bearer.{token}"])
    async with asyncio.timeout(connect_s):
        _, line = await asyncio.get_running_loop().create_connection(
            lambda: Line(request, on_message),
            parts.hostname,
            parts.port or (443 if is_safe else 80),
            ssl=ssl.create_default_context() if is_safe else None,
        )
    return line
