"""Make a backup (B-165): one snapshot, dumped and counted, in one or more storages."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
from psycopg.sql import SQL, Identifier

from reference_app.upkeep.backup_log import Entry, record_copies
from reference_app.upkeep.database import LOCK_TIMEOUT_S, Connection, connect
from reference_app.upkeep.errors import UpkeepError
from reference_app.upkeep.manifest import DUMP, Manifest, check_files, write_manifest
from reference_app.upkeep.programs import Programs, address, run
from reference_app.upkeep.storage import Storage


class Made(msgspec.Struct, frozen=True):
    """A backup and its copies.

    Attributes:
        at: When it was made.
        size_bytes: Of the dump.
        paths: Its directory in each storage, the first one first.
    """

    at: datetime
    size_bytes: int
    paths: tuple[str, ...]


def make_backup(
    url: str, first: Storage, others: list[Path], now: datetime, programs: Programs
) -> Made:
    """Dump the database into the first storage, copy that to the others, and log every copy.

    The application goes on meanwhile: what is dumped and what is counted is one snapshot.

    Args:
        url: Connection of the owner of the tables.
        others: Directories of the other storages; one that is missing costs only its own copy.
        now: Becomes the backup's name, to the second.

    Raises:
        UpkeepError: It failed, or a copy did; copies that were completed stay and are logged.
        OSError: The first storage's disk is full or broken.
        psycopg.Error: The database refused.
    """
    at = now.replace(microsecond=0)
    with first.locked() as lock:
        made = first.begin(at)
        manifest = _dump(url, at, made / DUMP, programs, keep_open=lock)
        write_manifest(made, manifest)
        check_files(made)
        backup = first.publish(made, at)
    storages, failures = [first], []
    for path in others:
        try:
            other = Storage(path)
            with other.locked():
                other.copy(backup)
            storages.append(other)
        except (OSError, UpkeepError) as error:
            failures.append(f"{path}: {error}")
    with connect(url) as connection:
        # Every backup there is, so that one whose entry a crash prevented is entered now.
        record_copies(connection, [entry for each in storages for entry in _entries(each)])
    if failures:
        raise UpkeepError(
            f"{backup.path} is complete, but not every copy: {'; '.join(failures)}",
            fix="see to that storage, then copy the directory there or start another backup",
        )
    paths = tuple(str(each.directory / backup.path.name) for each in storages)
    return Made(at, manifest.dump_bytes, paths)


def _dump(url: str, at: datetime, file: Path, programs: Programs, *, keep_open: int) -> Manifest:
    """Write the dump and describe it."""
    where = address(url)
    with (
        connect(url) as connection,
        # The snapshot lives as long as the transaction that exported it.
        connection.transaction(),
    ):
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        [(snapshot, server, database)] = connection.execute(
            "/* export_snapshot */ SELECT pg_export_snapshot(), version(), current_database()"
        ).fetchall()
        run(
            [
                programs.path("pg_dump"),
                "--format=custom",
                f"--file={file}",
                f"--snapshot={snapshot}",
                # Kept feeds are fetched again, and say who stays where: not for years, then.
                "--no-unlogged-table-data",
                f"--lock-wait-timeout={LOCK_TIMEOUT_S}s",
                "--no-password",
                f"--dbname={where.conninfo}",
            ],
            environment=where.environment,
            keep_open=(keep_open,),
        )
        # A dump that cannot be listed cannot be restored.
        run([programs.path("pg_restore"), "--list", str(file)], environment={})
        return Manifest(
            at=at,
            database=database,
            server=server,
            dump_bytes=file.stat().st_size,
            rows=count_rows(connection),
        )


def count_rows(connection: Connection) -> dict[str, int]:
    """Rows of every table that outlives a crash."""
    tables = connection.execute(
        """/* list_tables */
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
          AND relpersistence = 'p' AND NOT relispartition ORDER BY relname"""
    ).fetchall()
    counted = {}
    for (table,) in tables:
        [(rows,)] = connection.execute(
            SQL("/* count_rows */ SELECT count(*) FROM {}").format(Identifier("public", table))
        ).fetchall()
        counted[table] = rows
    return counted


def _entries(storage: Storage) -> list[Entry]:
    return [
        Entry(each.at, (each.path / DUMP).stat().st_size, storage.name)
        for each in storage.backups()
    ]
