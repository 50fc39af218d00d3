"""Who may call what: no token, no entry, unless a route says ``public=True``.

The guards are coroutines because Litestar runs plain functions in a thread.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from reference_app.identity.principal import Role
from reference_app.identity.tokens import InvalidTokenError, Tokens
from reference_app.problems import Problem

_CHALLENGE = {"WWW-Authenticate": "Bearer"}


def require_token(tokens: Tokens) -> Guard:
    """Guard of the whole application: puts the Principal into the connection."""

    async def authenticate(
        connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        if handler.opt.get("public"):
            return
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "not-signed-in",
                "an access token is needed: Authorization: Bearer <token>",
                headers=_CHALLENGE,
            )
        try:
            connection.scope["user"] = tokens.read(token.strip())
        except InvalidTokenError as error:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "invalid-token",
                "the access token is not valid or no longer valid",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            ) from error

    return authenticate


def require_role(*roles: Role) -> Guard:
    """Guard of a route: one of these roles, else 403."""

    async def check_role(
        connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler
    ) -> None:
        if connection.user.role not in roles:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "wrong-role",
                f"this is for the role {' or '.join(roles)}; you are {connection.user.role}",
            )

    return check_role
