"""One answer of a calendar platform, within bounds: time, size, redirects, places.

The time is for the whole transfer: a server that sends a byte now and then keeps no worker busy
(B-127, F-24). Compressed answers are not asked for and not taken, so a small answer cannot unfold
into a large one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from reference_app.outbound import address as outbound
from reference_app.outbound.client import open_client, pin
from reference_app.sync.calendars import Calendars, checked_address
from reference_app.sync.errors import AddressRefusedError, FetchError

TIMEOUT_S = 10.0
"""B-127: from looking up the host to the last byte, redirects included."""

BYTES_MAX = 1024 * 1024
"""A calendar of a house with a booking every second day for ten years has 400 kB."""

REDIRECTS_MAX = 3

_VALIDATOR_MAX = 256

_REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


@dataclass(frozen=True, slots=True)
class Validators:
    """What lets a platform answer "as before" (RFC 9110, section 13)."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """As a conditional request says them."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer.

    Attributes:
        body: The feed; None when it is as before.
        validators: To ask with the next time.
    """

    body: bytes | None
    validators: Validators


class Fetcher:
    """Asks calendar platforms; one for each process.

    Args:
        calendars: What may be asked.
        timeout_s: See ``TIMEOUT_S``.
    """

    def __init__(self, calendars: Calendars, timeout_s: float = TIMEOUT_S) -> None:
        self._calendars = calendars
        self._timeout_s = timeout_s
        self._client = open_client(calendars.proxy, {"Accept": "text/calendar, */*;q=0.1"})

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self._client.aclose()

    async def fetch(self, address: str, validators: Validators | None = None) -> Fetched:
        """Get a feed.

        Args:
            address: Checked here, and after every redirect again.
            validators: Of the answer that is known already.

        Raises:
            AddressRefusedError: It may not be asked, or leads where nothing may be asked.
            FetchError: No whole answer of 200 within the bounds.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(address, validators or Validators())
        except TimeoutError as error:
            raise FetchError(f"no whole answer within {self._timeout_s:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise FetchError(f"no answer: {type(error).__name__}: {error}"[:500]) from error

    async def _follow(self, address: str, validators: Validators) -> Fetched:
        url = checked_address(address, self._calendars)
        for _ in range(REDIRECTS_MAX + 1):
            answer = await self._ask(url, validators)
            if isinstance(answer, Fetched):
                return answer
            try:
                url = checked_address(str(url.join(answer)), self._calendars)
            except AddressRefusedError as error:
                raise AddressRefusedError(f"a redirect was not followed: {error}") from error
        raise FetchError(f"more than {REDIRECTS_MAX} redirects")

    async def _ask(self, url: httpx.URL, validators: Validators) -> Fetched | str:
        """The answer, or where it redirects to."""
        request = self._client.build_request("GET", url, headers=validators.headers())
        if self._calendars.proxy is None:
            await _pin(request)
        response = await self._client.send(request, stream=True)
        try:
            location: str | None = response.headers.get("location")
            if response.status_code in _REDIRECTS and location is not None:
                return location
            if response.status_code == HTTPStatus.NOT_MODIFIED and validators.headers():
                return Fetched(None, validators)
            if response.status_code != HTTPStatus.OK:
                raise FetchError(f"the platform answered {response.status_code}")
            return Fetched(
                await _body(response),
                Validators(
                    _validator(response.headers.get("etag")),
                    _validator(response.headers.get("last-modified")),
                ),
            )
        finally:
            await response.aclose()


async def _pin(request: httpx.Request) -> None:
    try:
        await pin(request)
    except outbound.AddressRefusedError as error:
        raise AddressRefusedError(str(error)) from error


async def _body(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise FetchError("the platform answered compressed, which was not asked for")
    received = bytearray()
    async for chunk in response.aiter_raw():
        received += chunk
        if len(received) > BYTES_MAX:
            raise FetchError(f"the calendar is larger than {BYTES_MAX // 1024} KiB")
    return bytes(received)


def _validator(text: str | None) -> str | None:
    """A header worth keeping; None for what no server should send."""
    if text is None or len(text) > _VALIDATOR_MAX or not (text.isascii() and text.isprintable()):
        return None
    return text
