"""Reading and changing the information of a gîte; each is one statement in every layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, LiteralString
from uuid import UUID

from psycopg.sql import SQL

from reference_app.information.columns import COLUMNS, Column, Layout
from reference_app.information.statements import as_text, change, columns_named, expression, joins
from reference_app.information.values import (
    NAMES,
    SECTIONS,
    Information,
    InformationChange,
    Section,
    given_sections,
    read_information,
    to_columns,
)
from reference_app.session import Session

Row = Mapping[str, Any]

# One change of a gîte at a time, whatever its layout: a split keeps a section in several rows, and
# two changes that took them in turns would leave parts of both.
_TAKE_TURN: LiteralString = """/* take_turn */
SELECT id FROM gites WHERE id = %(gite)s AND owner_user_id = %(owner)s FOR NO KEY UPDATE"""


def columns_to_read(layout: Layout, sections: tuple[Section, ...]) -> tuple[Column, ...]:
    """What a reader of these sections loads.

    Of the wide table always the whole row, as the application of the sources does (B-98): what a
    split saves can only be seen against that.
    """
    if layout == "wide":
        return COLUMNS
    return columns_named(name for section in sections for name in NAMES[section])


def by_name(columns: tuple[Column, ...], *before: str) -> Callable[..., Row]:
    """A row as a mapping, by the names of the wide table after those of leading columns."""
    names = (*before, *(column.name for column in columns))

    def row(*values: Any) -> Row:
        return dict(zip(names, values, strict=True))

    return row


async def find_information(session: Session, unit_id: UUID) -> Information | None:
    """All sections; None when the gîte does not exist or is somebody else's."""
    layout = session.variant.units_table
    row = await session.first(
        _find(layout),
        {"gite": unit_id, "owner": session.user_id},
        by_name(columns_to_read(layout, SECTIONS), "unit_id"),
    )
    return None if row is None else read_information(row["unit_id"], row)


async def change_information(session: Session, unit_id: UUID, new: InformationChange) -> bool:
    """Replace the sections that are given; False when the gîte is not there for this owner.

    Changes of one gîte take turns, so the result of two is that of one after the other.

    Raises:
        Problem: 400; contacts that cannot be stored.
    """
    sections = given_sections(new)
    changed = await session.first(
        change(session.variant.units_table, tuple(n for s in sections for n in NAMES[s])),
        {**to_columns(new), "gite": unit_id, "owner": session.user_id},
        lambda found: found,
        before=_TAKE_TURN,
    )
    return changed is not None


@cache
def _find(layout: Layout) -> LiteralString:
    columns = columns_to_read(layout, SECTIONS)
    statement = SQL(
        """/* find_information */
        SELECT g.id, {} FROM gites g{}
        WHERE g.id = %(gite)s AND g.owner_user_id = %(owner)s"""
    ).format(
        SQL(", ").join(expression(layout, column) for column in columns),
        joins(layout, SQL("g.id"), columns),
    )
    return as_text(statement)
