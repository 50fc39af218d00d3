"""A card processor, behind one host: ``POST http://cards.example/charges``.

The token decides what becomes of a charge:

| Token | Answer |
|---|---|
| ``tok_ok...`` | succeeded |
| ``tok_slow...`` | pending; succeeded after a while, and then it calls back |
| ``tok_slow_declined...`` | pending; declined after a while, and then it calls back |
| ``tok_lost...`` | succeeded, but the first answer of each key is lost: 500 |
| ``tok_down...`` | 503, and nothing is charged |
| anything else | declined |

With the same ``Idempotency-Key`` it gives the charge it made, and charges nothing; with another
amount for that key it answers 422. Both directions are signed; no code is shared with its customer.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from palier.stack.calendar_platform.request import Answer, Request

CARDS_HOST = "cards.example"

TOLERANCE_S = 300

CALLBACK_AFTER_S = 1.0

CALLBACK_TRIES = 3
CALLBACK_PAUSE_S = 1.0
CALLBACK_TIMEOUT_S = 10.0

logger = logging.getLogger("palier.calendar_platform")


@dataclass(slots=True)
class Charge:
    """A charge.

    Attributes:
        ends: What it comes to.
    """

    id: str
    key: str
    token: str
    cents: int
    currency: str
    callback_url: str | None
    status: str
    ends: str
    asked: int = 0

    @property
    def told(self) -> dict[str, str | None]:
        """As the customer is told of it."""
        reason = "insufficient funds" if self.status == "declined" else None
        return {"id": self.id, "status": self.status, "reason": reason}


@dataclass(slots=True)
class CardProcessor:
    """All charges, and what was asked for.

    Attributes:
        secret: What both sides sign with; None checks nothing.
        clock: Unix seconds.
        charges: By idempotency key.
        refused: Requests that were no charge, by reason.
        callbacks: Answers to what it told by itself, by status; 0 for none.
    """

    secret: str | None = None
    clock: Callable[[], float] = time.time
    charges: dict[str, Charge] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    callbacks: Counter[int] = field(default_factory=Counter)
    _later: set[asyncio.Task[None]] = field(default_factory=set)

    def summary(self) -> dict[str, object]:
        """As ``GET /counts`` tells it."""
        taken = [charge for charge in self.charges.values() if charge.status == "succeeded"]
        return {
            "asked": sum(charge.asked for charge in self.charges.values()),
            "charges": len(self.charges),
            "succeeded": len(taken),
            "cents": sum(charge.cents for charge in taken),
            "refused": self.refused,
            "callbacks": {str(status): n for status, n in self.callbacks.items()},
        }

    async def answer(self, request: Request) -> Answer:
        """What the processor answers."""
        key = request.headers.get("idempotency-key", "")
        wrong = self._what_is_wrong(request)
        if wrong is not None:
            self.refused[wrong] += 1
            return Answer(status=HTTPStatus.UNAUTHORIZED, body=wrong.encode())
        if request.path != "/charges" or not key:
            return Answer(status=HTTPStatus.NOT_FOUND)
        wanted: dict[str, Any] = json.loads(request.body)
        if key not in self.charges:
            if wanted["token"].startswith("tok_down"):
                self.refused["down"] += 1
                return Answer(status=HTTPStatus.SERVICE_UNAVAILABLE)
            self._begin(key, wanted)
        charge = self.charges[key]
        if (charge.cents, charge.currency) != (wanted["cents"], wanted["currency"]):
            self.refused["same key, another amount"] += 1
            return Answer(status=HTTPStatus.UNPROCESSABLE_ENTITY)
        charge.asked += 1
        if charge.token.startswith("tok_lost") and charge.asked == 1:
            return Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        return Answer(
            headers={"Content-Type": "application/json"}, body=json.dumps(charge.told).encode()
        )

    async def settle(self, key: str) -> int | None:
        """End a charge that is pending, and tell the customer, once more if it was told already.

        Returns:
            The status of the customer's answer, 0 without one; None when there is no such charge,
            or nobody to tell.
        """
        charge = self.charges.get(key)
        if charge is None:
            return None
        charge.status = charge.ends
        if charge.callback_url is None:
            return None
        message = {"id": f"evt_{charge.id}", "idempotency_key": key, "charge": charge.told}
        try:
            async with asyncio.timeout(CALLBACK_TIMEOUT_S):
                status = await self._post(charge.callback_url, json.dumps(message).encode())
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            logger.warning("a callback had no answer: %s", error)
            status = 0
        self.callbacks[status] += 1
        return status

    def _begin(self, key: str, wanted: dict[str, Any]) -> None:
        token = wanted["token"]
        is_good = token.startswith(("tok_ok", "tok_slow", "tok_lost"))
        ends = "succeeded" if is_good and "declined" not in token else "declined"
        is_slow = token.startswith("tok_slow")
        self.charges[key] = Charge(
            id=f"ch_{uuid.uuid4().hex}",
            key=key,
            token=token,
            cents=wanted["cents"],
            currency=wanted["currency"],
            callback_url=wanted.get("callback_url"),
            status="pending" if is_slow else ends,
            ends=ends,
        )
        if is_slow:
            task = asyncio.create_task(self._settle_later(key))
            self._later.add(task)
            task.add_done_callback(self._later.discard)

    async def _settle_later(self, key: str) -> None:
        await asyncio.sleep(CALLBACK_AFTER_S)
        for _ in range(CALLBACK_TRIES):
            status = await self.settle(key)
            if status is None or HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
                return
            await asyncio.sleep(CALLBACK_PAUSE_S)

    def _what_is_wrong(self, request: Request) -> str | None:
        if self.secret is None:
            return None
        timestamp = request.headers.get("cards-timestamp", "")
        expected = self._signature(timestamp, request.body)
        found = request.headers.get("cards-signature", "")
        if not hmac.compare_digest(expected.encode(), found.encode()):
            return "signature"
        return "timestamp" if abs(self.clock() - int(timestamp)) > TOLERANCE_S else None

    def _signature(self, timestamp: str, body: bytes) -> str:
        signed = timestamp.encode() + b"." + body
        return "v1=" + hmac.new((self.secret or "").encode(), signed, hashlib.sha256).hexdigest()

    async def _post(self, address: str, body: bytes) -> int:
        """One signed request of our own; the status of its answer."""
        url = urlsplit(address)
        timestamp = str(int(self.clock()))
        head = [
            f"POST {url.path} HTTP/1.1",
            f"Host: {url.netloc}",
            "Connection: close",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"Cards-Timestamp: {timestamp}",
            f"Cards-Signature: {self._signature(timestamp, body)}",
        ]
        reader, writer = await asyncio.open_connection(url.hostname, url.port or 80)
        try:
            writer.write("\r\n".join([*head, "", ""]).encode() + body)
            await writer.drain()
            line = await reader.readuntil(b"\r\n")
            return int(line.split()[1])
        finally:
            writer.close()
