"""HTTP/1.1 as far as the platform speaks it: a request in, an answer out.

Not a general server: whoever asks is ours. Heads and bodies are bounded all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

HEAD_BYTES_MAX = 16 * 1024
BODY_BYTES_MAX = 4 * 1024 * 1024


class BadRequestError(Exception):
    """What arrived is no request that is understood here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request.

    Attributes:
        method: ``GET``, ``PUT`` ...
        host: Whom it is for, lower case, without a port.
        is_proxied: True when its target was a whole address: we are asked as a proxy.
        path: Starts with a slash.
        query: Parameters of the address; the last one of a name counts.
        headers: By lower-case name.
        body: Empty without ``Content-Length``.
    """

    method: str
    host: str
    is_proxied: bool
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer that is sent in one piece."""

    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def encode(self) -> bytes:
        """As it stands on the wire."""
        phrase = HTTPStatus(self.status).phrase
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection; None when the other side has closed it.

    Raises:
        BadRequestError: It is malformed or too large.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise BadRequestError("the head ends in the middle") from error
    except asyncio.LimitOverrunError as error:
        raise BadRequestError("the head is too large") from error
    line, *header_lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    try:
        method, target, _version = line.split(" ")
        headers = {
            name.strip().lower(): value.strip()
            for name, value in (text.split(":", 1) for text in header_lines)
        }
        length = int(headers.get("content-length", "0"))
        is_proxied = not target.startswith("/")
        address = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host = address.hostname if is_proxied else urlsplit("//" + headers.get("host", "")).hostname
    except ValueError as error:
        raise BadRequestError(f"not a request: {line[:100]!r}") from error
    if not 0 <= length <= BODY_BYTES_MAX:
        raise BadRequestError(f"a body of {length} bytes")
    return Request(
        method=method,
        host=(host or "").lower(),
        is_proxied=is_proxied,
        path=address.path or "/",
        query=dict(parse_qsl(address.query)),
        headers=headers,
        body=await reader.readexactly(length) if length else b"",
    )
