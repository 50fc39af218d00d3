"""Tell somebody of an alert: a signed POST, as webhooks are (B-46, B-61)."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import httpx
import msgspec

from reference_app.monitoring.alert import Alert, Turn, message
from reference_app.monitoring.rules import Rule
from reference_app.signature import endpoint_secret, sign

TIMEOUT_S = 10.0

OPERATOR = UUID(int=0)
"""Stands for the endpoint in the secret: no group has it, and nothing has this id."""

logger = logging.getLogger("reference_app.monitoring")

Wait = Callable[[float], Awaitable[bool]]
"""Wait so many seconds; True when the end is wished meanwhile."""


class NotToldError(Exception):
    """The receiver did not accept it.

    Attributes:
        tries: How often it was asked to.
    """

    def __init__(self, tries: int, reason: str) -> None:
        super().__init__(reason)
        self.tries = tries


class Teller:
    """Tells one receiver.

    Args:
        url: Its address; the operator's own, so it may be anywhere.
        secret: Root key of all webhooks; the receiver's own is derived from it.
        pauses_s: Before each further attempt.
        wait: Waits for the next.
    """

    def __init__(self, url: str, secret: str, pauses_s: Sequence[float], wait: Wait) -> None:
        self._url = url
        self._secret = endpoint_secret(secret, OPERATOR, 1)
        self._pauses_s = pauses_s
        self._wait = wait
        self._client = httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S)

    async def close(self) -> None:
        await self._client.aclose()

    async def tell(self, alert: Alert, rule: Rule | None, turn: Turn) -> int:
        """Tell one turn of an alert; how many attempts it took.

        Raises:
            NotToldError: No attempt was accepted; what the last one came to.
        """
        trouble = ""
        body = msgspec.json.encode(message(alert, rule, turn))
        for number, pause_s in enumerate((0.0, *self._pauses_s), start=1):
            if pause_s and await self._wait(pause_s):
                raise NotToldError(number - 1, trouble)
            timestamp = int(time.time())
            headers = {
                "Content-Type": "application/json",
                "Palier-Event": turn,
                "Palier-Delivery": f"{alert.id}.{turn}",
                "Palier-Timestamp": str(timestamp),
                "Palier-Signature": sign(self._secret, timestamp, body),
            }
            try:
                answer = await self._client.post(self._url, content=body, headers=headers)
            except httpx.HTTPError as error:
                trouble = type(error).__name__
            else:
                if answer.is_success:
                    return number
                trouble = f"status {answer.status_code}"
            logger.warning("%s of %s was not accepted: %s", turn, alert.rule, trouble)
        raise NotToldError(1 + len(self._pauses_s), trouble)
