"""The list of reservations: newest arrival first, in three pagination variants.

Statements are put together from the fixed fragments below, one for each combination of filters
that occurs: a filter that is not asked for costs nothing, and the planner sees only the
conditions that are there. Values are always parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, LiteralString

from psycopg.sql import SQL, Composed

from reference_app.pages import PAGE_SIZE, Cursor
from reference_app.reservations.values import Filters, Reservation
from reference_app.session import Session

_CONDITIONS: dict[str, LiteralString] = {
    "arrival_from": "r.date_debut >= %(arrival_from)s",
    "arrival_to": "r.date_debut <= %(arrival_to)s",
    "platform": "r.plateforme = %(platform)s",
    "status": "r.status = %(status)s",
    "gite_id": "r.gite_id = %(gite_id)s",
    # the expression of I-12, word for word, or the index is not used
    "guest": "to_tsvector('french', r.client_nom) @@ websearch_to_tsquery('french', %(guest)s)",
}

_COLUMNS: LiteralString = """r.id, r.gite_id, r.date_debut, r.date_fin, r.client_nom,
       r.client_email, r.voyageurs, r.plateforme, r.status, r.prix_centimes, r.created_at,
       r.updated_at"""

_ALL: LiteralString = """/* list_reservations_all */
SELECT {columns}
FROM reservations r WHERE {condition}
ORDER BY r.date_debut DESC, r.id DESC"""

# One snapshot for rows and total; the outer join keeps the total of a page without rows.
_OFFSET: LiteralString = """/* list_reservations_offset */
SELECT counted.total, r.*
FROM (SELECT count(*) AS total FROM reservations r WHERE {condition}) AS counted
LEFT JOIN LATERAL (
    SELECT {columns}
    FROM reservations r WHERE {condition}
    ORDER BY r.date_debut DESC, r.id DESC
    LIMIT %(limit)s OFFSET %(offset)s
) AS r ON true
ORDER BY r.date_debut DESC, r.id DESC"""

_KEYSET: LiteralString = """/* list_reservations_keyset */
SELECT {columns}
FROM reservations r WHERE {condition}
ORDER BY r.date_debut DESC, r.id DESC
LIMIT %(limit)s"""

_AFTER: LiteralString = "(r.date_debut, r.id) < (%(after_day)s, %(after_id)s)"


async def all_reservations(session: Session, filters: Filters) -> list[Reservation]:
    """Every matching reservation (B-78)."""
    parameters = _parameters(session, filters)
    return await session.rows(_statement(_ALL, _active(filters)), parameters, Reservation)


async def page_of_reservations(
    session: Session, filters: Filters, page: int
) -> tuple[Sequence[Reservation], int]:
    """Page ``page`` (from 1) and the exact number of matching rows (B-72)."""
    parameters = _parameters(session, filters)
    parameters["limit"] = PAGE_SIZE
    parameters["offset"] = (page - 1) * PAGE_SIZE
    rows = await session.rows(_statement(_OFFSET, _active(filters)), parameters, _with_total)
    # a page beyond the last one is a single row without a reservation
    return [found for _, found in rows if found is not None], rows[0][0]


async def reservations_after(
    session: Session, filters: Filters, after: Cursor | None
) -> tuple[Sequence[Reservation], Cursor | None]:
    """The page that follows ``after``, and where the one after it starts; None at the end."""
    parameters = _parameters(session, filters)
    parameters["limit"] = PAGE_SIZE + 1  # one more tells whether there is a next page
    if after is not None:
        parameters["after_day"] = after.day
        parameters["after_id"] = after.id
    rows = await session.rows(
        _statement(_KEYSET, _active(filters), after=after is not None),
        parameters,
        Reservation,
    )
    if len(rows) <= PAGE_SIZE:
        return rows, None
    last = rows[PAGE_SIZE - 1]
    return rows[:PAGE_SIZE], Cursor(last.date_debut, last.id)


def _with_total(total: int, *columns: Any) -> tuple[int, Reservation | None]:
    return total, None if columns[0] is None else Reservation(*columns)


def _active(filters: Filters) -> tuple[str, ...]:
    return tuple(name for name in _CONDITIONS if getattr(filters, name) is not None)


def _parameters(session: Session, filters: Filters) -> dict[str, Any]:
    values = {name: getattr(filters, name) for name in _active(filters)}
    return {"owner": session.user_id, **values}


@cache  # at most 3 shapes x 64 combinations, with and without a cursor
def _statement(shape: LiteralString, active: tuple[str, ...], *, after: bool = False) -> Composed:
    conditions: list[LiteralString] = ["r.owner_user_id = %(owner)s"]
    conditions += [_CONDITIONS[name] for name in active]
    if after:
        conditions.append(_AFTER)
    return SQL(shape).format(
        columns=SQL(_COLUMNS), condition=SQL(" AND ").join(map(SQL, conditions))
    )
