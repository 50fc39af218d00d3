"""The seed's front door: a tier's data into a database, and the question whether it is there."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg import sql

from palier.errors import SeedError
from palier.model.identity import ANCHOR
from palier.model.tier import Tier
from seed.connect import connect, place
from seed.load import Loaded, load
from seed.marker import Marker, read_marker, write_completed
from seed.parts import pure_sums, row_counts
from seed.progress import OnProgress, silent
from seed.spec import GENERATOR_VERSION, DatasetSpec, dataset_spec
from seed.verify import Check, check_dataset, failure

ROWS_WORTH_A_PROCESS = 200_000
"""Starting a process costs half a second, in which one already running writes this many rows."""

_OUR_TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace
        AND pg_has_role(relowner, 'USAGE')
    ORDER BY relname
"""
"""Those of the application, which the seed filled or the second stage did (``units_table``,
``views``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedResult:
    """A dataset that is in the database, verified.

    Attributes:
        spec: The dataset.
        checksum: SHA-256 over all tables (``checksum.py``); goes into ``environment.json``.
        rows: Rows written.
        load_s: Seconds from the first row to the last.
        checks: What was verified; all of them hold.
    """

    spec: DatasetSpec
    checksum: str
    rows: int
    load_s: float
    checks: tuple[Check, ...]


def seed_database(
    admin_url: str,
    tier: Tier,
    seed: int,
    *,
    after_data: Callable[[], None],
    processes: int | None = None,
    on_progress: OnProgress = silent,
    anchor: date = ANCHOR,
) -> SeedResult:
    """Load a tier's data into empty tables, let constraints and indexes follow, verify.

    Args:
        admin_url: Connection of the owner of the tables.
        tier: Its ``data`` gives the volume.
        seed: Seed of the rows.
        after_data: Applies constraints, indexes and policies; called between load and checks.
        processes: Loader processes; None lets the volume decide. The data is the same.
        on_progress: Called after each part.
        anchor: The day the data calls today.

    Raises:
        ConfigError: The tier asks for a volume that cannot be made.
        SeedError: See ``load`` and ``finish``.
    """
    spec = dataset_spec(tier, seed=seed, anchor=anchor)
    count = loader_processes(spec) if processes is None else processes
    loaded = load(admin_url, spec, processes=count, on_progress=on_progress)
    after_data()
    return finish(admin_url, loaded)


def finish(admin_url: str, loaded: Loaded) -> SeedResult:
    """Settle the server, verify the rows, complete the marker: the dataset is whole.

    Settling is VACUUM with ANALYZE and a checkpoint: rows never vacuumed cannot be read from an
    index alone, and the server would otherwise vacuum and write the load to disk by itself, in
    the middle of the measurement. The checkpoint is left out where the role may not ask for one.

    Raises:
        SeedError: The rows are not those that were made.
    """
    with connect(admin_url, autocommit=True) as connection:
        for (table,) in connection.execute(_OUR_TABLES).fetchall():
            connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
        if _may_checkpoint(connection):
            connection.execute("CHECKPOINT")
    with connect(admin_url) as connection:
        checks = check_dataset(connection, loaded.spec, loaded.sums)
        error = failure(connection, loaded.spec, checks)
    if error is not None:
        raise error
    with connect(admin_url) as connection:
        write_completed(connection, loaded.checksum)
    return SeedResult(
        spec=loaded.spec,
        checksum=loaded.checksum,
        rows=loaded.rows,
        load_s=loaded.seconds,
        checks=checks,
    )


def verify_database(
    admin_url: str, tier: Tier, seed: int, *, anchor: date = ANCHOR
) -> tuple[Check, ...]:
    """Hold the rows of a database against those the tier and seed stand for.

    Returns:
        The checks, all of which hold.

    Raises:
        SeedError: No dataset, an unfinished or another one, or rows that differ; says which.
    """
    spec = dataset_spec(tier, seed=seed, anchor=anchor)
    with connect(admin_url) as connection:
        _refuse_other(read_marker(connection), spec, place(connection))
    expected = pure_sums(spec)
    with connect(admin_url) as connection:
        checks = check_dataset(connection, spec, expected)
        error = failure(connection, spec, checks)
    if error is not None:
        raise error
    return checks


def expected_rows(tier: Tier, seed: int) -> dict[str, int]:
    """Rows of each table that a tier's dataset will have, without making them."""
    return row_counts(dataset_spec(tier, seed=seed))


def loader_processes(spec: DatasetSpec) -> int:
    """Processes that pay for their start, at most one a CPU."""
    rows = sum(row_counts(spec).values())
    return max(1, min(os.cpu_count() or 1, rows // ROWS_WORTH_A_PROCESS))


def _may_checkpoint(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT pg_has_role('pg_checkpoint', 'USAGE')").fetchone()
    return row is not None and bool(row[0])


def _refuse_other(marker: Marker | None, spec: DatasetSpec, where: str) -> None:
    seed_command = f"palier seed {spec.tier} --seed {spec.seed}"
    if marker is None:
        raise SeedError(what="the database holds no dataset", where=where, fix=seed_command)
    if marker.completed_at is None:
        raise SeedError(
            what=f"the load of tier {marker.tier}, seed {marker.seed} never finished",
            where=where,
            fix=f"`palier down`, `palier up`, then `{seed_command}`",
        )
    if marker.generator_version != GENERATOR_VERSION:
        raise SeedError(
            what=f"the data was made by generator version {marker.generator_version}, "
            f"this is version {GENERATOR_VERSION}",
            where=where,
            fix=f"`palier down`, `palier up`, then `{seed_command}`",
        )
    held = (marker.tier, marker.seed, marker.anchor)
    if held != (spec.tier, str(spec.seed), spec.anchor):
        raise SeedError(
            what=f"the database holds tier {marker.tier}, seed {marker.seed}, anchor "
            f"{marker.anchor}; asked for tier {spec.tier}, seed {spec.seed}, anchor {spec.anchor}",
            where=where,
            fix=f"palier seed {marker.tier} --seed {marker.seed} --verify",
        )
