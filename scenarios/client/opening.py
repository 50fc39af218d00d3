"""Opening a connection: a socket of the interpreter's own, in non-blocking mode.

When the load rises there are suddenly many connections to open, one after the other, and what is
due meanwhile is sent late. With gevent's ``create_connection`` a connection takes two and a half
times the processor time (measured in docs/decisions/0100-the-loop-is-not-held-up.md).
"""

from __future__ import annotations

import _socket
import errno
import os
import select
from typing import Any, Final

import gevent
from gevent import get_hub

from scenarios.client.polled import polled

_WRITABLE: Final = 2

_WITHOUT_IPV6: Final = frozenset({errno.EADDRNOTAVAIL, errno.ENETUNREACH, errno.EAFNOSUPPORT})
"""What an IPv6 address comes to on a machine that has none: no news of the service."""


def connect(host: str, port: int, *, timeout_s: float) -> _socket.socket:
    """Connect to the first address of a host that answers; small packets are sent at once.

    Args:
        host: Name or address.
        port: TCP port.
        timeout_s: Limit for each address.

    Raises:
        OSError: None of them can be reached: why the first one could not, of those that this
            machine has a way to. ``TimeoutError`` without an ``errno`` when our own limit was
            over; ``socket.gaierror`` without an address.
    """
    found = get_hub().resolver.getaddrinfo(host, port, 0, _socket.SOCK_STREAM)
    troubles: list[OSError] = []
    no_way: list[OSError] = []
    for entry in found:
        try:
            return _connected(entry, timeout_s)
        except OSError as trouble:
            has_way = entry[0] != _socket.AF_INET6 or trouble.errno not in _WITHOUT_IPV6
            (troubles if has_way else no_way).append(trouble)
    raise (troubles or no_way or [OSError(f"no address of {host} is known")])[0]


def _connected(entry: Any, timeout_s: float) -> _socket.socket:
    family, kind, protocol, _, address = entry
    opened = _socket.socket(family, kind, protocol)
    try:
        opened.setblocking(False)
        opened.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        trouble = opened.connect_ex(address)
        if trouble == errno.EINPROGRESS:
            # A service on this machine has answered by now.
            if not polled(opened.fileno(), select.POLLOUT).poll(0):
                _wait_until_writable(opened, timeout_s)
            trouble = opened.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        if trouble:
            raise OSError(trouble, os.strerror(trouble))
    except BaseException:
        opened.close()
        raise
    return opened


def _wait_until_writable(opened: _socket.socket, timeout_s: float) -> None:
    hub = get_hub()
    watcher = hub.loop.io(opened.fileno(), _WRITABLE)
    try:
        with gevent.Timeout(timeout_s, TimeoutError("timed out")):
            hub.wait(watcher)
    finally:
        watcher.close()
