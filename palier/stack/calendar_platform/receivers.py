"""Receivers of webhooks, behind one host; the path decides how they behave.

| Path | What it does |
|---|---|
| ``/ok/NAME`` | takes the message: 204 |
| ``/flaky/N/NAME`` | 500 for the first N requests of each delivery, then takes it |
| ``/status/CODE/NAME`` | that status |
| ``/hang/MS/NAME`` | takes the message after so many milliseconds |
| ``/hold/GATE/NAME`` | takes it once ``POST /release/GATE`` was called |
| ``/reset/NAME`` | the connection is reset |
| ``/redirect/NAME`` | 307 to ``/ok/NAME`` |

A receiver whose secret is known (``PUT /secrets/HOST/PATH``, or a path that ends in the id of an
endpoint when the root of all secrets is known) refuses what is not signed with it, and what is too
old, with 401. It is written from the documentation alone and shares no code with the sender.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from palier.stack.calendar_platform.request import Answer, Request

HOOKS_HOST = "hooks.example"

TOLERANCE_S = 300

_STATUSES = frozenset(int(status) for status in HTTPStatus if status >= HTTPStatus.OK)


class ResetWishedError(Exception):
    """The connection is to be reset."""


@dataclass(slots=True)
class Deliveries:
    """What came in.

    Attributes:
        requests: Of each delivery, by its id.
        taken: How often each was answered with success; more than once after a lost worker only.
        types: Deliveries that were taken, by the type of their event.
        refused: Requests whose signature or timestamp was wrong, by reason.
        unsigned: Requests to receivers that know no secret.
    """

    requests: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    unsigned: int = 0

    def summary(self) -> dict[str, object]:
        """As ``GET /counts`` tells it."""
        return {
            "requests": self.requests.total(),
            "deliveries": len(self.requests),
            "requests_max": max(self.requests.values(), default=0),
            "taken": len(self.taken),
            "taken_again": self.taken.total() - len(self.taken),
            "by_type": self.types,
            "refused": self.refused,
            "unsigned": self.unsigned,
        }


class Receivers:
    """All receivers, and what they remember.

    Args:
        root: Root of the endpoints' secrets, for receivers whose path ends in an endpoint's id.
        clock: Unix seconds.

    Attributes:
        secrets: What receivers were told, by host and path.
        holding: How many requests wait at each ``/hold/GATE``.
        deliveries: What came in.
    """

    def __init__(self, root: str | None = None, clock: Callable[[], float] = time.time) -> None:
        self._root = root
        self._clock = clock
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.secrets: dict[str, bytes] = {}
        self.holding: Counter[str] = Counter()
        self.deliveries = Deliveries()

    def release(self, gate: str) -> None:
        """Let every request that waits at ``/hold/GATE`` go on, and those that come later."""
        self._gates[gate].set()

    async def answer(self, request: Request) -> Answer:
        """What a receiver answers.

        Raises:
            ResetWishedError: It answers with a reset.
        """
        delivery = request.headers.get("palier-delivery", "")
        self.deliveries.requests[delivery] += 1
        wrong = self._what_is_wrong(request)
        if wrong is not None:
            self.deliveries.refused[wrong] += 1
            return Answer(status=HTTPStatus.UNAUTHORIZED, body=wrong.encode())
        kind, _, rest = request.path.removeprefix("/").partition("/")
        argument = rest.partition("/")[0]
        number = int(argument) if argument.isdecimal() else 0
        match kind:
            case "ok":
                pass
            case "flaky":
                if self.deliveries.requests[delivery] <= number:
                    return Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR)
            case "status" if number in _STATUSES:
                return Answer(status=number)
            case "hang":
                await asyncio.sleep(number / 1000)
            case "hold":
                self.holding[argument] += 1
                try:
                    await self._gates[argument].wait()
                finally:
                    self.holding[argument] -= 1
            case "reset":
                raise ResetWishedError
            case "redirect":
                return Answer(
                    status=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": f"/ok/{rest}"}
                )
            case _:
                return Answer(status=HTTPStatus.NOT_FOUND)
        if not self.deliveries.taken[delivery]:
            self.deliveries.types[request.headers.get("palier-event", "")] += 1
        self.deliveries.taken[delivery] += 1
        return Answer(status=HTTPStatus.NO_CONTENT)

    def _what_is_wrong(self, request: Request) -> str | None:
        secret = self._secret(request)
        if secret is None:
            self.deliveries.unsigned += 1
            return None
        timestamp = request.headers.get("palier-timestamp", "")
        signed = timestamp.encode() + b"." + request.body
        expected = "v1=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
        found = request.headers.get("palier-signature", "")
        if not hmac.compare_digest(expected.encode(), found.encode()):
            return "signature"
        if abs(self._clock() - int(timestamp)) > TOLERANCE_S:
            return "timestamp"
        return None

    def _secret(self, request: Request) -> bytes | None:
        known = self.secrets.get(request.host + request.path)
        if known is not None or self._root is None:
            return known
        try:
            endpoint = uuid.UUID(request.path.rpartition("/")[2])
        except ValueError:
            return None
        made = hmac.new(self._root.encode(), f"{endpoint}:1".encode(), hashlib.sha256)
        return b"whsec_" + made.hexdigest().encode()
