"""Which calendars may be asked, and through what.

A feed's address is whatever an owner types, so it is checked before each request, redirects
included (B-144): only named hosts, only HTTP on its usual ports, no credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from reference_app.outbound import address as outbound
from reference_app.outbound.proxy import read_proxy
from reference_app.reservations.values import Platform
from reference_app.sync.errors import AddressRefusedError

HOSTS_VARIABLE = "APP_CALENDAR_HOSTS"

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
    return Calendars(hosts, read_proxy(environment, problems))


def checked_address(address: str, calendars: Calendars) -> httpx.URL:
    """The address, if it may be asked.

    Raises:
        AddressRefusedError: It may not; the message says why, without repeating secrets.
    """
    try:
        url = outbound.checked_form(address)
    except outbound.AddressRefusedError as error:
        raise AddressRefusedError(str(error)) from error
    host = url.raw_host.decode("ascii").lower()
    if host not in calendars.hosts:
        raise AddressRefusedError(f"{host} is no calendar host")
    return url


def platform_of(url: httpx.URL) -> Platform:
    """Whose calendar it is; ``direct`` when the host does not tell."""
    return next((name for word, name in _PLATFORM_WORDS if word in url.host), "direct")


def _is_host(name: str) -> bool:
    try:
        return httpx.URL(f"http://{name}/").raw_host == name.encode("ascii")
    except (httpx.InvalidURL, UnicodeError):
        return False
