"""Free TCP ports of the loopback interface."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil

from palier.errors import StackError

HOST = "127.0.0.1"
"""Everything listens here and nowhere else."""

_LOWEST = 15_000
_USUAL_EPHEMERAL = (49_152, 65_535)
"""The range of RFC 6335, section 6; macOS uses it."""
_TRIES = 200


def free_port() -> int:
    """A port nobody listens on now.

    Another program may take it before it is used, so whoever listens tries again with another
    one. Chosen at random, so that two stacks starting together rarely
    meet, and below the range from which the kernel picks the near end of outgoing connections:
    a load generator opens thousands of those.

    Raises:
        StackError: None found.
    """
    first_ephemeral, _ = ephemeral_ports()
    highest = first_ephemeral if first_ephemeral > _LOWEST + _TRIES else 65_536
    for _ in range(_TRIES):
        port = _LOWEST + secrets.randbelow(highest - _LOWEST)
        if is_free(port):
            return port
    raise StackError(
        what=f"no free port after {_TRIES} tries between {_LOWEST} and {highest - 1}",
        where=HOST,
        fix="end programs that listen there (`ss -ltn` lists them)",
    )


def is_free(port: int) -> bool:
    """True when a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of an ended server may linger without holding the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            # Two sockets may share an address until one listens.
            probe.listen(1)
        except OSError:
            return False
        return True


def listens(pids: Iterable[int], port: int) -> bool:
    """True when one of these processes listens on the port.

    An answer from the port alone proves nothing: somebody else's server may be giving it.
    """
    for pid in pids:
        try:
            connections = psutil.Process(pid).net_connections(kind="tcp")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if any(_is_listener(connection, port) for connection in connections):
            return True
    return False


def somebody_else_listens(pids: Iterable[int], port: int) -> bool:
    """True when the port is shared with another process: both asked for ``SO_REUSEPORT``.

    The kernel then hands each connection to one of the two, and a measurement would be of both.
    Where the system does not tell (macOS, to ordinary users) this is False.
    """
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return False
    ours = frozenset(pids)
    return any(_is_listener(found, port) and found.pid not in ours for found in connections)


def _is_listener(connection: Any, port: int) -> bool:
    # psutil's stubs give two unrelated classes for the two calls above.
    return bool(connection.status == psutil.CONN_LISTEN and connection.laddr.port == port)


def ephemeral_ports() -> tuple[int, int]:
    """First and last port the kernel picks from for outgoing connections."""
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    except FileNotFoundError:
        return _USUAL_EPHEMERAL
    first, last = text.split()
    return int(first), int(last)
