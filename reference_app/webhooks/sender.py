"""One request to an endpoint: signed, bounded, and to public addresses only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

import httpx
import msgspec

from reference_app.outbound.address import AddressRefusedError, checked_public
from reference_app.outbound.client import open_client, pin
from reference_app.signature import sign
from reference_app.webhooks.values import Message

TIMEOUT_S = 10.0
"""From looking up the host to the head of the answer."""

_ERROR_MAX = 500

_BODY_READ_MAX = 64 * 1024
"""Of an answer, so that its connection may serve the next delivery. Nothing of it is looked at."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request.

    Attributes:
        status: Of the answer; None without one.
        error: Why the endpoint has not taken it; None when it has.
    """

    status: int | None
    duration_ms: int
    error: str | None

    @property
    def is_taken(self) -> bool:
        return self.error is None


class Sender:
    """Sends messages; one for each process.

    Args:
        proxy: What every request goes through; None asks directly, and then only public addresses.
        timeout_s: See ``TIMEOUT_S``.
        clock: Unix seconds.
    """

    def __init__(
        self,
        proxy: str | None,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._is_direct = proxy is None
        self._timeout_s = timeout_s
        self._clock = clock
        self._client = open_client(proxy, {"Content-Type": "application/json"})

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self._client.aclose()

    async def send(self, message: Message, *, url: str, secret: str, delivery_id: UUID) -> Outcome:
        """One attempt; whatever goes wrong is an outcome.

        Args:
            url: Checked here again, whoever checked it before.
            delivery_id: The same in each attempt: who has seen it has seen the message.
        """
        body = msgspec.json.encode(message)
        timestamp = int(self._clock())
        headers = {
            "Palier-Event": message.type,
            "Palier-Delivery": str(delivery_id),
            "Palier-Timestamp": str(timestamp),
            "Palier-Signature": sign(secret, timestamp, body),
        }
        began = time.monotonic()
        status: int | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                status = await self._post(url, headers, body)
            error = None if _is_success(status) else f"the endpoint answered {status}"
        except TimeoutError:
            error = f"no answer within {self._timeout_s:g} s"
        except AddressRefusedError as refused:
            error = f"not asked: {refused}"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as trouble:
            # ValueError: what TLS and name resolution say of a name that is none
            error = f"no answer: {type(trouble).__name__}: {trouble}"[:_ERROR_MAX]
        return Outcome(status, round(1000 * (time.monotonic() - began)), error)

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        request = self._client.build_request(
            "POST", checked_public(url), headers=headers, content=body
        )
        if self._is_direct:
            await pin(request)
        response = await self._client.send(request, stream=True)
        try:
            await _read_some(response)
            return response.status_code
        finally:
            await response.aclose()


async def _read_some(response: httpx.Response) -> None:
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > _BODY_READ_MAX:
            return


def _is_success(status: int) -> bool:
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
