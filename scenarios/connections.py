"""Connections of a loader: kept alive, shared by its sessions, and never a hidden second try.

``geventhttpclient`` is made for getting an answer; measuring needs three other habits:

* It sends a request again when the connection closes without an answer, up to once for each
  connection of its pool. Here a request is sent once, and what happens to it is recorded.
* It tells a live connection from a closed one by ``select``, which cannot look at descriptors
  above 1,023: from the thousandth connection on, every request would open a new one. ``poll`` can.
* Its pool makes requests wait for a free connection. Here the number of sessions is the bound,
  and waiting for one is recorded; the pool has no limit of its own.
"""

from __future__ import annotations

import select
from typing import Any, Final

from geventhttpclient.client import HTTPClient, HTTPClientPool
from locust.contrib.fasthttp import insecure_ssl_context_factory

from scenarios.client.polled import polled

_UNLIMITED: Final = 1 << 30

_SEND_ONCE: Final = -1
"""``HTTPClient.request`` tries ``size + 1`` times more."""

_LATER_S: Final = 1.0
"""The sockets' own limits come after that of the request: after a stall of our loop both would be
due at once, and the request would count as failed instead of timed out."""


class SharedConnections(HTTPClientPool):
    """The pool of one loader, for all its users.

    Args:
        timeout_s: Limit of a request as a whole, which ``JourneyUser.call`` keeps.
    """

    def __init__(self, *, timeout_s: float) -> None:
        super().__init__(
            concurrency=_UNLIMITED,
            connection_timeout=timeout_s + _LATER_S,
            network_timeout=timeout_s + _LATER_S,
            insecure=True,
            ssl_context_factory=insecure_ssl_context_factory,
        )

    def get_client(self, url: Any) -> HTTPClient:
        """The client of the host and port of ``url``."""
        known = self.clients.get((url.host, url.port))
        if known is not None:
            return known
        client = super().get_client(url)
        pool: Any = client._connection_pool
        pool.size = _SEND_ONCE
        pool._is_socket_alive = _is_idle
        return client


def _is_idle(sock: Any) -> bool:
    """True for an open connection with nothing to read: data would be the answer to a request
    that was given up, or the end of the connection."""
    if sock is None or sock.fileno() < 0:
        return False
    return not polled(sock.fileno(), select.POLLIN).poll(0)
