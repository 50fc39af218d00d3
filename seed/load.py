"""Writing a dataset into a database, in as many processes as wanted, by COPY."""

from __future__ import annotations

import signal
import time
from collections.abc import Generator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context

import psycopg
from psycopg import sql

from palier.errors import SeedError
from seed.checksum import LineSum, add_sums, dataset_checksum
from seed.connect import connect, place
from seed.marker import Marker, read_marker, write_started
from seed.parts import Part, part_lines, part_sums, parts_of, row_counts
from seed.progress import OnProgress, Progress, silent
from seed.spec import DatasetSpec
from seed.tables import TABLES, Table

EMPTY_DATABASE = (
    "load into an empty database: `palier down` and `palier up` make a new one; "
    "of a server of your own, drop and create the database"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What was written.

    Attributes:
        spec: The dataset.
        sums: Checksum of each table, from the rows as they were made.
        seconds: From the first row to the last.
    """

    spec: DatasetSpec
    sums: Mapping[str, LineSum]
    seconds: float

    @property
    def rows(self) -> int:
        return sum(of_table.rows for of_table in self.sums.values())

    @property
    def checksum(self) -> str:
        return dataset_checksum(self.sums)


def load(
    admin_url: str, spec: DatasetSpec, *, processes: int = 1, on_progress: OnProgress = silent
) -> Loaded:
    """Write every row of a dataset; the result does not depend on ``processes``.

    The tables must exist and be empty. Each part commits by itself: after an interruption the
    marker says that the load never ended.

    Args:
        admin_url: Connection of the owner of the tables.
        spec: The dataset.
        processes: 1 loads in this process; more start that many of their own.
        on_progress: Called after each part, in this process.

    Raises:
        SeedError: The database cannot be reached, has no tables, holds rows already, or refused.
        KeyboardInterrupt: As raised; the processes have ended.
    """
    if processes < 1:
        raise ValueError(f"{processes} processes")
    with connect(admin_url) as connection:
        _claim(connection, spec)
    total = sum(row_counts(spec).values())
    sums: dict[str, LineSum] = {}
    done = 0
    began = time.monotonic()
    # closing: an exception of ours must end the processes now, not when its traceback is freed.
    with closing(_write_parts(admin_url, spec, processes)) as written:
        for of_part in written:
            sums = add_sums(sums, of_part)
            done += sum(of_table.rows for of_table in of_part.values())
            elapsed_s = time.monotonic() - began
            on_progress(Progress(rows_done=done, rows_total=total, elapsed_s=elapsed_s))
    return Loaded(spec=spec, sums=sums, seconds=time.monotonic() - began)


def _claim(connection: psycopg.Connection, spec: DatasetSpec) -> None:
    """Refuse a database that is not ready for this dataset; else mark it as being loaded."""
    where = place(connection)
    marker = read_marker(connection)
    if marker is not None:
        raise SeedError(what=_already(marker), where=where, fix=EMPTY_DATABASE)
    for table in TABLES:
        name = sql.Identifier(table.name)
        try:
            row = connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(name)).fetchone()
        except psycopg.errors.UndefinedTable as error:
            raise SeedError(
                what=f"there is no table {table.name}",
                where=where,
                fix="python -m reference_app.migrate --stage before-data --url URL",
            ) from error
        if row is not None:
            raise SeedError(
                what=f"table {table.name} holds rows that are not of a Palier dataset",
                where=where,
                fix=EMPTY_DATABASE,
            )
    try:
        write_started(connection, spec)
    except psycopg.errors.UniqueViolation as error:
        raise SeedError(
            what="another load of this database has just begun", where=where, fix=EMPTY_DATABASE
        ) from error


def _already(marker: Marker) -> str:
    of = f"tier {marker.tier}, seed {marker.seed}, anchor {marker.anchor}"
    if marker.completed_at is None:
        return f"a load of {of} began at {marker.started_at:%Y-%m-%d %H:%M:%S} and never finished"
    return f"the database already holds the data of {of}"


def _write_parts(
    admin_url: str, spec: DatasetSpec, processes: int
) -> Generator[dict[str, LineSum], None, None]:
    """Write all parts; yields the sums of each as it is committed, in any order."""
    parts = parts_of(spec)
    if processes == 1:
        for part in parts:
            yield _write_part(admin_url, spec, part)
        return
    # spawn: a fork would copy threads, sockets and signal handlers of whoever calls us.
    executor = ProcessPoolExecutor(
        min(processes, len(parts)), mp_context=get_context("spawn"), initializer=_ignore_interrupt
    )
    waiting: set[Future[dict[str, LineSum]]] = set()
    try:
        waiting = {executor.submit(_write_part, admin_url, spec, part) for part in parts}
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    except BrokenProcessPool as error:
        raise SeedError(
            what="a loader process was killed",
            where=f"data of tier {spec.tier}",
            fix="look for the out-of-memory killer (dmesg), or load with fewer processes; "
            + EMPTY_DATABASE,
        ) from error
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupt() -> None:
    """Ctrl-C reaches the whole process group; the parent alone decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _write_part(admin_url: str, spec: DatasetSpec, part: Part) -> dict[str, LineSum]:
    """Make a part and write it in one transaction of its own connection."""
    lines = part_lines(spec, part)
    with connect(admin_url) as connection:
        for table, of_table in lines.items():
            _copy(connection, table, of_table)
    return part_sums(lines)


def _copy(connection: psycopg.Connection, table: Table, lines: list[str]) -> None:
    if not lines:
        return
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, table.columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write("\n".join(lines) + "\n")
