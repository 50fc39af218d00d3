"""Which calendars may be asked, and through what.

A feed's address is whatever an owner types, so it is checked before each request, redirects
included (B-144): only named hosts, only HTTP on its usual ports, no credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from reference_app.reservations.values import Platform
from reference_app.sync.errors import AddressRefusedError

ADDRESS_MAX = 2_000
"""Characters; the longest address a gîte can have."""

HOSTS_VARIABLE = "APP_CALENDAR_HOSTS"
PROXY_VARIABLE = "APP_OUTBOUND_PROXY"

_PLATFORM_WORDS: tuple[tuple[str, Platform], ...] = (
    ("airbnb", "airbnb"),
    ("booking", "booking"),
    ("abritel", "abritel"),
)


@dataclass(frozen=True, slots=True)
class Calendars:
    """What may be asked.

    Attributes:
        hosts: Allowed host names, lower case; nothing may be asked when it is empty.
        proxy: ``http://host:port`` that every request goes through; None asks directly, and then
            only public addresses of the Internet.
    """

    hosts: frozenset[str] = frozenset()
    proxy: str | None = field(default=None, repr=False)


def read_calendars(environment: Mapping[str, str], problems: list[str]) -> Calendars:
    """Read ``APP_CALENDAR_HOSTS`` (comma separated) and ``APP_OUTBOUND_PROXY``.

    Args:
        environment: Variables of the process.
        problems: Gets a line for each variable that is wrong.
    """
    names = environment.get(HOSTS_VARIABLE, "").split(",")
    hosts = frozenset(name.strip().lower() for name in names if name.strip())
    for host in sorted(hosts):
        if not _is_host(host):
            problems.append(f"{HOSTS_VARIABLE}: {host!r} is not a host name")
    proxy = environment.get(PROXY_VARIABLE) or None
    if proxy is not None and not _is_proxy(proxy):
        problems.append(f"{PROXY_VARIABLE} must be like http://127.0.0.1:3128")
    return Calendars(hosts, proxy)


def checked_address(address: str, calendars: Calendars) -> httpx.URL:
    """The address, if it may be asked.

    The value that was checked is the value that is used: no second parser, no second opinion.

    Raises:
        AddressRefusedError: It may not; the message says why, without repeating secrets.
    """
    if len(address) > ADDRESS_MAX:
        raise AddressRefusedError(f"the address is longer than {ADDRESS_MAX} characters")
    try:
        url = httpx.URL(address)
        host = url.raw_host.decode("ascii").lower()
    except (httpx.InvalidURL, UnicodeError, TypeError) as error:
        raise AddressRefusedError("not an address") from error
    if url.scheme not in ("http", "https"):
        raise AddressRefusedError("the address must begin with http:// or https://")
    if url.userinfo:
        raise AddressRefusedError("the address must not contain a user or a password")
    if host not in calendars.hosts:
        raise AddressRefusedError(f"{host or 'an address without a host'} is no calendar host")
    if url.port is not None:
        raise AddressRefusedError(f"port {url.port} is not the usual one of {url.scheme}")
    return url.copy_with(fragment=None)


def platform_of(url: httpx.URL) -> Platform:
    """Whose calendar it is; ``direct`` when the host does not tell."""
    return next((name for word, name in _PLATFORM_WORDS if word in url.host), "direct")


def _is_host(name: str) -> bool:
    try:
        return httpx.URL(f"http://{name}/").raw_host == name.encode("ascii")
    except (httpx.InvalidURL, UnicodeError):
        return False


def _is_proxy(address: str) -> bool:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host)
