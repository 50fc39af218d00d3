"""Somebody's own service: is it there? Nothing else of it is ours to start, watch or end."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from palier.errors import StackError

PATIENCE_S = 5.0
"""For one connection to a service that is about to be loaded; a slower one is not up."""

_PORTS = {"http": 80, "https": 443}


def check_reachable(url: str) -> None:
    """Connect once and hang up, without a request: a run against nothing measures nothing.

    Args:
        url: ``http://host:port`` or ``https://host``.

    Raises:
        StackError: Nothing accepts a connection there.
    """
    parts = urlsplit(url)
    try:
        address = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
        socket.create_connection(address, timeout=PATIENCE_S).close()
    except (OSError, ValueError, KeyError) as error:
        raise StackError(
            what=f"nothing answers at {url}: {_in_words(error)}",
            where="the service to be driven",
            fix="start it, or correct --url or the url of the tier",
        ) from error


def _in_words(error: Exception) -> str:
    """``Connection refused`` rather than ``[Errno 111] Connection refused``."""
    return getattr(error, "strerror", None) or str(error)
