"""One listener: opens its line, notes what comes, and opens it again from where it was."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import datetime
from typing import Any, Final

import httpx
import msgspec

from palier.listeners.accounts import Account, SignInError, Tokens
from palier.listeners.line import End, Line, open_line
from palier.listeners.notes import Left, Lost, Notebook, Opened, Received

HELLO_S: Final = 30.0
"""Longest wait for the server's first message."""

AGAIN_S: Final = (0.2, 10.0)
"""First and longest pause before another try; it doubles, and each listener waits a random part of
it, so that those who were dropped together do not come back together."""

SIGN_IN_AGAIN: Final = (4401, 401, 403)
TOO_OLD: Final = 4410
"""Ends after which something else than waiting helps."""


class Message(msgspec.Struct, frozen=True):
    """What we need of a message."""

    type: str
    last: int | None = None
    number: int | None = None
    at: str = ""


_DECODER: Final = msgspec.json.Decoder(Message)


class Listener:
    """One of many.

    Args:
        index: Its number.
        account: Whose changes it waits for.
        url: Of the service.
        tokens: Gives its token.
        notebook: Told what happens.
        opening: Bounds how many lines are opened at a time.

    Attributes:
        opened: Set once it has been open.
    """

    def __init__(
        self,
        index: int,
        *,
        account: Account,
        url: str,
        tokens: Tokens,
        notebook: Notebook,
        opening: asyncio.Semaphore,
    ) -> None:
        self._index = index
        self._account = account
        self._url = url
        self._tokens = tokens
        self._notebook = notebook
        self._opening = opening
        self._last: int | None = None
        self._line: Line | None = None
        self._is_open = False
        self._hello: asyncio.Future[None] | None = None
        self.opened = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled."""
        pause_s = AGAIN_S[0]
        try:
            while True:
                try:
                    line = await self._open()
                    end = await asyncio.shield(line.ended)
                except (OSError, SignInError, httpx.HTTPError) as error:
                    end = End(0, f"{type(error).__name__}: {error}")
                if self._is_open:
                    pause_s, self._is_open = AGAIN_S[0], False
                self._notebook.write(Lost(self._index, _now_us(), end.code, end.reason))
                if end.code in SIGN_IN_AGAIN:
                    self._tokens.forget(self._account)
                if end.code == TOO_OLD:
                    self._last = None
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
                pause_s = min(2 * pause_s, AGAIN_S[1])
        finally:
            self._notebook.write(Left(self._index, _now_us(), self._is_open))
            if self._line is not None:
                self._line.close()

    async def _open(self) -> Line:
        """A line that has said hello, or has ended."""
        async with self._opening:
            token = await self._tokens.of(self._account)
            self._hello = asyncio.get_running_loop().create_future()
            since = "" if self._last is None else f"?since={self._last}"
            self._line = line = await open_line(
                self._url, path=f"/api/live{since}", token=token, on_message=self._hear
            )
            either: tuple[asyncio.Future[Any], ...] = (self._hello, line.ended)
            await asyncio.wait(either, timeout=HELLO_S, return_when=asyncio.FIRST_COMPLETED)
            if not self._hello.done() and not line.ended.done():
                line.abort()
        return line

    def _hear(self, text: str, received_ns: int) -> None:
        try:
            message = _DECODER.decode(text)
        except msgspec.DecodeError:
            if self._line is not None:
                self._line.abort()
            return
        if message.number is not None:
            committed = datetime.fromisoformat(message.at)
            self._notebook.write(
                Received(
                    self._index,
                    received_ns // 1000,
                    message.number,
                    message.type,
                    round(committed.timestamp() * 1e6),
                    len(text.encode()),
                )
            )
            self._last = message.number
            return
        if message.last is not None:
            self._last = message.last
        if message.type == "hello" and self._last is not None:
            self._notebook.write(
                Opened(self._index, received_ns // 1000, self._account.name, self._last)
            )
            self._is_open = True
            self.opened.set()
            if self._hello is not None and not self._hello.done():
                self._hello.set_result(None)


def _now_us() -> int:
    return time.time_ns() // 1000
