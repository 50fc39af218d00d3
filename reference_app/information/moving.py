"""Moving the gîtes' information between the wide table and its splits, losing nothing (F-14).

The tables of a split exist exactly while it is in use, so they say themselves where the newest
data is. Any way leads over the wide table: a split is brought back into it and dropped, another is
filled from it. The wide table is never dropped ("drop the old table only after validation",
B-100); while a split is in use its rows stand still, and nobody but the owner of the tables may
read them.

All of it runs in the transaction of the migration: a crash leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from reference_app.information.columns import COLUMNS, CONTACTS_TABLE, SOURCES, Layout, Split
from reference_app.information.statements import fill, read_as_wide


class InformationLostError(Exception):
    """A move would not have kept every value; nothing was changed."""


def layout_in_use(connection: psycopg.Connection) -> Layout:
    """Where the information is at the moment."""
    for split in SOURCES:
        found = connection.execute("SELECT to_regclass(%s)", [_tables(split)[0]]).fetchone()
        if found is not None and found[0] is not None:
            return split
    return "wide"


def begin_missing(connection: psycopg.Connection) -> None:
    """Give gîtes that were loaded without information what is known of them."""
    connection.execute(
        """INSERT INTO infos_gites (id, gite_id, owner_user_id, nom, ville, code_postal,
                                    capacite_personnes, couleur_calendrier, actif)
        SELECT g.id, g.id, g.owner_user_id, g.nom, g.ville, g.code_postal, g.capacite, g.couleur,
               g.actif
        FROM gites g WHERE NOT EXISTS (SELECT FROM infos_gites i WHERE i.id = g.id)"""
    )


def bring_back(connection: psycopg.Connection, split: Split) -> None:
    """Put the newest data into the wide table, and drop the split's tables."""
    tables = _list_of(_tables(split))
    # A write between the copy and the drop would be lost; it waits, and finds the tables gone.
    connection.execute(SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(tables))
    connection.execute("TRUNCATE infos_gites")
    connection.execute(
        SQL("INSERT INTO infos_gites ({}) {}").format(
            _list_of(column.name for column in COLUMNS), read_as_wide(split)
        )
    )
    connection.execute("ANALYZE infos_gites")
    _require_the_same(connection, split)
    connection.execute(SQL("DROP TABLE {}").format(tables))


def move_out(connection: psycopg.Connection, split: Split) -> None:
    """Fill the new, empty tables of a split from the wide table.

    Raises:
        InformationLostError: The split does not give every row back as it was.
    """
    connection.execute("LOCK TABLE infos_gites IN ACCESS EXCLUSIVE MODE")
    for statement in fill(split):
        connection.execute(statement)
    # Whoever loads also analyses, and that is us: the planner knows nothing of the new tables.
    connection.execute(SQL("ANALYZE {}").format(_list_of(_tables(split))))
    _require_the_same(connection, split)


def _require_the_same(connection: psycopg.Connection, split: Split) -> None:
    # An aggregate, not LIMIT 1: that makes the planner believe a differing row comes soon, and it
    # chooses nested loops over whole tables.
    found = connection.execute(
        SQL(
            """SELECT count(*), min(coalesce(w.id, s.id)::text) FROM infos_gites w
            FULL JOIN ({}) s ON s.id = w.id
            WHERE ROW({}) IS DISTINCT FROM ROW({})"""
        ).format(
            read_as_wide(split),
            SQL(", ").join(Identifier("w", column.name) for column in COLUMNS),
            SQL(", ").join(Identifier("s", column.name) for column in COLUMNS),
        )
    ).fetchone()
    assert found is not None, "an aggregate without GROUP BY gives one row"
    differing, example = found
    if differing:
        raise InformationLostError(
            f"the information of {differing} gîtes, {example} for one, is not the same in {split}"
        )


def _tables(split: Split) -> list[str]:
    names = list(dict.fromkeys(source.table for source in SOURCES[split].values()))
    return [*names, CONTACTS_TABLE] if split == "split_json" else names


def _list_of(names: Iterable[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))
