"""The HTTP client for addresses that somebody else typed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from reference_app.outbound.address import AddressRefusedError, public_place

USER_AGENT = "palier-reference-app"


def open_client(proxy: str | None, headers: Mapping[str, str]) -> httpx.AsyncClient:
    """A client that follows nothing, keeps no cookie, and trusts no environment.

    It has no time limit of its own: bound a whole exchange with ``asyncio.timeout``.

    Args:
        proxy: What every request goes through; None asks directly: then pin every request.
        headers: Of every request.
    """
    return httpx.AsyncClient(
        proxy=proxy,
        trust_env=False,  # no proxy, no password that the environment happens to name
        follow_redirects=False,
        timeout=None,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers={"Accept-Encoding": "identity", "User-Agent": USER_AGENT, **headers},
    )


async def pin(request: httpx.Request) -> None:
    """Look the host up once, and ask the very address that was judged.

    A name that leads into our own network, or that changes between the look and the connection,
    gets nowhere. TLS still checks the certificate of the name.

    Raises:
        AddressRefusedError: The name leads to an address that is not public.
        OSError: There is no such name.
    """
    host = request.url.host
    place = await look_up(request.url)
    # the Host header was made from the name already, and stays
    request.url = request.url.copy_with(host=place)
    request.extensions = {**request.extensions, "sni_hostname": host}


async def look_up(url: httpx.URL) -> str:
    """The public address that a name leads to.

    Raises:
        AddressRefusedError: It leads to one that is not public.
        OSError: There is no such name.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            url.host, url.port or url.scheme, type=socket.SOCK_STREAM
        )
    except UnicodeError as error:
        raise AddressRefusedError(f"{url.host} is not a host name") from error
    return public_place(url.host, [str(place[0]) for *_, place in found])
