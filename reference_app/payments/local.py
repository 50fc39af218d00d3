"""The local provider: a card processor over HTTP, played in runs by the outside world.

It is asked ``POST /charges`` with an ``Idempotency-Key``, and calls back to
``/api/payments/callbacks/local`` when a charge that took a while is through. Both directions are
signed as webhooks are, with the account's secret.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Literal

import httpx
import msgspec

from reference_app.outbound.client import open_client
from reference_app.payments.account import Account
from reference_app.payments.provider import (
    Answer,
    Callback,
    CallbackRefusedError,
    Order,
    ProviderError,
    Status,
)
from reference_app.signature import sign, why_refused

NAME: Literal["local"] = "local"

TIMEOUT_S = 10.0

TIMESTAMP_HEADER = "cards-timestamp"
SIGNATURE_HEADER = "cards-signature"

_TEXT_MAX = 200


class _Charge(msgspec.Struct, frozen=True):
    """A charge as the processor answers it."""

    id: str
    status: Status
    reason: str | None = None


class _Message(msgspec.Struct, frozen=True):
    """What the processor sends by itself."""

    id: str
    idempotency_key: str
    charge: _Charge


class LocalProvider:
    """A card processor.

    Args:
        account: Where it is, and what is signed with.
        clock: Unix seconds.
    """

    name = NAME

    def __init__(self, account: Account, clock: Callable[[], float] = time.time) -> None:
        self._account = account
        self._clock = clock
        # The operator named the address, so it may be one of our own network.
        self._client = open_client(account.proxy, {"Content-Type": "application/json"})

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self._client.aclose()

    async def charge(self, order: Order) -> Answer:
        """See :class:`reference_app.payments.provider.Provider`."""
        body = msgspec.json.encode(
            {
                "token": order.token,
                "cents": order.cents,
                "currency": order.currency,
                "callback_url": self._callback_url(),
            }
        )
        timestamp = int(self._clock())
        headers = {
            "Idempotency-Key": order.key,
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: sign(self._account.secret, timestamp, body),
        }
        try:
            async with asyncio.timeout(TIMEOUT_S):
                response = await self._client.post(
                    f"{self._account.url}/charges", headers=headers, content=body
                )
        except (TimeoutError, httpx.HTTPError, OSError) as error:
            raise ProviderError(f"no answer: {type(error).__name__}: {error}") from error
        if response.status_code != HTTPStatus.OK:
            raise ProviderError(f"the processor answered {response.status_code}")
        try:
            return _answer(msgspec.json.decode(response.content, type=_Charge))
        except msgspec.DecodeError as error:
            raise ProviderError(f"the processor's answer cannot be read: {error}") from error

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> Callback:
        """See :class:`reference_app.payments.provider.Provider`."""
        wrong = why_refused(
            self._account.secret,
            timestamp=headers.get(TIMESTAMP_HEADER, ""),
            signature=headers.get(SIGNATURE_HEADER, ""),
            body=body,
            now=self._clock(),
        )
        if wrong is not None:
            raise CallbackRefusedError(wrong)
        try:
            message = msgspec.json.decode(body, type=_Message)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CallbackRefusedError(f"not a message: {error}") from error
        return Callback(id=message.id, key=message.idempotency_key, answer=_answer(message.charge))

    def _callback_url(self) -> str | None:
        if self._account.public_url is None:
            return None
        return f"{self._account.public_url}/api/payments/callbacks/{NAME}"


def _answer(charge: _Charge) -> Answer:
    reason = None if charge.reason is None else charge.reason[:_TEXT_MAX]
    return Answer(status=charge.status, reference=charge.id[:_TEXT_MAX], reason=reason)
