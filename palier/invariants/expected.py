"""The rows that a run should have left, put beside those that it left."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, LiteralString

import psycopg

from palier.invariants.history import Expected
from palier.invariants.kinds import KINDS

_CREATE: LiteralString = """
    CREATE TEMP TABLE palier_expected (
        number   integer,
        kind     text,
        id       uuid,
        presence text,
        row      jsonb,
        maybe    jsonb,
        identity jsonb,
        told     text
    )
"""


def put_expected(connection: psycopg.Connection[Any], expected: Iterable[Expected]) -> None:
    """Fill the temporary table ``palier_expected``; one join then compares all rows of a kind."""
    connection.execute(_CREATE)
    columns = "number, kind, id, presence, row, maybe, identity, told"
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY palier_expected ({columns}) FROM STDIN".encode()) as copy,
    ):
        for number, one in enumerate(expected):
            copy.write_row(
                (
                    number,
                    one.kind,
                    one.id,
                    one.presence,
                    json.dumps(one.row),
                    json.dumps(one.maybe),
                    _identity(one),
                    one.told,
                )
            )
    connection.execute("ANALYZE palier_expected")


def _identity(one: Expected) -> str | None:
    """The identity of a creation; None for a row that was there before."""
    if one.born_with is None:
        return None
    wanted = [column for column, _ in KINDS[one.kind].identity]
    return json.dumps({column: one.born_with[column] for column in wanted})
