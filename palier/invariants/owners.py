"""Rows of one owner: they hang together, and nobody else sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from psycopg import sql

from palier.invariants.looking import Check, Connection, NotNow, Scene, Seen, broken_rows, number

PROBED: Final = 5
"""Owners whose view is tried out; each costs a look at every table."""


def _parents(connection: Connection, _scene: Scene) -> Seen:
    """Found in the catalogue, so a new table is looked at without a word here."""
    seen = Seen()
    for table, owner, parent, parent_owner, key in _references(connection):
        broken = sql.SQL(
            """
            SELECT {table} || ' ' || c.{key} || ' is of ' || c.{owner} || ', its parent of '
                   || p.{parent_owner} AS example
            FROM {child} c JOIN {parent} p ON p.id = c.{key}
            WHERE c.{owner} <> p.{parent_owner}
            """
        ).format(
            table=sql.Literal(f"{table}.{key}"),
            child=sql.Identifier(table),
            key=sql.Identifier(key),
            owner=sql.Identifier(owner),
            parent=sql.Identifier(parent),
            parent_owner=sql.Identifier(parent_owner),
        )
        count = sql.SQL("SELECT count({}) FROM {}").format(
            sql.Identifier(key), sql.Identifier(table)
        )
        seen += Seen(number(connection, count), *broken_rows(connection, broken))
    return seen


def _references(connection: Connection) -> Iterator[tuple[str, str, str, str, str]]:
    """(table, its owner column, parent, the parent's owner column, key column)."""
    parents = {
        "gite_id": ("gites", "owner_user_id"),
        "reservation_id": ("reservations_all", "owner_user_id"),
    }
    for table, owner in _owned_tables(connection):
        columns = {
            name
            for (name,) in connection.execute(
                "SELECT column_name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND table_name = %s",
                (table,),
            )
        }
        for key, (parent, parent_owner) in parents.items():
            if key in columns:
                yield table, owner, parent, parent_owner, key


def _owned_tables(connection: Connection) -> list[tuple[str, str]]:
    """Tables with a column that names their owner."""
    return connection.execute(
        """
        SELECT c.table_name, c.column_name
        FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE'
          AND c.column_name IN ('owner_user_id', 'user_id')
        ORDER BY c.table_name
        """
    ).fetchall()


def _foreign_rows(connection: Connection, scene: Scene) -> Seen:
    if scene.row_security == "off":
        raise NotNow(
            "not_applicable",
            "row security is off in this deployment: statements alone keep owners apart",
        )
    owners = connection.execute(
        # By id, which says nothing about an owner: a fixed sample of all sizes.
        "SELECT id FROM users WHERE role = 'owner' ORDER BY id LIMIT %s",
        (PROBED,),
    ).fetchall()
    readable = [
        (table, column)
        for table, column in _owned_tables(connection)
        if _may_read(connection, table, column)
    ]
    seen = Seen()
    for (owner,) in owners:
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL ROLE app_user")
            connection.execute(
                "SELECT set_config('app.user_id', %(owner)s, true),"
                " set_config('app.role', 'owner', true),"
                " set_config('app.tenant_id', %(owner)s, true)",
                {"owner": str(owner)},
            )
            for table, column in readable:
                seen += _visible(connection, table, column, str(owner))
    return seen


def _may_read(connection: Connection, table: str, column: str) -> bool:
    row = connection.execute(
        "SELECT has_column_privilege('app_user', %s, %s, 'SELECT')", (table, column)
    ).fetchone()
    return bool(row is not None and row[0])


def _visible(connection: Connection, table: str, column: str, owner: str) -> Seen:
    query = sql.SQL(
        "SELECT count({column}), count(*) FILTER (WHERE {column} <> {owner}::uuid) FROM {table}"
    ).format(column=sql.Identifier(column), owner=sql.Literal(owner), table=sql.Identifier(table))
    row = connection.execute(query).fetchone()
    visible, foreign = (0, 0) if row is None else (int(row[0]), int(row[1]))
    example = f"owner {owner} sees {foreign:,} rows of others in {table}"
    return Seen(visible, foreign, (example,) if foreign else ())


OWNER_CHECKS: Final = (
    Check(
        id="rows-of-one-owner",
        holds_when="A row about a gîte or a stay belongs to the owner of that gîte or stay",
        how="every table that names an owner joined with gîtes and stays",
        look=_parents,
    ),
    Check(
        id="no-foreign-rows",
        holds_when="Nobody sees a row of another owner",
        how=f"every table read as {PROBED} owners, with the application's own role",
        look=_foreign_rows,
    ),
)
