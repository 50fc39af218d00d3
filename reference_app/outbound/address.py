"""Which addresses may be asked at all. Pure: nothing is looked up here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

import httpx

ADDRESS_MAX = 2_000
"""Characters of an address."""

_LABEL_MAX = 63
"""RFC 1035, section 2.3.4."""

_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
"""A last label like this makes a host an IPv4 address in some reader's eyes: 127.1, 0x7f000001."""

_LOCAL = ("localhost", "local", "internal", "intranet", "home", "lan", "arpa")
"""Last labels of names that lead into somebody's own network."""


class AddressRefusedError(Exception):
    """The address may not be asked; the message says why, without repeating secrets."""


def checked_form(address: str) -> httpx.URL:
    """The address, if its form is one that may be asked.

    The value that was checked is the value that is used: no second parser, no second opinion.

    Raises:
        AddressRefusedError: It may not.
    """
    if len(address) > ADDRESS_MAX:
        raise AddressRefusedError(f"the address is longer than {ADDRESS_MAX} characters")
    try:
        url = httpx.URL(address)
        host = url.host  # read here: it is decoded when it is read
    except (httpx.InvalidURL, UnicodeError, TypeError) as error:
        raise AddressRefusedError("not an address") from error
    if url.scheme not in ("http", "https"):
        raise AddressRefusedError("the address must begin with http:// or https://")
    if url.userinfo:
        raise AddressRefusedError("the address must not contain a user or a password")
    if not host:
        raise AddressRefusedError("an address without a host")
    if url.port is not None:
        raise AddressRefusedError(f"port {url.port} is not the usual one of {url.scheme}")
    return url.copy_with(fragment=None)


def checked_public(address: str) -> httpx.URL:
    """The address, if its form is right and its host could be one of the public Internet.

    Where a name leads to is seen when it is asked (``client.py``); this is what can be told from
    the name alone, and all that there is to tell when a proxy looks it up.

    Raises:
        AddressRefusedError: It may not be asked.
    """
    url = checked_form(address)
    host = url.host.rstrip(".")
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        labels = host.lower().split(".")
        if not all(0 < len(label.encode()) <= _LABEL_MAX for label in labels):
            raise AddressRefusedError(f"{host} is not a host name") from None
        if len(labels) < 2 or labels[-1] in _LOCAL or _NUMBER.fullmatch(labels[-1]):
            raise AddressRefusedError(f"{host} is not on the public Internet") from None
    else:
        public_place(host, [str(literal)])
    return url


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
