"""Who may call what, decided before a request reaches its route.

No token, no entry, unless the route says ``opt={"public": True}``; a limit of requests, if there is
one; then the roles the route names with ``only(...)``.

A middleware rather than Litestar's guards: those copy the route's handler for each guard of each
request, which costs more than all of these checks together (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from reference_app.identity.principal import Principal, Role
from reference_app.identity.tokens import InvalidTokenError, Tokens
from reference_app.problems import Problem

Limit = Callable[[Scope, Principal], Awaitable[None]]
"""Raises a Problem when this person has asked too often."""

_ROLES = "roles"

TOKEN_PROTOCOL = "bearer."
"""Begins the subprotocol that carries a token: scripts in a browser cannot set the header of a
WebSocket, and an address would end up in logs."""


def only(*roles: Role) -> dict[str, Any]:
    """``opt`` of routes that are for these roles alone; others get 403."""
    return {_ROLES: roles}


def admission(tokens: Tokens, limit: Limit | None) -> Callable[[ASGIApp], ASGIApp]:
    """The middleware of an application: puts the Principal into ``scope["user"]``, or refuses.

    Args:
        tokens: Reads the tokens.
        limit: Counts requests; None when nobody does.
    """

    def admit_to(app: ASGIApp) -> ASGIApp:  # Litestar passes it by name
        async def admit(scope: Scope, receive: Receive, send: Send) -> None:
            opt = scope["route_handler"].opt
            if not opt.get("public"):
                principal, token = _principal(tokens, scope)
                scope["user"], scope["auth"] = principal, token
                if limit is not None:
                    await limit(scope, principal)
                roles = opt.get(_ROLES)
                if roles is not None and principal.role not in roles:
                    raise Problem(
                        HTTPStatus.FORBIDDEN,
                        "wrong-role",
                        f"this is for the role {' or '.join(roles)}; you are {principal.role}",
                    )
            await app(scope, receive, send)

        return admit

    return admit_to


def _principal(tokens: Tokens, scope: Scope) -> tuple[Principal, str]:
    """Who asks, and the token that says so."""
    scheme, _, token = _authorization(scope).partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "not-signed-in",
            "an access token is needed: Authorization: Bearer <token>",
            headers={"WWW-Authenticate": "Bearer"},
        )
    token = token.strip()
    try:
        return tokens.read(token), token
    except InvalidTokenError as error:
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "invalid-token",
            "the access token is not valid or no longer valid",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        ) from error


def _authorization(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return value.decode("latin-1")
    if scope["type"] == ScopeType.WEBSOCKET:
        for protocol in scope["subprotocols"]:
            if protocol.startswith(TOKEN_PROTOCOL):
                return f"Bearer {protocol.removeprefix(TOKEN_PROTOCOL)}"
    return ""
