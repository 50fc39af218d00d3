"""Conditional requests: who has the answer already is told so (RFC 9110, section 13).

A tag is made from the bytes of the answer, so the same state gives the same tag in every process
and from every store. It is a strong one; where the answer is compressed on its way, the bytes are
no longer those, and the tag becomes a weak one (section 8.8.1). If-None-Match compares weakly, so
a client may send back whichever it got.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.serialization import default_serializer, encode_json
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

CACHE_CONTROL = "private, no-cache"
"""An owner's own, and to be asked for each time: a browser may keep it, nobody in between may,
and nobody may show it without asking."""

VARY = "Authorization, Accept-Encoding"
"""The same address gives each owner another answer, packed or not."""

CONDITIONAL = {"conditional": True}
"""``opt`` of a route whose answers carry a tag, for the OpenAPI document."""

_TAGS = re.compile(r'\s*(?P<tag>(?:W/)?(?P<opaque>"[\x21\x23-\x7e\x80-\xff]*"))\s*(?:,|$)')

_NO_GZIP = re.compile(rb"\bgzip\s*;\s*q=0(\.0*)?\s*(,|$)", re.IGNORECASE)

Body = TypeVar("Body")


class Representation(msgspec.Struct, frozen=True):
    """An answer's bytes and their tag."""

    body: bytes
    etag: str


def represent(value: Any) -> Representation:
    """JSON of ``value``, and the tag of it."""
    body = encode_json(value, default_serializer)
    return Representation(body, f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"')


def respond(
    request: Request[Any, Any, Any],
    found: Representation,
    headers: Mapping[str, str] | None = None,
) -> Response[Any]:
    """200 with the answer, or 304 without it when the client has it.

    Args:
        request: May carry If-None-Match.
        found: The answer as it stands.
        headers: Further headers.
    """
    known = request.headers.get("if-none-match")
    seen = None if known is None else seen_as(known, found.etag)
    all_headers = {
        "ETag": seen or found.etag,
        "Cache-Control": CACHE_CONTROL,
        "Vary": VARY,
        **(headers or {}),
    }
    if seen is not None:
        return Ready(HTTPStatus.NOT_MODIFIED, all_headers, b"")
    return Ready(HTTPStatus.OK, all_headers | {"Content-Type": "application/json"}, found.body)


class Ready(Response[Any]):
    """An answer that is complete: status, headers and bytes.

    Litestar's own response makes such an answer out of a value, with cookies, encoders and
    background tasks that ours do not have, at a sixth of the cost of a whole request.
    """

    def __init__(self, status: HTTPStatus, headers: Mapping[str, str], body: bytes) -> None:
        # Not super(): there is nothing to prepare.
        self.status_code = self._status = status.value
        self._headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ]
        self._body = body

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIApp:  # type: ignore[override]
        """The application that sends it."""
        return self._send

    async def _send(self, _: Scope, __: Receive, send: Send) -> None:
        headers = self._headers
        if self._status != HTTPStatus.NOT_MODIFIED:
            headers = [*headers, (b"content-length", str(len(self._body)).encode("ascii"))]
        start = HTTPResponseStartEvent(
            type="http.response.start", status=self._status, headers=headers
        )
        await send(start)
        await send({"type": "http.response.body", "body": self._body, "more_body": False})


def answer(request: Request[Any, Any, Any], value: Body) -> Response[Body]:
    """:func:`respond` for an answer that is not kept."""
    return respond(request, represent(value))


def seen_as(if_none_match: str, etag: str) -> str | None:
    """The tag of a client's If-None-Match that is ``etag``, compared weakly (section 13.1.2).

    As the client wrote it, because a 304 says the tag that the answer would have (section
    15.4.5): weak if the client has it compressed. None when the client has something else.
    """
    if if_none_match.strip() == "*":
        return etag
    position = 0
    while found := _TAGS.match(if_none_match, position):
        if found["opaque"] == etag:
            return found["tag"]
        position = found.end()
    return None


def packed_right(application: ASGIApp) -> ASGIApp:
    """Wrap an application that compresses: what Litestar's compression leaves to do.

    The tag of a compressed answer becomes a weak one, and a client that says ``gzip;q=0`` wants
    none (RFC 9110, section 12.5.3).
    """

    async def pack_right(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await application(scope, receive, send)
            return

        async def send_weakened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if any(name.lower() == b"content-encoding" for name, _ in headers):
                    message["headers"] = [
                        (name, b"W/" + value)
                        if name.lower() == b"etag" and not value.startswith(b"W/")
                        else (name, value)
                        for name, value in headers
                    ]
            await send(message)

        scope["headers"] = [
            (name, value)
            for name, value in scope["headers"]
            if not (name == b"accept-encoding" and _NO_GZIP.search(value))
        ]
        await application(scope, receive, send_weakened)

    return pack_right
