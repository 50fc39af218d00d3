"""One connection to Redis for a whole process: commands go out in order, answers come in order.

A pool lends a connection to one command at a time, which then waits for its answer. Redis does not
need that: it answers in the order it was asked, so any number of commands can be under way on one
connection, none waits for a free one, and a command costs a fraction of what it costs in a pool.
hiredis packs and parses.

Source: Redis documentation, "Redis pipelining" and "Redis serialization protocol specification".
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from ssl import SSLContext, create_default_context
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import hiredis

Value = str | bytes | int

LATE_S = 0.05
"""What has arrived is read within this time, however busy the process was when a time limit came.
An event loop may look at its timers before it looks at its sockets."""

_NOT_YET = object()


class LineError(Exception):
    """The connection could not be made, ended, or said nothing in time."""


class RefusedError(Exception):
    """Redis answered a command with an error."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Redis is, and as whom to ask it.

    Attributes:
        host: Name or number; empty for a socket of this machine.
        port: TCP port.
        path: Of a socket of this machine; None for TCP.
        user: None for the default one.
        password: None when it needs none.
        database: Number.
        is_encrypted: TLS.
    """

    host: str
    port: int
    path: str | None
    user: str | None
    password: str | None = field(repr=False)
    database: int
    is_encrypted: bool


def parse_address(url: str) -> Address:
    """Read ``redis://user:password@host:port/0``, ``rediss://...`` or ``unix:///path?db=0``.

    Raises:
        ValueError: It is none of these.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError("not an address of a Redis")
    is_socket = parts.scheme == "unix"
    number = parse_qs(parts.query).get("db", [""])[0] if is_socket else parts.path.strip("/")
    return Address(
        host="" if is_socket else parts.hostname or "localhost",
        port=parts.port or 6379,
        path=unquote(parts.path) if is_socket else None,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        database=int(number or "0"),
        is_encrypted=parts.scheme == "rediss",
    )


class Line(asyncio.Protocol):
    """A connection; made by :func:`connect`.

    Args:
        timeout_s: Longest wait for an answer.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(notEnoughData=_NOT_YET)
        self._waiting: deque[tuple[asyncio.Future[Any], asyncio.TimerHandle]] = deque()
        self._transport: asyncio.Transport | None = None
        self._ended = self._loop.create_future()

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, *command: Value) -> asyncio.Future[Any]:
        """Send a command; the future has the answer.

        Raises (from the future):
            LineError: There is no connection any more, or nothing was said in time.
            RefusedError: Redis answered with an error.
        """
        answer: asyncio.Future[Any] = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            answer.set_exception(LineError("the connection has ended"))
            return answer
        limit = self._loop.call_later(self._timeout_s, self._look_again, answer)
        self._waiting.append((answer, limit))
        # its stub says "a tuple of one"
        self._transport.write(hiredis.pack_command(command))  # type: ignore[arg-type]
        return answer

    async def close(self) -> None:
        """End the connection, at once; what waits for an answer is told so."""
        if self._transport is not None:
            self._transport.abort()
            await self._ended

    # asyncio.Protocol -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        # a cast, for uvloop's transports are none of asyncio's
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop: answers, whole or in part."""
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not _NOT_YET:
                answer, limit = self._waiting.popleft()
                limit.cancel()
                if answer.done():
                    continue  # whoever asked has gone, or waits no longer
                if isinstance(reply, hiredis.ReplyError):
                    answer.set_exception(RefusedError(str(reply)))
                else:
                    answer.set_result(reply)
        except (hiredis.ProtocolError, IndexError):
            # Not Redis, or an answer nobody asked for: nothing that follows could be trusted.
            self._abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the event loop."""
        lost = LineError("the connection was lost" if error is None else str(error))
        while self._waiting:
            answer, limit = self._waiting.popleft()
            limit.cancel()
            if not answer.done():
                answer.set_exception(lost)
        if not self._ended.done():
            self._ended.set_result(None)

    # ------------------------------------------------------------------------------------------

    def _look_again(self, answer: asyncio.Future[Any]) -> None:
        """The time is over; but first read what may be lying in the socket."""
        if not answer.done():
            self._loop.call_later(LATE_S, self._give_up, answer)

    def _give_up(self, answer: asyncio.Future[Any]) -> None:
        if not answer.done():
            answer.set_exception(LineError(f"no answer within {self._timeout_s:g} s"))
            # The next one gets a new connection: this one may be to a server that is gone.
            self._abort()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def connect(address: Address, timeout_s: float) -> Line:
    """Connect, and say who asks.

    Args:
        address: The Redis.
        timeout_s: Longest wait to connect, and then for each answer.

    Raises:
        LineError: It is not there, does not answer, or does not let us in.
    """
    loop = asyncio.get_running_loop()
    encryption: SSLContext | None = create_default_context() if address.is_encrypted else None
    try:
        async with asyncio.timeout(timeout_s):
            if address.path is not None:
                _, line = await loop.create_unix_connection(lambda: Line(timeout_s), address.path)
            else:
                _, line = await loop.create_connection(
                    lambda: Line(timeout_s), address.host, address.port, ssl=encryption
                )
    except (OSError, TimeoutError) as error:
        raise LineError(f"cannot connect: {error or 'no answer'}") from error
    greetings: list[asyncio.Future[Any]] = []
    if address.password is not None:
        who = () if address.user is None else (address.user,)
        greetings.append(line.ask("AUTH", *who, address.password))
    if address.database:
        greetings.append(line.ask("SELECT", address.database))
    refused = [
        answer
        for answer in await asyncio.gather(*greetings, return_exceptions=True)
        if isinstance(answer, Exception)
    ]
    if refused:
        await line.close()
        raise LineError(str(refused[0])) from refused[0]
    return line
