"""A request's hold on the database: statements run as the one who asks, and cannot do otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from litestar import Request

from reference_app.database import Database, Statement
from reference_app.identity.principal import Guest, Principal
from reference_app.variant import Variant

Row = TypeVar("Row")


class Session:
    """The database as one principal sees it.

    One injected value a request on purpose: Litestar resolves several of them in a task group,
    which costs more than most of our statements.

    Attributes:
        principal: Who asks.
        variant: The switches of this deployment.
    """

    __slots__ = ("_database", "principal", "variant")

    def __init__(self, database: Database, principal: Principal, variant: Variant) -> None:
        self._database = database
        self.principal = principal
        self.variant = variant

    @property
    def user_id(self) -> UUID:
        return self.principal.user_id

    @property
    def tenant_id(self) -> UUID | None:
        return self.principal.tenant_id

    async def rows(
        self,
        statement: Statement,
        parameters: Mapping[str, Any],
        row: Callable[..., Row],
        *,
        before: Statement | None = None,
    ) -> list[Row]:
        """Run one statement as the principal; see :meth:`Database.rows`."""
        return await self._database.rows(self.principal, statement, parameters, row, before=before)

    async def first(
        self,
        statement: Statement,
        parameters: Mapping[str, Any],
        row: Callable[..., Row],
        *,
        before: Statement | None = None,
    ) -> Row | None:
        """Like :meth:`rows`, for a statement that gives one row or none."""
        found = await self.rows(statement, parameters, row, before=before)
        return found[0] if found else None


class GuestSession:
    """The database as the holder of one sheet's token sees it.

    Attributes:
        guest: Whose token it is.
        variant: The switches of this deployment.
    """

    __slots__ = ("_database", "guest", "variant")

    def __init__(self, database: Database, guest: Guest, variant: Variant) -> None:
        self._database = database
        self.guest = guest
        self.variant = variant

    async def rows(
        self, statement: Statement, parameters: Mapping[str, Any], row: Callable[..., Row]
    ) -> list[Row]:
        """Run one statement as ``app_guest``; ``%(token)s`` is the token's SHA-256."""
        return await self._database.rows(
            self.guest, statement, {**parameters, "token": self.guest.token_sha256}, row
        )

    async def first(
        self, statement: Statement, parameters: Mapping[str, Any], row: Callable[..., Row]
    ) -> Row | None:
        """Like :meth:`rows`, for a statement that gives one row or none."""
        found = await self.rows(statement, parameters, row)
        return found[0] if found else None


def provide_session(database: Database, variant: Variant) -> Callable[..., Session]:
    """Make the dependency ``session`` of an application."""

    def session(request: Request[Principal, Any, Any]) -> Session:
        return Session(database, request.user, variant)

    return session


def token_sha256(token: str) -> str:
    """What the database keeps of a token and a guest is known by.

    A plain hash is enough: a token has 256 random bits, so there is nothing to guess.
    """
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def provide_guest_session(database: Database, variant: Variant) -> Callable[..., GuestSession]:
    """Make the dependency ``guest_session`` of routes with a ``{token}`` in their path."""

    def guest_session(request: Request[Any, Any, Any]) -> GuestSession:
        return GuestSession(database, Guest(token_sha256(request.path_params["token"])), variant)

    return guest_session
