"""Apply the schema: ``python -m reference_app.migrate --url URL --stage STAGE --variant JSON``.

Two stages, because loading is fastest into bare tables: ``before-data`` makes the tables,
``after-data`` everything that checks, speeds up or protects them. Each stage is one transaction
and idempotent: run again, it changes nothing; run with another variant, it replaces the index set
and the row-security policies of the one before. ANALYZE is left to whoever loaded the data.

A part of the application brings its own files, and nothing here names them: ``0*.sql`` are tables;
``1*`` constraints, ``2*`` reference data, ``3*`` functions and triggers, ``4*`` grants, run in the
order of their numbers; ``indexes/SET/``, ``row_security/policies/`` and
``row_security/owner_indexes/`` hold one file a part. ``units_table/VARIANT/`` has the same shape,
for tables that only this variant of the gîtes' information has; ``owner_versions/`` is there only
for variants that keep copies of rows: a cache, or a replica to read from; ``views/`` only for
materialised views.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Literal

import psycopg
from psycopg.sql import SQL, Identifier

from reference_app.information.columns import Layout
from reference_app.information.moving import (
    InformationLostError,
    begin_missing,
    bring_back,
    layout_in_use,
    move_out,
)
from reference_app.variant import Variant, parse_variant

SCHEMA = Path(__file__).parent / "schema"

Stage = Literal["before-data", "after-data"]

ONE_AT_A_TIME = 0x7061_6C69
"""Advisory lock key: two migrations of one database take turns."""

_CREATES_INDEX = re.compile(r"CREATE (?:UNIQUE )?INDEX IF NOT EXISTS (idx_\w+)")

_ASKS = {
    "user_id": "nullif(current_setting('app.user_id', true), '')::uuid",
    "tenant_id": "nullif(current_setting('app.tenant_id', true), '')::uuid",
    "role": "current_setting('app.role', true)",
    "token": "nullif(current_setting('app.token', true), '')",
}
"""What the policies' ``:name`` stands for: who asks, as ``reference_app.database`` says it."""

_ASK = re.compile(rf"(?<!:):({'|'.join(_ASKS)})\b")


def migrate(url: str, stage: Stage, variant: Variant) -> None:
    """Bring the database to the state ``variant`` describes.

    Args:
        url: Connection of the owner of the tables, who may create roles and extensions.
        stage: ``"before-data"`` or ``"after-data"``.
        variant: Of these only ``indexes``, ``units_table``, ``row_security``, ``cache``, ``views``
            and ``reads`` matter here.

    Raises:
        psycopg.Error: The server refused; nothing was changed.
        InformationLostError: The gîtes' information would not have survived; nothing was changed.
    """
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
        # "relation already exists, skipping" is the point of being idempotent, not news.
        connection.execute("SET LOCAL client_min_messages = warning")
        if stage == "before-data":
            _run(connection, "0*.sql")
        else:
            connection.execute("SET LOCAL maintenance_work_mem = '128MB'")
            _run(connection, "1*.sql")
            _set_units_table(connection, variant)
            for step in ("2*.sql", "3*.sql", "4*.sql"):
                _run(connection, step)
                _run(connection, f"units_table/{variant.units_table}/{step}")
            _set_indexes(connection, variant)
            _set_row_security(connection, variant)
            _set_owner_versions(connection, variant)
            _set_views(connection, variant)


def index_names(
    index_set: Literal["none", "tier1", "full"], units_table: Layout = "wide"
) -> frozenset[str]:
    """Names of the ``idx_`` indexes of a set, read from its files; ``none`` has no files."""
    return frozenset(
        name
        for file in _files_of(units_table, f"indexes/{index_set}/*.sql")
        for name in _CREATES_INDEX.findall(file.read_text(encoding="utf-8"))
    )


def _set_units_table(connection: psycopg.Connection, variant: Variant) -> None:
    """Put the gîtes' information where the variant keeps it."""
    present, wanted = layout_in_use(connection), variant.units_table
    if present != wanted and present != "wide":
        bring_back(connection, present)
    if present == "wide":
        begin_missing(connection)
    if present != wanted and wanted != "wide":
        _run(connection, f"units_table/{wanted}/0*.sql")
        move_out(connection, wanted)
    _run(connection, f"units_table/{wanted}/1*.sql")


def _set_indexes(connection: psycopg.Connection, variant: Variant) -> None:
    wanted = index_names(variant.indexes, variant.units_table)
    _drop_indexes(connection, "idx_", keep=wanted)
    for file in _files_of(variant.units_table, f"indexes/{variant.indexes}/*.sql"):
        connection.execute(file.read_bytes())


def _set_row_security(connection: psycopg.Connection, variant: Variant) -> None:
    """Start from nothing, so that any variant can follow any other."""
    for name, table in connection.execute(
        "SELECT policyname, tablename FROM pg_policies WHERE schemaname = 'public'"
    ).fetchall():
        connection.execute(SQL("DROP POLICY {} ON {}").format(Identifier(name), Identifier(table)))
    if variant.row_security in ("indexed", "wrapped"):
        # B-119: "index on the owner column". Named rls_, so that they are not counted as idx_.
        for file in _files_of(variant.units_table, "row_security/owner_indexes/*.sql"):
            connection.execute(file.read_bytes())
    else:
        _drop_indexes(connection, "rls_")
    if variant.row_security != "off":
        once = variant.row_security == "wrapped"
        for file in _files_of(variant.units_table, "row_security/policies/*.sql"):
            connection.execute(_policies(file.read_text(encoding="utf-8"), once=once).encode())
    # Not FORCEd: the owner of the tables migrates and seeds; the application is never the owner.
    for table, is_on, wanted in connection.execute(
        "SELECT c.relname, c.relrowsecurity, EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)"
        " FROM pg_class c"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
    ).fetchall():
        if is_on != wanted:
            change = SQL("ENABLE" if wanted else "DISABLE")
            connection.execute(
                SQL("ALTER TABLE {} {} ROW LEVEL SECURITY").format(Identifier(table), change)
            )


def _set_owner_versions(connection: psycopg.Connection, variant: Variant) -> None:
    if variant.cache != "none" or variant.reads == "replica":
        _run(connection, "owner_versions/*.sql")
    else:
        # The triggers go with their function. Table and triggers come and go together: an
        # application that finds the table can rely on the versions in it.
        connection.execute("DROP FUNCTION IF EXISTS renew_owner_version() CASCADE")
        connection.execute("DROP FUNCTION IF EXISTS renew_version_of(uuid)")
        connection.execute("DROP TABLE IF EXISTS owner_versions")


def _set_views(connection: psycopg.Connection, variant: Variant) -> None:
    if variant.views == "materialised":
        for file in _files("views/*.sql"):
            text = file.read_text(encoding="utf-8")
            if variant.row_security == "off":
                # Nobody says who asks then, and nothing may depend on it.
                for condition in ("owner_user_id = :user_id", ":role = 'super_admin'"):
                    text = text.replace(condition, "true")
            once = variant.row_security == "wrapped"
            connection.execute(_policies(text, once=once).encode())
    else:
        connection.execute("DROP FUNCTION IF EXISTS count_figures()")
        connection.execute("DROP MATERIALIZED VIEW IF EXISTS monthly_figures CASCADE")
        connection.execute("DROP TABLE IF EXISTS figures_counted")
        connection.execute("DROP FUNCTION IF EXISTS refresh_service_views()")
        connection.execute(
            "DROP MATERIALIZED VIEW IF EXISTS plan_modules_view, global_stats_view CASCADE"
        )


def _policies(text: str, *, once: bool) -> str:
    """The policies of a file: their settings read for each row, or once a query (X-60 b)."""

    def reading(found: re.Match[str]) -> str:
        ask = _ASKS[found[1]]
        # A sub-select without a reference to the row is an init plan.
        return f"(SELECT {ask})" if once else ask

    return _ASK.sub(reading, text)


def _drop_indexes(
    connection: psycopg.Connection, prefix: str, keep: frozenset[str] = frozenset()
) -> None:
    present = connection.execute(
        "SELECT indexname FROM pg_indexes"
        " WHERE schemaname = 'public' AND starts_with(indexname, %s)",
        [prefix],
    )
    for name in {row[0] for row in present} - keep:
        connection.execute(SQL("DROP INDEX {}").format(Identifier(name)))


def _files(pattern: str) -> list[Path]:
    return sorted(SCHEMA.glob(pattern))


def _files_of(units_table: Layout, pattern: str) -> list[Path]:
    """The files of every variant, and those about the tables this one keeps information in."""
    return _files(pattern) + _files(f"units_table/{units_table}/{pattern}")


def _run(connection: psycopg.Connection, pattern: str) -> None:
    for file in _files(pattern):
        # Bytes: a file of our own, not a query made from values.
        connection.execute(file.read_bytes())


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
    except (psycopg.Error, InformationLostError) as error:
        sys.stderr.write(f"error: migration stage {options.stage} failed: {error}\n")
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
