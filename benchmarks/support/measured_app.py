"""The application with one habit changed, for benchmarks; the environment says which.

``BENCH_PIPELINE=off``: begin, identity, statement and commit in four round trips.
``BENCH_PREPARE=off``: every statement is parsed and planned anew.
``BENCH_ENCODING=json``: answers are encoded by the standard library.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from litestar import Litestar, Response
from psycopg.rows import args_row

from reference_app import app, database
from reference_app.database import Statement
from reference_app.identity.principal import Guest, Principal

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


def _render_by_library(_: Response[Any], content: Any, *__: Any, **___: Any) -> bytes:
    if content is None or isinstance(content, bytes):
        return content or b""
    return json.dumps(msgspec.to_builtins(content)).encode()


def create_app() -> Litestar:
    """The application as the environment wants it."""
    if os.environ.get("BENCH_PIPELINE") == "off":
        _replace(app, "Database", FourRoundTrips)
    if os.environ.get("BENCH_PREPARE") == "off":
        _replace(database.Database, "_prepared_on", lambda *_: None)
    if os.environ.get("BENCH_ENCODING") == "json":
        _replace(Response, "render", _render_by_library)
    return app.create_app()


def _replace(owner: object, name: str, value: object) -> None:
    if not hasattr(owner, name):
        raise AttributeError(f"{owner} has no {name} any more: the benchmark measures nothing")
    setattr(owner, name, value)
