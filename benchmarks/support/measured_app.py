"""The application with one habit changed, for benchmarks; the environment says which.

``BENCH_PIPELINE=off``: begin, identity, statement and commit in four round trips.
``BENCH_PREPARE=off``: every statement is parsed and planned anew.
``BENCH_ENCODING=json``: answers are encoded by the standard library.

``/bench/reservations`` answers the first page of reservations as PostgreSQL writes it: the rows
become JSON there, and the application passes the bytes on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from litestar import Litestar, Response, get
from litestar.di import NamedDependency
from psycopg.rows import args_row

from reference_app import app, conditional, database
from reference_app.conditional import Ready
from reference_app.database import Statement
from reference_app.identity.principal import Guest, Principal
from reference_app.listing import _OFFSET, _statement
from reference_app.pages import PAGE_SIZE
from reference_app.reservations.listing import RESERVATIONS
from reference_app.session import Session

Row = TypeVar("Row")


class FourRoundTrips(database.Database):
    """What most applications do."""

    async def rows(
        self,
        principal: Principal | Guest | None,
        statement: Statement,
        parameters: Mapping[str, Any],
        row: Callable[..., Row],
        *,
        before: Statement | None = None,
        repeatable: bool = False,  # noqa: ARG002  nothing is repeated here
    ) -> list[Row]:
        async with self._connection() as connection, connection.transaction():
            connection.prepare_threshold = 1
            cursor = connection.cursor(binary=True, row_factory=args_row(row))
            for identity, values in self._identity(principal):
                await connection.execute(identity, values)
            if before is not None:
                await connection.execute(before, parameters)
            await cursor.execute(statement, parameters)
            return await cursor.fetchall()


def _encode_by_library(value: Any, _: Any = None) -> bytes:
    return json.dumps(msgspec.to_builtins(value)).encode()


@get("/bench/reservations", include_in_schema=False)
async def page_by_the_server(session: NamedDependency[Session]) -> Response[Any]:
    """The same statement as the page's own, wrapped."""
    statement = _statement(RESERVATIONS, _OFFSET, ())
    wrapped = f"/* page_by_the_server */ SELECT json_agg(page)::text FROM ({statement}) AS page"
    parameters = {"owner": session.user_id, "limit": PAGE_SIZE, "offset": 0}
    found = await session.first(wrapped, parameters, str)
    return Ready(HTTPStatus.OK, {"Content-Type": "application/json"}, (found or "[]").encode())


def create_app() -> Litestar:
    """The application as the environment wants it."""
    if os.environ.get("BENCH_PIPELINE") == "off":
        _replace(app, "Database", FourRoundTrips)
    if os.environ.get("BENCH_PREPARE") == "off":
        _replace(database.Database, "_prepared_on", lambda *_: None)
    if os.environ.get("BENCH_ENCODING") == "json":
        _replace(conditional, "encode_json", _encode_by_library)
    made = app.create_app()
    made.register(page_by_the_server)
    return made


def _replace(owner: object, name: str, value: object) -> None:
    if not hasattr(owner, name):
        raise AttributeError(f"{owner} has no {name} any more: the benchmark measures nothing")
    setattr(owner, name, value)
