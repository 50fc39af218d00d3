"""How a layout is read and written: statements made from the map in ``columns``.

The same expressions read a split for the application and move it back into the wide table, and the
same ones write a request's values and fill a split, so no two of them can disagree. Names come
from the map, values are always parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import LiteralString

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal, Placeholder

from reference_app.information.columns import (
    BY_NAME,
    COLUMNS,
    CONTACT_PARTS,
    CONTACTS,
    CONTACTS_TABLE,
    SOURCES,
    Column,
    InContact,
    Layout,
    Split,
)

Value = Callable[[Column], Composable]
"""Gives the expression for the new value of a column."""

_CONTACTS_ALIAS: LiteralString = "contact"

_COMMA = SQL(", ")


@dataclass(frozen=True, slots=True)
class Assignment:
    """A new value of a column of a split; ``merged`` into the JSONB that is there."""

    column: LiteralString
    value: Composable
    merged: bool = False


def as_text(statement: Composable) -> LiteralString:
    """A statement as :meth:`Database.rows` takes it: everything in it is a text of ours."""
    return statement.as_string()


def columns_named(names: Iterable[str]) -> tuple[Column, ...]:
    """Columns of the map, by name."""
    return tuple(BY_NAME[name] for name in names)


# reading ----------------------------------------------------------------------------------


def expression(layout: Layout, column: Column) -> Composable:
    """The value of a column, from the rows of :func:`joins`."""
    if layout == "wide":
        return Identifier("wide", column.name)
    place = column.place(layout)
    if isinstance(place, InContact):
        return Identifier(_CONTACTS_ALIAS, column.name)
    found: Composable = Identifier(place.source, place.column)
    if place.lines:
        # a text without a line break is one line, and the empty text none
        return SQL("array_to_string({}, E'\\n')").format(found)
    if place.key is not None:
        found = SQL("({} ->> {})::{}").format(found, Literal(place.key), SQL(column.type))
    if column.default is not None:
        found = SQL("coalesce({}, {})").format(found, SQL(column.default))
    return found


def joins(
    layout: Layout, gite: Composable, columns: Sequence[Column], *, of_all: bool = False
) -> Composed:
    """The rows that hold these columns, of the gîte whose id is ``gite``; an outer join each.

    Args:
        layout: Whose rows.
        gite: Expression for the id.
        columns: What is to be read; rows with nothing of it are not joined.
        of_all: All gîtes are read, not a few: contacts are then grouped once.
    """
    if layout == "wide":
        return SQL(" LEFT JOIN infos_gites wide ON wide.id = {}").format(gite)
    places = [column.place(layout) for column in columns]
    needed = {place.source for place in places if not isinstance(place, InContact)}
    found = []
    for alias, source in SOURCES[layout].items():
        if alias in needed:
            condition = SQL("{} = {}").format(Identifier(alias, source.gite), gite)
            if source.language is not None:
                condition += SQL(" AND {} = {}").format(
                    Identifier(alias, "langue"), Literal(source.language)
                )
            found.append(
                SQL(" LEFT JOIN {} {} ON {}").format(
                    Identifier(source.table), Identifier(alias), condition
                )
            )
    if any(isinstance(place, InContact) for place in places):
        if of_all:
            contacts = SQL(" LEFT JOIN ({0} GROUP BY c.gite_id) {1} ON {1}.of_gite = {2}")
        else:
            contacts = SQL(" LEFT JOIN LATERAL ({0} WHERE c.gite_id = {2} GROUP BY 1) {1} ON true")
        found.append(contacts.format(_contacts_as_columns(), Identifier(_CONTACTS_ALIAS), gite))
    return SQL("").join(found)


@cache
def read_as_wide(layout: Split) -> Composed:
    """All rows of a split in the shape of the wide table."""
    source = next(iter(SOURCES[layout].values()))
    return SQL("SELECT {} FROM (SELECT {} AS gite FROM {}) each_gite{}").format(
        _COMMA.join(
            SQL("{} AS {}").format(expression(layout, column), Identifier(column.name))
            for column in COLUMNS
        ),
        Identifier(source.gite),
        Identifier(source.table),
        joins(layout, Identifier("each_gite", "gite"), COLUMNS, of_all=True),
    )


@cache
def _contacts_as_columns() -> Composed:
    return SQL("SELECT c.gite_id AS of_gite, {} FROM {} c").format(
        _COMMA.join(
            SQL("max(c.{}) FILTER (WHERE c.type = {}) AS {}").format(
                Identifier(part), Literal(kind), Identifier(name)
            )
            for kind, names in CONTACTS.items()
            for name, part in zip(names, CONTACT_PARTS, strict=True)
        ),
        Identifier(CONTACTS_TABLE),
    )


# writing ----------------------------------------------------------------------------------


def parameter(column: Column) -> Composable:
    """The request's value of a column."""
    return SQL("{}::{}").format(Placeholder(column.name), SQL(column.type))


@cache
def change(layout: Layout, names: tuple[str, ...]) -> LiteralString:
    """Give new values to these columns of one gîte of one owner; a row when there is such a gîte.

    Parameters are ``gite``, ``owner`` and the columns by their names in the wide table.
    """
    columns = (*columns_named(names), BY_NAME["updated_at"])
    statement = SQL(
        """/* change_information */
        WITH mine AS (
            SELECT g.id FROM gites g WHERE g.id = %(gite)s AND g.owner_user_id = %(owner)s
        ), {}
        SELECT mine.id FROM mine"""
    ).format(
        _COMMA.join(
            SQL("{} AS ({})").format(Identifier(f"change_{number}"), change)
            for number, change in enumerate(_changes(layout, columns))
        )
    )
    return as_text(statement)


def _changes(layout: Layout, columns: Sequence[Column]) -> Iterator[Composable]:
    def value(column: Column) -> Composable:
        return SQL("now()") if column.name == "updated_at" else parameter(column)

    if layout == "wide":
        yield SQL("UPDATE infos_gites t SET {} FROM mine WHERE t.id = mine.id").format(
            _COMMA.join(
                SQL("{} = {}").format(Identifier(column.name), value(column)) for column in columns
            )
        )
        return
    for alias, source in SOURCES[layout].items():
        if assigned := _assignments(layout, alias, columns, value):
            statement = SQL("UPDATE {} t SET {} FROM mine WHERE t.{} = mine.id").format(
                Identifier(source.table),
                _COMMA.join(_set(assignment) for assignment in assigned),
                Identifier(source.gite),
            )
            if source.language is not None:
                statement += SQL(" AND t.langue = {}").format(Literal(source.language))
            yield statement
    if any(isinstance(column.place(layout), InContact) for column in columns):
        # Two sets of rows without one in common, so their order does not matter.
        yield SQL(
            """DELETE FROM {} t USING mine, LATERAL ({}) given
            WHERE t.gite_id = mine.id AND t.type = given.type AND NOT given.present"""
        ).format(Identifier(CONTACTS_TABLE), _contacts_as_rows(value))
        yield SQL(
            """INSERT INTO {} (gite_id, type, {})
            SELECT mine.id, given.type, {} FROM mine, LATERAL ({}) given WHERE given.present
            ON CONFLICT (gite_id, type) DO UPDATE SET {}"""
        ).format(
            Identifier(CONTACTS_TABLE),
            _COMMA.join(map(Identifier, CONTACT_PARTS)),
            _COMMA.join(Identifier("given", part) for part in CONTACT_PARTS),
            _contacts_as_rows(value),
            _COMMA.join(
                SQL("{0} = EXCLUDED.{0}").format(Identifier(part)) for part in CONTACT_PARTS
            ),
        )


def fill(layout: Split) -> Iterator[Composed]:
    """Statements that fill the empty tables of a split from the wide table."""

    def value(column: Column) -> Composable:
        return Identifier("wide", column.name)

    for alias, source in SOURCES[layout].items():
        assigned = _assignments(layout, alias, COLUMNS, value)
        if source.gite not in {assignment.column for assignment in assigned}:
            assigned.append(Assignment(source.gite, Identifier("wide", "id")))
        if source.language is not None:
            assigned.append(Assignment("langue", Literal(source.language)))
        yield SQL("INSERT INTO {} ({}) SELECT {} FROM infos_gites wide").format(
            Identifier(source.table),
            _COMMA.join(Identifier(assignment.column) for assignment in assigned),
            _COMMA.join(assignment.value for assignment in assigned),
        )
    if layout == "split_json":
        yield SQL(
            """INSERT INTO {} (gite_id, type, {})
            SELECT wide.id, given.type, {} FROM infos_gites wide, LATERAL ({}) given
            WHERE given.present"""
        ).format(
            Identifier(CONTACTS_TABLE),
            _COMMA.join(map(Identifier, CONTACT_PARTS)),
            _COMMA.join(Identifier("given", part) for part in CONTACT_PARTS),
            _contacts_as_rows(value),
        )


def _assignments(
    layout: Split, alias: LiteralString, columns: Sequence[Column], value: Value
) -> list[Assignment]:
    """What a row of a split must be given, for these columns to have these values."""
    plain: dict[LiteralString, Assignment] = {}
    keyed: dict[LiteralString, list[Composable]] = {}
    for column in columns:
        place = column.place(layout)
        if isinstance(place, InContact) or alias not in (place.source, *place.also):
            continue
        new = value(column)
        if place.key is not None:
            keyed.setdefault(place.column, []).extend((Literal(place.key), new))
        else:
            if place.lines:
                new = SQL("string_to_array({}, E'\\n')").format(new)
            # id and gite_id of the wide table are one column here
            plain[place.column] = Assignment(place.column, new)
    documents = [
        Assignment(column, SQL("jsonb_build_object({})").format(_COMMA.join(pairs)), merged=True)
        for column, pairs in keyed.items()
    ]
    return [*plain.values(), *documents]


def _set(assignment: Assignment) -> Composable:
    column = Identifier(assignment.column)
    if assignment.merged:
        return SQL("{0} = t.{0} || {1}").format(column, assignment.value)
    return SQL("{} = {}").format(column, assignment.value)


def _contacts_as_rows(value: Value) -> Composed:
    """The nine contacts, and whether each of them is there at all."""
    return SQL(
        """SELECT v.*, num_nonnulls(v.nom, v.telephone, v.adresse, v.disponibilite) > 0 AS present
        FROM (VALUES {}) AS v (type, nom, telephone, adresse, disponibilite)"""
    ).format(
        _COMMA.join(
            SQL("({}, {})").format(
                Literal(kind), _COMMA.join(value(column) for column in columns_named(names))
            )
            for kind, names in CONTACTS.items()
        )
    )
