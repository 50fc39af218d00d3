"""Space of deleted rows becomes usable again, and the planner learns what is left (B-162)."""

from __future__ import annotations

from psycopg.sql import SQL, Identifier

from reference_app.upkeep.clean import RULES
from reference_app.upkeep.database import Connection

TABLES = tuple(sorted({"reservations", "reservations_archive", *(rule.table for rule in RULES)}))
"""What archive and clean-up write to; the three tables of the source are among them."""


def vacuum(connection: Connection) -> tuple[str, ...]:
    """VACUUM (ANALYZE) every table that upkeep empties, one after the other; returns their names.

    Reading and writing go on meanwhile. The server does the same by itself, a little later: see
    schema/140_upkeep.sql for B-164.

    Raises:
        psycopg.Error: The server refused.
    """
    for table in TABLES:
        connection.execute(SQL("/* vacuum */ VACUUM (ANALYZE) {}").format(Identifier(table)))
    return TABLES
