"""One list of rows, newest first, in the three pagination variants (B-66, B-72 ... B-78).

A list is declared once, as a value, and then asked for a page::

    TRIPS = Listing(
        name="trips",
        path="/api/trips",
        source="km_trajets r",
        scope="r.owner_user_id = %(owner)s",
        columns="r.id, r.date, r.depart, r.arrivee, r.hectometres",
        row=Trip,
        order=NewestFirst("date", date),
        conditions={"gite_id": "r.gite_id = %(gite_id)s"},
    )
    found = await TRIPS.page(session, page=page, after=after, filters={"gite_id": gite_id})

Statements are put together from these fixed fragments, one for each combination of filters that
occurs: a filter that is not asked for costs nothing, and the planner sees only the conditions that
are there. Values are always parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, Generic, LiteralString, TypeVar

from psycopg.sql import SQL

from reference_app.pages import (
    PAGE_SIZE,
    Cursor,
    Page,
    decode_cursor,
    keyset_page,
    offset_page,
    whole_list,
)
from reference_app.problems import FieldError, invalid
from reference_app.session import Session

Row = TypeVar("Row")

_ALL: LiteralString = """/* list_{name}_all */
SELECT {columns}
FROM {source} WHERE {condition}
ORDER BY {order}"""

# One snapshot for rows and total; the outer join keeps the total of a page without rows.
_OFFSET: LiteralString = """/* list_{name}_offset */
SELECT counted.total, r.*
FROM (SELECT count(*) AS total FROM {source} WHERE {condition}) AS counted
LEFT JOIN LATERAL (
    SELECT {columns}
    FROM {source} WHERE {condition}
    ORDER BY {order}
    LIMIT %(limit)s OFFSET %(offset)s
) AS r ON true
ORDER BY {order}"""

_KEYSET: LiteralString = """/* list_{name}_keyset */
SELECT {columns}
FROM {source} WHERE {condition}
ORDER BY {order}
LIMIT %(limit)s"""


@dataclass(frozen=True, slots=True)
class NewestFirst:
    """The order of a list: by a moment and an id, both descending; marked rows after all others.

    Each name is a column of the listed table and a field of the row.

    Attributes:
        at: The day or instant; never null.
        moment: Which of the two it is.
        id: What tells rows of one moment apart.
        flag: A boolean column, false before true; None sorts by the moment alone.
    """

    at: LiteralString
    moment: type[date] | type[datetime]
    id: LiteralString = "id"
    flag: LiteralString | None = None

    @property
    def sql(self) -> LiteralString:
        """What follows ORDER BY."""
        order = f"r.{self.at} DESC, r.{self.id} DESC"
        return order if self.flag is None else f"r.{self.flag}, {order}"

    @property
    def after(self) -> LiteralString:
        """The condition that holds for the rows behind a cursor."""
        behind = f"(r.{self.at}, r.{self.id}) < (%(after_at)s, %(after_id)s)"
        if self.flag is None:
            return behind
        # The first part alone is what an index on (..., flag, at) can start from.
        return f"r.{self.flag} >= %(after_flag)s AND (r.{self.flag} > %(after_flag)s OR {behind})"

    def cursor(self, row: Any) -> Cursor:
        """Where the rows behind ``row`` start."""
        flag = None if self.flag is None else getattr(row, self.flag)
        return Cursor(getattr(row, self.at), getattr(row, self.id), flag)

    def decode(self, text: str) -> Cursor:
        """Read a cursor of this order.

        Raises:
            Problem: 400; it is not one.
        """
        return decode_cursor(text, self.moment, flagged=self.flag is not None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listing(Generic[Row]):
    """A list that can be asked for, in whichever pagination variant the deployment has.

    Attributes:
        name: Its statements are called ``list_NAME_all``, ``list_NAME_offset`` and so on.
        path: Address, for ``next`` and ``last``.
        source: What follows FROM. The listed table is called ``r``.
        scope: The condition every row meets, whoever filters: whose rows these are. ``%(owner)s``
            is the one who asks, ``%(group)s`` their school group.
        columns: What follows SELECT, in the order of the fields of ``row``; the first one is never
            null.
        row: Makes the value of a row.
        order: The order, total because it ends with an id.
        conditions: What each filter means, by its name in the address; ``%(name)s`` is its value.
    """

    name: LiteralString
    path: str
    source: LiteralString
    scope: LiteralString
    columns: LiteralString
    row: Callable[..., Row]
    order: NewestFirst
    conditions: Mapping[str, LiteralString] = field(default_factory=dict)

    async def page(
        self,
        session: Session,
        *,
        page: int | None,
        after: str | None,
        filters: Mapping[str, Any] | None = None,
    ) -> Page[Row]:
        """The page the client asks for; no position is the first one.

        Args:
            session: Who asks, and the variant of the deployment.
            page: Number from 1, as the client sent it.
            after: Cursor, as the client sent it.
            filters: Values by the names of ``conditions``; None does not narrow.

        Raises:
            Problem: 400; the position is not one of this variant or list.
        """
        active = {name: value for name, value in (filters or {}).items() if value is not None}
        query = {name: _in_an_address(value) for name, value in active.items()}
        pagination = session.variant.pagination
        if after is not None and pagination != "keyset":
            raise invalid(FieldError("after", "this server pages by number: use page"))
        if pagination == "none":
            if page is not None and page > 1:
                raise invalid(FieldError("page", "this server sends the whole list at once"))
            return whole_list(await self._all(session, active))
        if pagination == "offset":
            number = page or 1
            items, total = await self._numbered(session, active, number)
            return offset_page(items, page=number, total=total, path=self.path, filters=query)
        if page is not None and page > 1:
            raise invalid(FieldError("page", "this server pages by cursor: use after"))
        cursor = None if after is None else self.order.decode(after)
        items, following = await self._behind(session, active, cursor)
        return keyset_page(items, next_cursor=following, path=self.path, filters=query)

    async def _all(self, session: Session, filters: Mapping[str, Any]) -> list[Row]:
        """Every matching row (B-78)."""
        statement = _statement(self, _ALL, tuple(filters))
        return await session.rows(
            statement, self._parameters(session, filters), self.row, repeatable=True
        )

    async def _numbered(
        self, session: Session, filters: Mapping[str, Any], page: int
    ) -> tuple[Sequence[Row], int]:
        """Page ``page`` (from 1) and the exact number of matching rows (B-72)."""
        parameters = {
            **self._parameters(session, filters),
            "limit": PAGE_SIZE,
            "offset": (page - 1) * PAGE_SIZE,
        }
        statement = _statement(self, _OFFSET, tuple(filters))
        rows = await session.rows(statement, parameters, self._with_total, repeatable=True)
        # a page beyond the last one is a single row without anything of the list
        return [found for _, found in rows if found is not None], rows[0][0]

    async def _behind(
        self, session: Session, filters: Mapping[str, Any], after: Cursor | None
    ) -> tuple[Sequence[Row], Cursor | None]:
        """The page behind ``after``, and where the one behind it starts; None at the end."""
        parameters = self._parameters(session, filters)
        parameters["limit"] = PAGE_SIZE + 1  # one more tells whether there is a next page
        if after is not None:
            parameters["after_at"] = after.at
            parameters["after_id"] = after.id
            parameters["after_flag"] = after.flag
        statement = _statement(self, _KEYSET, tuple(filters), after=after is not None)
        rows = await session.rows(statement, parameters, self.row, repeatable=True)
        if len(rows) <= PAGE_SIZE:
            return rows, None
        return rows[:PAGE_SIZE], self.order.cursor(rows[PAGE_SIZE - 1])

    def _parameters(self, session: Session, filters: Mapping[str, Any]) -> dict[str, Any]:
        return {**filters, "owner": session.user_id, "group": session.tenant_id}

    def _with_total(self, total: int, *columns: Any) -> tuple[int, Row | None]:
        return total, None if columns[0] is None else self.row(*columns)


def _in_an_address(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@cache  # a list has at most 2^filters combinations, in 3 shapes, with and without a cursor
def _statement(
    listing: Listing[Any], shape: LiteralString, active: tuple[str, ...], *, after: bool = False
) -> LiteralString:
    conditions = [listing.scope, *(listing.conditions[name] for name in active)]
    if after:
        conditions.append(listing.order.after)
    statement = SQL(shape).format(
        name=SQL(listing.name),
        columns=SQL(listing.columns),
        source=SQL(listing.source),
        condition=SQL(" AND ").join(map(SQL, conditions)),
        order=SQL(listing.order.sql),
    )
    return statement.as_string()
