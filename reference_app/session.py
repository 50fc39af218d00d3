"""A request's hold on the database: statements run as the one who asks, and cannot do otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from litestar import Request

from reference_app.database import Database, Statement
from reference_app.identity.principal import Principal
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
        self, statement: Statement, parameters: Mapping[str, Any], row: Callable[..., Row]
    ) -> list[Row]:
        """Run one statement as the principal; see :meth:`Database.rows`."""
        return await self._database.rows(self.principal, statement, parameters, row)

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
