"""Apply the schema: ``python -m reference_app.migrate --url URL --stage STAGE --variant JSON``.

Two stages, because loading is fastest into bare tables: ``before-data`` makes the tables,
``after-data`` everything that checks, speeds up or protects them. Each stage is one transaction
and idempotent: run again, it changes nothing; run with another variant, it replaces the index set
and the row-security policies of the one before. ANALYZE is left to whoever loaded the data.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Literal

import psycopg

from reference_app.variant import Variant, parse_variant

SCHEMA = Path(__file__).parent / "schema"

Stage = Literal["before-data", "after-data"]

ONE_AT_A_TIME = 0x7061_6C69
"""Advisory lock key: two migrations of one database take turns."""

_CREATES_INDEX = re.compile(r"CREATE INDEX IF NOT EXISTS (idx_\w+)")


def migrate(url: str, stage: Stage, variant: Variant) -> None:
    """Bring the database to the state ``variant`` describes.

    Args:
        url: Connection of the owner of the tables, who may create roles and extensions.
        stage: ``"before-data"`` or ``"after-data"``.
        variant: Only ``indexes`` and ``row_security`` matter here.

    Raises:
        psycopg.Error: The server refused; nothing was changed.
    """
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
        # "relation already exists, skipping" is the point of being idempotent, not news.
        connection.execute("SET LOCAL client_min_messages = warning")
        if stage == "before-data":
            _run(connection, "010_tables.sql")
        else:
            connection.execute("SET LOCAL maintenance_work_mem = '128MB'")
            _run(connection, "100_constraints.sql")
            _run(connection, "200_reference_data.sql")
            _run(connection, "300_functions.sql")
            _run(connection, "310_triggers.sql")
            _run(connection, "400_grants.sql")
            _set_indexes(connection, variant)
            _set_row_security(connection, variant)


def index_names(index_set: Literal["none", "tier1", "full"]) -> frozenset[str]:
    """Names of the ``idx_`` indexes of a set, read from its file."""
    return frozenset(_CREATES_INDEX.findall(_read(f"indexes/{index_set}.sql")))


def _set_indexes(connection: psycopg.Connection, variant: Variant) -> None:
    present = connection.execute(
        "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname ~ '^idx_'"
    )
    for name in {row[0] for row in present} - index_names(variant.indexes):
        connection.execute(psycopg.sql.SQL("DROP INDEX {}").format(psycopg.sql.Identifier(name)))
    _run(connection, f"indexes/{variant.indexes}.sql")


def _set_row_security(connection: psycopg.Connection, variant: Variant) -> None:
    _run(connection, "row_security/drop.sql")
    if variant.row_security in ("indexed", "wrapped"):
        _run(connection, "row_security/owner_indexes.sql")
    else:
        _run(connection, "row_security/drop_owner_indexes.sql")
    if variant.row_security != "off":
        _run(connection, "row_security/enable.sql")
        policies = "wrapped" if variant.row_security == "wrapped" else "per_row"
        _run(connection, f"row_security/{policies}.sql")


def _read(name: str) -> str:
    return (SCHEMA / name).read_text(encoding="utf-8")


def _run(connection: psycopg.Connection, name: str) -> None:
    # Bytes: a file of our own, not a query made from values.
    connection.execute(_read(name).encode())


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 when done, 2 for bad arguments, 5 when the database refused."""
    parser = argparse.ArgumentParser(prog="reference_app.migrate", description=__doc__)
    parser.add_argument("--url", required=True, help="connection of the owner of the tables")
    parser.add_argument("--stage", required=True, choices=["before-data", "after-data"])
    parser.add_argument("--variant", default="{}", help="JSON object of the switches")
    options = parser.parse_args(arguments)
    try:
        variant = parse_variant(options.variant)
    except ValueError as error:
        parser.error(str(error))
    try:
        migrate(options.url, options.stage, variant)
    except psycopg.Error as error:
        sys.stderr.write(f"error: migration stage {options.stage} failed: {error}\n")
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
