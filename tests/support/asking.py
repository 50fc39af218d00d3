"""A client and one question of it, for tests beside a ``Wire``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from wire import Peer, Wire

from scenarios.client.answer import Answer
from scenarios.client.client import Client
from scenarios.client.cookies import Cookies

LIMIT_S = 0.25
LONG_S = 20.0

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def client_of(wire: Wire | str, timeout_s: float = LONG_S, **options: Any) -> Iterator[Client]:
    url = wire if isinstance(wire, str) else wire.url
    client = Client(url, timeout_s=timeout_s, **options)
    try:
        yield client
    finally:
        client.close()


def ask(
    client: Client,
    method: str = "GET",
    path: str = "/",
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    cookies: Cookies | None = None,
) -> Answer:
    request = client.prepare(method, path, headers=headers, body=body, cookies=cookies)
    return client.send(method, path, request, time.monotonic_ns())


def answered(*parts: bytes, method: str = "GET", end: bool = False) -> Answer:
    """The answer to one request that these bytes make."""

    def behave(peer: Peer) -> None:
        peer.answer(*parts)
        if not end:
            peer.wait_for_end()

    with Wire(behave) as wire, client_of(wire) as client:
        return ask(client, method)


def always(*parts: bytes) -> Callable[[Peer], None]:
    def behave(peer: Peer) -> None:
        while True:
            peer.answer(*parts)

    return behave
