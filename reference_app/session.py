"""A request's hold on the database: statements run as the one who asks, and cannot do otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from litestar import Request, Response
from litestar.params import FromPath

from reference_app.cache.families import Family
from reference_app.cache.pages import PageCache
from reference_app.conditional import represent, respond
from reference_app.database import Database, Statement
from reference_app.identity.principal import Guest, Principal
from reference_app.replica import Reports, Source
from reference_app.variant import Variant

Row = TypeVar("Row")
Body = TypeVar("Body")


class Session:
    """The database as one principal sees it.

    One injected value a request on purpose: Litestar resolves several of them in a task group,
    which costs more than most of our statements.

    Attributes:
        principal: Who asks.
        variant: The switches of this deployment.
    """

    __slots__ = ("_pages", "_reports", "_request", "_source", "principal", "variant")

    def __init__(
        self,
        source: Source,
        pages: PageCache | None,
        reports: Reports | None,
        request: Request[Principal, Any, Any],
        variant: Variant,
    ) -> None:
        self._source = source
        self._pages = pages
        self._reports = reports
        self._request = request
        self.principal = request.user
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
        repeatable: bool = False,
    ) -> list[Row]:
        """Run one statement as the principal; see :meth:`Database.rows`."""
        return await self._source.rows(
            self.principal, statement, parameters, row, before=before, repeatable=repeatable
        )

    async def first(
        self,
        statement: Statement,
        parameters: Mapping[str, Any],
        row: Callable[..., Row],
        *,
        before: Statement | None = None,
        repeatable: bool = False,
    ) -> Row | None:
        """Like :meth:`rows`, for a statement that gives one row or none."""
        found = await self.rows(statement, parameters, row, before=before, repeatable=repeatable)
        return found[0] if found else None

    async def for_reports(self) -> Session:
        """The same principal, reading where reports are read (B-172, B-174).

        That is the replica when the variant has one and it shows every write this principal was
        told of; else the primary. One choice for all that is read through the result.

        Raises:
            psycopg.Error: The primary cannot be asked.
        """
        if self._reports is None:
            return self
        source = await self._reports.source_for(self.user_id)
        return Session(source, self._pages, None, self._request, self.variant)

    async def answer(
        self,
        family: Family,
        load: Callable[[], Awaitable[Body]],
        *what: object,
        filters: Mapping[str, object] | None = None,
    ) -> Response[Body]:
        """What ``load`` gives, from the cache if it is still true; 304 if the client has it.

        Never older than a write that was acknowledged before the request, in every variant. The
        result of ``load`` may depend on nothing but the principal, the rows of its tables
        (``schema/owner_versions``), and ``what`` and ``filters``: a load that looks at the clock
        names the day it found.

        Args:
            family: Kind of answer; gives its lifetime.
            load: Makes the answer.
            what: Tells it from the owner's other answers of the family.
            filters: Narrow it; None does not.
        """
        if self._pages is None:
            return self.respond(await load())
        key = family.key(self.user_id, *what, filters=filters)
        found, is_hit = await self._pages.find(family, self.user_id, key, load)
        return respond(self._request, found, {"X-Cache": "hit" if is_hit else "miss"})

    def respond(self, value: Body, headers: Mapping[str, str] | None = None) -> Response[Body]:
        """``value`` with its tag, or 304 for who has it; see ``reference_app.conditional``."""
        return respond(self._request, represent(value), headers)

    def stream(
        self, statement: Statement, parameters: Mapping[str, Any], row: Callable[..., Row]
    ) -> AsyncGenerator[list[Row]]:
        """Run one statement as the principal, batch by batch; see :meth:`Database.stream`."""
        return self._source.stream(self.principal, statement, parameters, row)


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


def provide_session(
    database: Database, pages: PageCache | None, reports: Reports | None, variant: Variant
) -> Callable[..., Session]:
    """Make the dependency ``session`` of an application.

    Args:
        database: Runs the statements.
        pages: Keeps answers; None in a variant without a cache.
        reports: Chooses where reports are read; None in a variant without a replica.
        variant: The switches.
    """

    def session(request: Request[Principal, Any, Any]) -> Session:
        return Session(database, pages, reports, request, variant)

    return session


def token_sha256(token: str) -> str:
    """What the database keeps of a token and a guest is known by.

    A plain hash is enough: a token has 256 random bits, so there is nothing to guess.
    """
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def provide_guest_session(database: Database, variant: Variant) -> Callable[..., GuestSession]:
    """Make the dependency ``guest_session`` of routes with a ``{token}`` in their path."""

    def guest_session(token: FromPath[str]) -> GuestSession:
        return GuestSession(database, Guest(token_sha256(token)), variant)

    return guest_session
