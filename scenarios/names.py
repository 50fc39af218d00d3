"""Names of hosts: asked for before the start, kept, and never asked for again by a request.

A lookup takes as long as somebody else's name server wants. Asked for by a request, it would be
measured as the service's. Here every name is asked for once; its addresses are asked for again in
the background, so that a long run follows a service that moves, and no request waits for it.
All sockets of gevent come here, so a scenario's own client and plain Locust's have it, too.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

import gevent
from gevent import monkey
from gevent.resolver.thread import Resolver

REFRESH_S: Final = 30.0
"""Balancing by names works with lifetimes of 30 to 60 s."""

Found = list[Any]
"""What ``socket.getaddrinfo`` returns."""


@dataclass(frozen=True, slots=True)
class Lookups:
    """Attributes:
    number: Questions to the system's resolver, those in the background among them.
    longest_s: The longest of them.
    waits_s: How long each request waited that asked for a new name.
    """

    number: int
    longest_s: float
    waits_s: tuple[float, ...]


class Names(Resolver):  # type: ignore[misc]
    """gevent's resolver with a memory and a watch."""

    def __init__(self, hub: Any = None) -> None:
        super().__init__(hub)
        self._known: dict[str, Found] = {}
        self._asked_at: dict[str, float] = {}
        self._number = 0
        self._longest_s = 0.0
        self._waits_s: list[float] = []

    def getaddrinfo(
        self,
        host: Any,
        port: Any,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> Found:
        """As ``socket.getaddrinfo``; only a name that was never asked for is waited for."""
        if _is_address(host):
            # Needs no name server, and no thread.
            return list(_system_getaddrinfo(host, port, family, type, proto, flags))
        if flags or not isinstance(port, int) or type not in (0, socket.SOCK_STREAM):
            return list(super().getaddrinfo(host, port, family, type, proto, flags))
        name = host.decode() if isinstance(host, bytes) else host
        return [
            (*entry, (sockaddr[0], port, *sockaddr[2:]))
            for *entry, sockaddr in self._addresses(name)
            if family in (0, entry[0])
        ]

    def since_last(self) -> Lookups:
        """Lookups since the last call."""
        told = Lookups(self._number, self._longest_s, tuple(self._waits_s))
        self._number, self._longest_s, self._waits_s = 0, 0.0, []
        return told

    def _addresses(self, name: str) -> Found:
        known = self._known.get(name)
        if known is None:
            before = time.monotonic()
            try:
                return self._ask(name)
            finally:
                self._waits_s.append(time.monotonic() - before)
        if time.monotonic() - self._asked_at[name] > REFRESH_S:
            self._asked_at[name] = time.monotonic()
            gevent.spawn(self._ask_again, name)
        return known

    def _ask(self, name: str) -> Found:
        before = time.monotonic()
        try:
            found: Found = super().getaddrinfo(name, 0, 0, socket.SOCK_STREAM)
        finally:
            now = time.monotonic()
            self._number += 1
            self._longest_s = max(self._longest_s, now - before)
            self._asked_at[name] = now
        self._known[name] = found
        return found

    def _ask_again(self, name: str) -> None:
        try:
            self._ask(name)
        except socket.gaierror:
            return  # the addresses that are known stay good until another answer comes


def install() -> Names:
    """Make every socket of this thread ask here."""
    names = Names()
    gevent.get_hub().resolver = names
    return names


def ask_before_start(names: Names, url: str) -> float | None:
    """Seconds that the name of a service took to resolve; None when it is an address.

    Raises:
        socket.gaierror: It does not resolve.
    """
    host = urlsplit(url).hostname
    if host is None or _is_address(host):
        return None
    names.getaddrinfo(host, 0)
    return names.since_last().longest_s


@lru_cache
def _is_address(host: Any) -> bool:
    if host is None:
        return True
    try:
        ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host)
    except ValueError:
        return False
    return True


# The patched one would come here again.
_system_getaddrinfo: Any = monkey.get_original("socket", "getaddrinfo")
