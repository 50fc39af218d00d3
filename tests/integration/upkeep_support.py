"""A database with owners and stays, and what upkeep is to leave of it."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import psycopg
from app_support import World, migrate_both

from reference_app.upkeep.__main__ import main
from reference_app.variant import Variant

NOW = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
"""A Sunday, 23:00: when the sources back up."""

THREE_YEARS_AGO = date(2023, 11, 22)


@contextmanager
def world(admin_url: str, variant: Variant | None = None) -> Iterator[World]:
    """A migrated database to write into as the owner of the tables."""
    migrate_both(admin_url, Variant(row_security="wrapped") if variant is None else variant)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        yield World(admin_url, connection)


def empty_again(world: World) -> None:
    """Delete what a test wrote; the schema, which takes longer to make, stays."""
    world.run(
        "TRUNCATE users, backup_log, error_logs, sync_cycles, calendar_cache, cm_clients CASCADE"
    )


def stays(world: World, count: int, last: date, *, nights: int = 3) -> list[Any]:
    """Ids, in their order, of stays of one new owner in gîtes of their own, all ending ``last``."""
    owner = world.owner()
    first = last - timedelta(days=nights)
    return sorted(
        world.reservation(owner, world.unit(owner), first, last, cents=number)
        for number in range(count)
    )


COLUMNS = (
    "id, gite_id, owner_user_id, date_debut, date_fin, client_nom, client_email, voyageurs,"
    " plateforme, status, prix_centimes, ical_uid, created_at, updated_at"
)


def rows_of(world: World, table: str) -> list[tuple[Any, ...]]:
    """Stays of ``reservations`` or its archive, whole, by id."""
    return world.rows(f"SELECT {COLUMNS} FROM {table} ORDER BY id")


def both_tables(world: World) -> list[tuple[Any, ...]]:
    """Every stay there is; one that were in both tables would be there twice."""
    return sorted(rows_of(world, "reservations") + rows_of(world, "reservations_archive"))


def command(*arguments: str) -> list[str]:
    """Upkeep as cron would start it."""
    return [sys.executable, "-m", "reference_app.upkeep", *arguments]


def upkeep(*arguments: str, code: int = 0) -> Any:
    """Run a command to its end; gives its JSON line, or its complaint when ``code`` is not 0."""
    said, complained = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(complained):
        ended = main(list(arguments))
    assert ended == code, said.getvalue() + complained.getvalue()
    return msgspec.json.decode(said.getvalue()) if code == 0 else complained.getvalue()


def wait_until_none(world: World, query: str, *parameters: Any) -> None:
    """Wait until a query finds nothing."""
    deadline = time.monotonic() + 30
    while found := world.rows(query, *parameters):
        assert time.monotonic() < deadline, found
        time.sleep(0.005)


def ids(rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    """First column."""
    return [row[0] for row in rows]
