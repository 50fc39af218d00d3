"""Does the name of a service resolve, and how fast?"""

from __future__ import annotations

import ipaddress
import os
import socket
import time
from typing import Final
from urllib.parse import urlsplit

from palier.machine.check import Check

SLOW_LOOKUP_S: Final = 0.1
"""A name server in the same network answers in a few milliseconds, one of a provider in tens."""


def look_at_name(url: str) -> Check:
    """Resolve the host of a service once, and time it."""
    host = urlsplit(url).hostname or ""
    if _is_address(host):
        return Check(name="name", status="ok", found=f"{host} is an address")
    before = time.monotonic()
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return Check(
            name="name",
            status="missing",
            found=f"{host} does not resolve: {error.strerror or os.strerror(error.errno or 0)}",
            fix="correct the URL, or write the name into /etc/hosts",
        )
    took_s = time.monotonic() - before
    addresses = len({address[0] for *_, address in found})
    word = "address" if addresses == 1 else "addresses"
    told = f"{host} resolves to {addresses} {word} in {took_s * 1000:.0f} ms"
    if took_s <= SLOW_LOOKUP_S:
        return Check(name="name", status="ok", found=told)
    return Check(
        name="name",
        status="warning",
        found=f"{told}: the name server is slow. It is asked before the start only",
        fix="run a caching name server here, or write the name into /etc/hosts",
    )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
