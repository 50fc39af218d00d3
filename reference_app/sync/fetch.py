"""One answer of a calendar platform, within bounds: time, size, redirects, places.

The time is for the whole transfer: a server that sends a byte now and then keeps no worker busy
(B-127, F-24). Compressed answers are not asked for and not taken, so a small answer cannot unfold
into a large one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

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
        self._client = httpx.AsyncClient(
            proxy=calendars.proxy,
            trust_env=False,  # no proxy, no password that the environment happens to name
            follow_redirects=False,
            timeout=None,  # bounded as a whole, by asyncio.timeout
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            headers={
                "Accept": "text/calendar, */*;q=0.1",
                "Accept-Encoding": "identity",
                "User-Agent": "palier-reference-app",
            },
        )

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
    """Look the host up once, and ask the very address that was judged.

    A name of an allowed host that leads into our own network, or that changes between the look and
    the connection, gets nowhere. TLS still checks the certificate of the name.

    Raises:
        AddressRefusedError: The name leads to an address that is not public.
        OSError: There is no such name.
    """
    host = request.url.host
    found = await asyncio.get_running_loop().getaddrinfo(
        host, request.url.port or request.url.scheme, type=socket.SOCK_STREAM
    )
    place = public_place(host, [str(place[0]) for *_, place in found])
    # the Host header was made from the name already, and stays
    request.url = request.url.copy_with(host=place)
    request.extensions = {**request.extensions, "sni_hostname": host}


def public_place(host: str, places: Sequence[str]) -> str:
    """The first of the addresses a name leads to.

    Raises:
        AddressRefusedError: One of them is not public, so the name is not to be trusted.
    """
    for place in places:
        address = ipaddress.ip_address(place)
        if not address.is_global or address.is_multicast:
            raise AddressRefusedError(f"{host} is not on the public Internet")
    return places[0]


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
