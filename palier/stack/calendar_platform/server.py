"""The server: a forward proxy for the hosts it plays, and a few addresses of its own.

| Own address | What it does |
|---|---|
| ``GET /health`` | 200 |
| ``GET /counts`` | what was asked for: see :class:`Counts`, ``receivers.py`` and ``cards.py`` |
| ``GET /deliveries`` | requests of each delivery, and how often it was taken |
| ``POST /release/NAME`` | lets ``/hold/NAME`` go on |
| ``POST /settle/KEY`` | ends the pending charge of this key, and calls back, again if need be |
| ``PUT /secrets/HOST/PATH`` | tells the receiver ``http://HOST/PATH`` its secret |
| ``PUT /feeds/HOST/PATH`` | sets what ``http://HOST/PATH`` answers; ``DELETE`` takes it back |
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus

from palier.stack.calendar_platform.behaviour import Behaviour, ConnectionEnds, reset
from palier.stack.calendar_platform.cards import CARDS_HOST, CardProcessor
from palier.stack.calendar_platform.feeds import PLATFORM_OF_HOST
from palier.stack.calendar_platform.receivers import HOOKS_HOST, Receivers, ResetWishedError
from palier.stack.calendar_platform.request import (
    HEAD_BYTES_MAX,
    Answer,
    BadRequestError,
    Request,
    read_request,
)

PATHS_MAX = 20_000
"""Paths that are counted one by one; more are counted together."""

OTHERS = "(others)"


@dataclass(slots=True)
class Counts:
    """What was asked for.

    Attributes:
        requests: To a platform, in all.
        by_path: The same by host and path.
        strangers: To any other host, by host: each one is a request that should not have been.
        busy: Requests to a platform that are being answered.
        busy_max: The most of them at any time.
    """

    requests: int = 0
    by_path: Counter[str] = field(default_factory=Counter)
    strangers: Counter[str] = field(default_factory=Counter)
    busy: int = 0
    busy_max: int = 0

    def begin(self, where: str) -> None:
        """A request to a platform begins."""
        self.requests += 1
        is_known = where in self.by_path or len(self.by_path) < PATHS_MAX
        self.by_path[where if is_known else OTHERS] += 1
        self.busy += 1
        self.busy_max = max(self.busy_max, self.busy)


class CalendarPlatform:
    """All platforms, receivers and the card processor behind one port.

    Args:
        seed: Decides what is in the feeds.
        webhook_secret: Root of the secrets of webhooks, for receivers that verify.
        payment_secret: What the card processor and its customer sign with.
    """

    def __init__(
        self, seed: int, webhook_secret: str | None = None, payment_secret: str | None = None
    ) -> None:
        self._behaviour = Behaviour(seed)
        self._receivers = Receivers(webhook_secret)
        self._cards = CardProcessor(payment_secret)
        self._counts = Counts()

    async def start(self, host: str, port: int) -> asyncio.Server:
        """Listen.

        Raises:
            OSError: The port is taken.
        """
        return await asyncio.start_server(self._converse, host, port, limit=HEAD_BYTES_MAX)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_request(reader)) is not None:
                await self._serve(request, writer)
                if request.headers.get("connection", "").lower() == "close":
                    break
        except BadRequestError as error:
            writer.write(Answer(status=HTTPStatus.BAD_REQUEST, body=str(error).encode()).encode())
        except (ConnectionEnds, ConnectionError, asyncio.IncompleteReadError):
            pass  # the behaviour that was asked for, or a client that has gone
        except asyncio.CancelledError:
            # The server ends. Not raised again: Python 3.11 reports a conversation that ends so
            # as an error of ours.
            pass
        finally:
            writer.close()

    async def _serve(self, request: Request, writer: asyncio.StreamWriter) -> None:
        if request.host in PLATFORM_OF_HOST and request.method != "CONNECT":
            self._counts.begin(request.host + request.path)
            try:
                await self._behaviour.answer(request, writer)
            finally:
                self._counts.busy -= 1
            return
        if request.host == HOOKS_HOST and request.method == "POST":
            try:
                answer = await self._receivers.answer(request)
            except ResetWishedError:
                reset(writer)
                raise ConnectionEnds from None
        elif request.host == CARDS_HOST and request.method == "POST":
            answer = await self._cards.answer(request)
        elif request.is_proxied:
            self._counts.strangers[request.host] += 1
            answer = Answer(status=HTTPStatus.BAD_GATEWAY, body=b"there is no such host\n")
        else:
            answer = await self._own(request)
        writer.write(answer.encode())
        await writer.drain()

    async def _own(self, request: Request) -> Answer:
        match request.method, request.path.split("/")[1:]:
            case "GET", ["health"]:
                return Answer(body=b"ok\n")
            case "GET", ["counts"]:
                return self._show_counts()
            case "POST", ["release", name]:
                self._behaviour.release(name)
                self._receivers.release(name)
                return Answer(status=HTTPStatus.NO_CONTENT)
            case "POST", ["settle", key]:
                status = await self._cards.settle(key)
                return _json({"status": status})
            case "GET", ["deliveries"]:
                return self._show_deliveries()
            case "PUT", ["secrets", *where] if where:
                self._receivers.secrets["/".join(where)] = request.body
                return Answer(status=HTTPStatus.NO_CONTENT)
            case "PUT", ["feeds", *where] if where:
                self._behaviour.pinned["/".join(where)] = request.body
                return Answer(status=HTTPStatus.NO_CONTENT)
            case "DELETE", ["feeds", *where] if where:
                self._behaviour.pinned.pop("/".join(where), None)
                return Answer(status=HTTPStatus.NO_CONTENT)
            case _:
                return Answer(status=HTTPStatus.NOT_FOUND)

    def _show_counts(self) -> Answer:
        counts = self._counts
        holding = Counter(self._behaviour.holding) + self._receivers.holding
        return _json(
            {
                "requests": counts.requests,
                "by_path": counts.by_path,
                "strangers": counts.strangers,
                "busy_max": counts.busy_max,
                "holding": {name: n for name, n in holding.items() if n},
                "cards": self._cards.summary(),
                "hooks": self._receivers.deliveries.summary(),
            }
        )

    def _show_deliveries(self) -> Answer:
        deliveries = self._receivers.deliveries
        return _json(
            {
                name: {"requests": n, "taken": deliveries.taken[name]}
                for name, n in deliveries.requests.items()
            }
        )


def _json(value: object) -> Answer:
    body = json.dumps(value).encode()
    return Answer(headers={"Content-Type": "application/json"}, body=body)
