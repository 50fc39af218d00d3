"""Opening a connection: a socket of the interpreter's own, in non-blocking mode.

When the load rises there are suddenly many connections to open, one after the other, and what is
due meanwhile is sent late. gevent's ``create_connection`` takes four times the processor time of
this (measured in docs/decisions/0100-nothing-holds-up-the-loop.md).
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


def connect(host: str, port: int, *, timeout_s: float) -> _socket.socket:
    """Connect to the first address of a host that answers; small packets are sent at once.

    Args:
        host: Name or address.
        port: TCP port.
        timeout_s: Limit for each address.

    Raises:
        OSError: None of them can be reached: why the last one could not. ``TimeoutError`` without
            an ``errno`` when our own limit was over; ``socket.gaierror`` without an address.
    """
    *others, last = get_hub().resolver.getaddrinfo(host, port, 0, _socket.SOCK_STREAM)
    for entry in others:
        try:
            return _connected(entry, timeout_s)
        except OSError:
            continue
    return _connected(last, timeout_s)


def _connected(entry: Any, timeout_s: float) -> _socket.socket:
    family, kind, protocol, _, address = entry
    opened = _socket.socket(family, kind, protocol)
    try:
        opened.setblocking(False)
        opened.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        refused = opened.connect_ex(address)
        if refused == errno.EINPROGRESS:
            # A service on this machine has answered by now.
            if not polled(opened.fileno(), select.POLLOUT).poll(0):
                _wait_until_writable(opened, timeout_s)
            refused = opened.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        if refused:
            raise OSError(refused, os.strerror(refused))
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
