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
from litestar.types import ASGIApp, Message, Receive, Scope, Send

CACHE_CONTROL = "private, no-cache"
"""An owner's own, and to be asked for each time: a browser may keep it, nobody in between may,
and nobody may show it without asking."""

VARY = "Authorization, Accept-Encoding"
"""The same address gives each owner another answer, packed or not."""

_TAGS = re.compile(r'\s*(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')

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
    all_headers = {
        "ETag": found.etag,
        "Cache-Control": CACHE_CONTROL,
        "Vary": VARY,
        **(headers or {}),
    }
    if known is not None and matches(known, found.etag):
        return Response(None, status_code=HTTPStatus.NOT_MODIFIED, headers=all_headers)
    return Response(found.body, media_type="application/json", headers=all_headers)


def answer(request: Request[Any, Any, Any], value: Body) -> Response[Body]:
    """:func:`respond` for an answer that is not kept."""
    return respond(request, represent(value))


def matches(if_none_match: str, etag: str) -> bool:
    """Whether a client's If-None-Match names ``etag``, compared weakly (section 13.1.2)."""
    if if_none_match.strip() == "*":
        return True
    position = 0
    while found := _TAGS.match(if_none_match, position):
        if found[1] == etag:
            return True
        position = found.end()
    return False


def weakened_when_encoded(application: ASGIApp) -> ASGIApp:
    """Wrap ``application``: the tag of a compressed answer is a weak one."""

    async def weaken(scope: Scope, receive: Receive, send: Send) -> None:
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

        await application(
            scope, receive, send_weakened if scope["type"] == ScopeType.HTTP else send
        )

    return weaken
