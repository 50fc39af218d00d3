"""Guests: a token opens one stay and nothing else."""

from __future__ import annotations

from typing import Final, LiteralString

from psycopg import sql

from palier.invariants.looking import Check, Connection, NotNow, Scene, Seen

PROBED: Final = 5
"""Tokens whose view is tried out."""

_READABLE: Final[tuple[tuple[LiteralString, LiteralString, LiteralString], ...]] = (
    ("client_access_tokens", "reservation_id", "reservation"),
    ("reservations", "id", "reservation"),
    ("hour_requests", "reservation_id", "reservation"),
    ("guest_feedback", "reservation_id", "reservation"),
    ("gites", "id", "gite"),
    ("activites_gites", "gite_id", "gite"),
)
"""(table, column, what it must be equal to); what a guest may read at all."""


def _one_stay(connection: Connection, scene: Scene) -> Seen:
    if scene.row_security == "off":
        raise NotNow(
            "not_applicable",
            "row security is off in this deployment: statements alone keep guests apart",
        )
    tokens = connection.execute(
        "SELECT token, reservation_id, gite_id FROM client_access_tokens"
        " WHERE expires_at > now() AND revoked_at IS NULL ORDER BY id LIMIT %s",
        (PROBED,),
    ).fetchall()
    seen = Seen()
    for token, reservation, gite in tokens:
        own = {"reservation": str(reservation), "gite": str(gite)}
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL ROLE app_guest")
            connection.execute("SELECT set_config('app.token', %s, true)", (token,))
            for table, column, what in _READABLE:
                seen += _visible(connection, table, column, own[what])
    return seen


def _visible(connection: Connection, table: LiteralString, column: LiteralString, own: str) -> Seen:
    row = connection.execute(
        sql.SQL(
            "SELECT count({column}), count(*) FILTER (WHERE {column} <> {own}::uuid) FROM {table}"
        ).format(column=sql.Identifier(column), own=sql.Literal(own), table=sql.Identifier(table))
    ).fetchone()
    visible, foreign = (0, 0) if row is None else (int(row[0]), int(row[1]))
    example = f"the guest of {own} sees {foreign:,} other rows of {table}"
    return Seen(visible, foreign, (example,) if foreign else ())


GUEST_CHECKS: Final = (
    Check(
        id="guests-see-their-stay",
        holds_when="A guest's token shows that stay and its gîte, and nothing else",
        how=f"every table a guest may read, read with {PROBED} tokens and the guests' own role",
        look=_one_stay,
    ),
)
