"""One socket from its opening to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from reference_app.identity.tokens import InvalidTokenError
from reference_app.live.events import Alive, message
from reference_app.live.hub import Hub, Listener

ALIVE_EVERY_S = 20.0
"""After so long without an event the socket says that it is alive. A message rather than a ping
frame: applications cannot send those through ASGI, and scripts in a browser cannot see them."""

SEND_S = 10.0
"""Longest time that one message may take to leave; the reader is too slow then."""

SIGN_IN_AGAIN: Final = 4401
TOO_OLD: Final = 4410
TOO_SLOW: Final = 4408
NOT_ASKED: Final = 1008
RESTARTING: Final = 1012
TRY_LATER: Final = 1013
"""Why a socket was closed (RFC 6455, section 7.4.2 leaves 4000 to 4999 to applications; ours are
the HTTP status that says the same)."""

_CLOSE_S = 1.0

Socket = WebSocket[Any, Any, Any]


class _Ended(Exception):  # noqa: N818 - an end is no error
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def send_to(
    socket: Socket,
    listener: Listener,
    hub: Hub,
    still_admitted: Callable[[], object],
    *,
    alive_every_s: float = ALIVE_EVERY_S,
) -> None:
    """Send what a listener is told until either side ends it.

    Args:
        socket: Accepted.
        listener: One of the hub's.
        hub: What was told in this process.
        still_admitted: Raises InvalidTokenError once the token has ended.
        alive_every_s: Longest silence.
    """
    sending = asyncio.create_task(_send(socket, listener, hub, still_admitted, alive_every_s))
    receiving = asyncio.create_task(_receive(socket))
    both = (sending, receiving)
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in both:
            task.cancel()
        await asyncio.wait(both)
    for task in both:
        if not task.cancelled() and (error := task.exception()) is not None:
            await _close(socket, error)
            return


async def _send(
    socket: Socket,
    listener: Listener,
    hub: Hub,
    still_admitted: Callable[[], object],
    alive_every_s: float,
) -> None:
    while True:
        text: str | None
        try:
            async with asyncio.timeout(alive_every_s):
                text = await listener.messages.get()
        except TimeoutError:
            text = message(Alive(max(hub.newest, listener.last)))
        if text is None:
            raise _slow() if listener.is_too_slow else _Ended(RESTARTING, "come back")
        try:
            still_admitted()
        except InvalidTokenError:
            raise _Ended(SIGN_IN_AGAIN, "the access token has ended") from None
        try:
            async with asyncio.timeout(SEND_S):
                await socket.send_text(text)
        except TimeoutError:
            raise _slow() from None


def _slow() -> _Ended:
    return _Ended(TOO_SLOW, "messages are not read")


async def _receive(socket: Socket) -> None:
    """Wait for the client to go; there is nothing it could say."""
    await socket.receive_data("text")
    raise _Ended(NOT_ASKED, "this socket only tells")


async def _close(socket: Socket, error: BaseException) -> None:
    if isinstance(error, WebSocketDisconnect):
        return
    if not isinstance(error, _Ended):
        raise error
    await end(socket, error.code, error.reason)


async def end(socket: Socket, code: int, reason: str) -> None:
    """Close a socket, with a reason; who does not read is not waited for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await socket.close(code, reason)
