"""Opening a connection: several addresses, none, and a limit of its own."""

from __future__ import annotations

import errno
import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
import pytest

from palier.stack.ports import free_port
from scenarios.client import opening
from scenarios.operation import Failed, TimedOut

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from asking import LIMIT_S, OK, always, ask, client_of
from wire import Wire


class Addresses:
    """A resolver that knows one host."""

    def __init__(self, *addresses: tuple[str, int]) -> None:
        self._addresses = addresses

    def getaddrinfo(self, *_: Any) -> list[tuple[Any, ...]]:
        return [
            (
                socket.AF_INET6 if ":" in host else socket.AF_INET,
                *(socket.SOCK_STREAM, socket.IPPROTO_TCP, ""),
                (host, port, 0, 0) if ":" in host else (host, port),
            )
            for host, port in self._addresses
        ]


def open_descriptors() -> int:
    """0 where the system does not tell."""
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0


def unreachable(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> str:
    """What is told of a host of these addresses that cannot be reached."""
    monkeypatch.setattr(gevent.get_hub(), "resolver", Addresses(*addresses))
    before = open_descriptors()
    with client_of("http://two.example:80", LIMIT_S) as client:
        with pytest.raises((Failed, TimedOut)) as told:
            ask(client)
        assert open_descriptors() == before
    return str(told.value)


def test_a_host_with_several_addresses_is_reached_at_the_first_that_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Wire(always(OK)) as wire, client_of("http://two.example:80") as client:
        port = urlsplit(wire.url).port
        assert port is not None
        addresses = Addresses(("127.0.0.1", free_port()), ("127.0.0.1", port))
        monkeypatch.setattr(gevent.get_hub(), "resolver", addresses)
        assert ask(client).status == 200


def test_the_first_address_of_a_host_says_why_it_cannot_be_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nobody listens to the first; the second never answers, as the queue of who listens is full.
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        refuses, silent = ("127.0.0.1", free_port()), listener.getsockname()
        with monkeypatch.context() as patch:
            assert unreachable(patch, refuses).startswith("no connection: ConnectionRefusedError")
        if sys.platform == "linux":
            with monkeypatch.context() as patch:
                assert unreachable(patch, silent, refuses) == "no connection in 0.25 s"


@pytest.mark.parametrize("comes_first", [True, False])
def test_an_address_to_which_this_machine_has_no_way_says_nothing_of_the_service(
    monkeypatch: pytest.MonkeyPatch, comes_first: bool
) -> None:
    connected = opening._connected

    def on_a_machine_without_ipv6(entry: Any, timeout_s: float) -> Any:
        if entry[0] == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        return connected(entry, timeout_s)

    monkeypatch.setattr(opening, "_connected", on_a_machine_without_ipv6)
    no_way, refuses = ("::1", free_port()), ("127.0.0.1", free_port())
    addresses = (no_way, refuses) if comes_first else (refuses, no_way)
    assert unreachable(monkeypatch, *addresses).startswith("no connection: ConnectionRefusedError")


@pytest.mark.skipif(sys.platform != "linux", reason="others refuse when the queue is full")
def test_opening_a_connection_has_a_limit_of_its_own() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = []
        for _ in range(3):  # more than the queue of those that nobody accepts
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(address)
            waiting.append(one)
        url = f"http://127.0.0.1:{address[1]}"
        with (
            client_of(url, connect_timeout_s=LIMIT_S) as client,
            pytest.raises(TimedOut, match=r"^no connection in 0\.25 s$"),
        ):
            ask(client)
        for one in waiting:
            one.close()
