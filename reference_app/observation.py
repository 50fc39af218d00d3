"""What every request leaves behind: a request id, metrics and, if wanted, one log line.

A wrapper around the whole application rather than a middleware of its routes, so that requests
no route answers (404, 405) are seen too.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from http import HTTPMethod
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from reference_app.log import without_secrets
from reference_app.metrics import Metrics
from reference_app.request_context import Origin, origin

access_logger = logging.getLogger("reference_app.access")

_ACCEPTED_ID = re.compile(rb"[\x21-\x7e]{1,100}")
"""A client's own id is kept if it is one short printable word; it goes into logs and headers."""

_METHODS = frozenset(HTTPMethod)

_READING = frozenset({"GET", "HEAD", "OPTIONS"})

_HEADER = b"x-request-id"


def observed(application: ASGIApp, metrics: Metrics, *, access_log: bool) -> ASGIApp:
    """Wrap ``application``: times, counts and tags every HTTP request."""

    async def observe(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await application(scope, receive, send)
            return
        method = str(scope["method"])
        request_id = _request_id(scope["headers"])
        name = request_id.decode("ascii")
        scope.setdefault("state", {})["request_id"] = name
        # Not taken back: a request is a task, and its context ends with it.
        origin.set(Origin(name, may_write=method not in _READING))
        started = time.perf_counter()
        status = 500

        async def send_tagged(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (_HEADER, request_id)]
            await send(message)

        metrics.in_flight.inc()
        try:
            await application(scope, receive, send_tagged)
        finally:
            metrics.in_flight.dec()
            duration_s = time.perf_counter() - started
            # Templates, not paths: "/api/reservations/{id}" is one series, not one a booking.
            route = str(scope.get("path_template") or "(none)")
            metrics.record(_label(method), route, status, duration_s)
            if access_log:
                fields = _fields(scope, method, route, status, duration_s)
                access_logger.info("request", extra={"fields": fields})

    return observe


def _label(method: str) -> str:
    """A client may make up as many methods as it likes, and each would be a series for ever."""
    return method if method in _METHODS else "(other)"


def _request_id(headers: Any) -> bytes:
    for name, value in headers:
        if name == _HEADER and _ACCEPTED_ID.fullmatch(value):
            return bytes(value)
    return uuid.uuid4().hex.encode("ascii")


def _fields(
    scope: Any, method: str, route: str, status: int, duration_s: float
) -> dict[str, str | int | float | None]:
    user = scope.get("user")
    return {
        "request_id": scope["state"]["request_id"],
        "method": method,
        "path": without_secrets(scope["path"]),
        "route": route,
        "status": status,
        "duration_ms": round(duration_s * 1000, 3),
        "user_id": None if user is None else str(user.user_id),
    }
