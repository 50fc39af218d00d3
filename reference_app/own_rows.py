"""Rows that belong to somebody, one at a time: find, change, delete.

What :mod:`reference_app.listing` is for lists, this is for a single row: declared once, as a value,
and put together from fixed fragments. Every statement says itself whose row it may touch; row
security is the second lock::

    SCHOOL = OwnRows(
        name="school",
        table="schools",
        scope="school_group_id = %(group)s",
        columns="id, name, city, created_at",
        row=School,
        changeable=("name", "city"),
    )
    changed = await SCHOOL.change(session, school_id, {"city": "Dole"})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, LiteralString, TypeVar
from uuid import UUID

from psycopg.sql import SQL

from reference_app.problems import not_found
from reference_app.session import Session

Row = TypeVar("Row")
Found = TypeVar("Found")

_FIND: LiteralString = """/* find_{name} */
SELECT {columns} FROM {table} WHERE id = %(id)s AND {condition}"""

_CHANGE: LiteralString = """/* change_{name} */
UPDATE {table} SET {changes} WHERE id = %(id)s AND {condition}
RETURNING {columns}"""

_DELETE: LiteralString = """/* delete_{name} */
DELETE FROM {table} WHERE id = %(id)s AND {condition}
RETURNING id"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnRows(Generic[Row]):
    """The rows of one table that belong to the one who asks.

    Attributes:
        name: Its statements are called ``find_NAME``, ``change_NAME`` and ``delete_NAME``.
        table: Its key is called ``id``.
        scope: Whose rows these are; ``%(owner)s`` is the one who asks, ``%(group)s`` their school
            group.
        columns: What an answer shows, in the order of the fields of ``row``.
        row: Makes the value of a row.
        changeable: Columns that may be changed.
        provided: What must hold for a new value of a column, beyond the rules of the database;
            ``%(COLUMN)s`` is the value.
        touched: What else a change sets, such as ``updated_at = now()``.
        spoken: What people call such a row; None when that is its name.
    """

    name: LiteralString
    table: LiteralString
    scope: LiteralString
    columns: LiteralString
    row: Callable[..., Row]
    changeable: Sequence[LiteralString] = ()
    provided: Mapping[str, LiteralString] = field(default_factory=dict)
    touched: Sequence[LiteralString] = ()
    spoken: str | None = None

    async def find(self, session: Session, row_id: UUID) -> Row:
        """The row.

        Raises:
            Problem: 404; it is not there for the one who asks.
        """
        return self._there(
            await session.first(
                _statement(self, _FIND),
                self._parameters(session, row_id),
                self.row,
                repeatable=True,
            )
        )

    async def change(self, session: Session, row_id: UUID, changes: Mapping[str, Any]) -> Row:
        """Give the named columns new values.

        Args:
            changes: New values by column; a column that is missing keeps its value.

        Returns:
            The row as it is now.

        Raises:
            Problem: 404; it is not there for the one who asks, or a new value is none that may be.
            psycopg.Error: The new values break a rule of the database.
        """
        changed = tuple(column for column in self.changeable if column in changes)
        if not changed:
            return await self.find(session, row_id)
        parameters = self._parameters(session, row_id)
        parameters.update((column, changes[column]) for column in changed)
        return self._there(
            await session.first(_statement(self, _CHANGE, changed), parameters, self.row)
        )

    async def delete(self, session: Session, row_id: UUID) -> None:
        """Remove the row.

        Raises:
            Problem: 404; it is not there for the one who asks.
            psycopg.errors.ForeignKeyViolation: Other rows refer to it.
        """
        self._there(
            await session.first(
                _statement(self, _DELETE), self._parameters(session, row_id), _as_it_is
            )
        )

    def _there(self, found: Found | None) -> Found:
        if found is None:
            raise not_found(self.spoken or self.name)
        return found

    def _parameters(self, session: Session, row_id: UUID) -> dict[str, Any]:
        return {"id": row_id, "owner": session.user_id, "group": session.tenant_id}


def _as_it_is(row_id: UUID) -> UUID:
    return row_id


@cache  # at most 2^changeable combinations of each kind of row
def _statement(
    rows: OwnRows[Any], shape: LiteralString, changed: tuple[LiteralString, ...] = ()
) -> LiteralString:
    conditions = [rows.scope, *(rows.provided[name] for name in changed if name in rows.provided)]
    statement = SQL(shape).format(
        name=SQL(rows.name),
        table=SQL(rows.table),
        condition=SQL(" AND ").join(map(SQL, conditions)),
        columns=SQL(rows.columns),
        changes=SQL(", ").join(
            map(SQL, (*(f"{column} = %({column})s" for column in changed), *rows.touched))
        ),
    )
    return statement.as_string()
