"""Does the database hold exactly the dataset? Counts, checksum, skew, no overlaps, references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import LiteralString

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from palier.errors import SeedError
from seed.checksum import LineSum, dataset_checksum, line_hash, sum_lines
from seed.connect import place
from seed.notices import notice_counts
from seed.parts import part_lines, parts_of
from seed.sizes import sizes_of
from seed.spec import DatasetSpec
from seed.tables import TABLES, Table

SHOWN_ROWS = 3
"""Examples of differing rows in a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question put to the database."""

    name: str
    ok: bool
    measured: str
    expected: str


def check_dataset(
    connection: psycopg.Connection, spec: DatasetSpec, expected: Mapping[str, LineSum]
) -> tuple[Check, ...]:
    """All checks, in one snapshot of the database.

    Args:
        connection: From ``seed.connect``; a transaction is open or begins with this.
        spec: The dataset that should be there.
        expected: Checksum of each table, from the generator.
    """
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    found = {table.name: sum_lines(read_lines(connection, table)) for table in TABLES}
    checks = []
    for name, of_table in expected.items():
        rows = found[name].rows
        checks.append(_equal(f"rows of {name}", f"{rows:,}", f"{of_table.rows:,}"))
        checks.append(
            _equal(f"checksum of {name}", f"{found[name].total:016x}", f"{of_table.total:016x}")
        )
    checks.append(
        _equal("checksum of the dataset", dataset_checksum(found), dataset_checksum(expected))
    )
    checks.append(
        _equal(
            "bookings of the biggest owners, per owner",
            _one_text(connection, _BIGGEST_OWNERS),
            _biggest_owners(spec),
        )
    )
    checks.append(
        _equal(
            "notices of the busiest owners, per owner",
            _one_text(connection, _BUSIEST_OWNERS),
            _busiest_owners(spec),
        )
    )
    for name, query in _NONE_EXPECTED:
        checks.append(_equal(name, _one_text(connection, query), "0"))
    return tuple(checks)


def failure(
    connection: psycopg.Connection, spec: DatasetSpec, checks: tuple[Check, ...]
) -> SeedError | None:
    """The error that tells what differs, with examples of rows; None when all checks hold."""
    broken = [check for check in checks if not check.ok]
    if not broken:
        return None
    lines = [f"{check.name}: {check.measured}, expected {check.expected}" for check in broken]
    by_name = {table.name: table for table in TABLES}
    for check in broken:
        table = by_name.get(check.name.removeprefix("checksum of "))
        if table is not None:
            lines += _differences(connection, spec, table)
    return SeedError(
        what=f"the data is not that of tier {spec.tier}, seed {spec.seed}:\n    "
        + "\n    ".join(lines),
        where=place(connection),
        fix="rows were changed since the load (a run that writes does that), or another tier "
        "or seed was loaded: make a new database with `palier down` and `palier up`",
    )


def read_lines(connection: psycopg.Connection, table: Table) -> Iterator[bytes]:
    """The rows of a table as COPY lines, without line ends, in the order the database likes."""
    statement = sql.SQL("COPY {} ({}) TO STDOUT").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, table.columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in copy:
            yield bytes(row).removesuffix(b"\n")


def _differences(connection: psycopg.Connection, spec: DatasetSpec, table: Table) -> list[str]:
    """Ids of some rows that are only in the database, or only in the dataset."""
    there = _hashes(read_lines(connection, table))
    wanted = _hashes(_made_lines(spec, table))
    unknown = set(np.setdiff1d(there, wanted)[:SHOWN_ROWS].tolist())
    missing = set(np.setdiff1d(wanted, there)[:SHOWN_ROWS].tolist())
    return [
        *_named(f"{table.name}: changed or extra row", unknown, read_lines(connection, table)),
        *_named(f"{table.name}: changed or missing row", missing, _made_lines(spec, table)),
    ]


def _named(label: str, hashes: set[int], lines: Iterator[bytes]) -> list[str]:
    if not hashes:
        return []
    ids = [line.split(b"\t", 1)[0].decode() for line in lines if line_hash(line) in hashes]
    return [f"{label} {row}" for row in sorted(ids)]


def _hashes(lines: Iterator[bytes]) -> NDArray[np.uint64]:
    return np.fromiter((line_hash(line) for line in lines), dtype=np.uint64)


def _made_lines(spec: DatasetSpec, table: Table) -> Iterator[bytes]:
    for part in parts_of(spec):
        for line in part_lines(spec, part).get(table, []):
            yield line.encode()


def _equal(name: str, measured: str, expected: str) -> Check:
    return Check(name=name, ok=measured == expected, measured=measured, expected=expected)


def _one_text(connection: psycopg.Connection, query: LiteralString) -> str:
    row = connection.execute(query).fetchone()
    return "none" if row is None or row[0] is None else str(row[0])


def _biggest_owners(spec: DatasetSpec) -> str:
    counts = np.sort(np.diff(sizes_of(spec).owner_booking_starts))[::-1]
    return ", ".join(str(count) for count in counts[counts > 0][:5].tolist()) or "none"


def _busiest_owners(spec: DatasetSpec) -> str:
    counts = np.sort(notice_counts(spec, np.arange(spec.owners, dtype=np.int64)))[::-1]
    return ", ".join(str(count) for count in counts[:5].tolist())


_BUSIEST_OWNERS: LiteralString = """
    SELECT string_agg(notices::text, ', ' ORDER BY notices DESC)
    FROM (SELECT count(*) AS notices FROM notifications
          GROUP BY user_id ORDER BY notices DESC LIMIT 5) AS busiest
"""

_BIGGEST_OWNERS: LiteralString = """
    SELECT string_agg(bookings::text, ', ' ORDER BY bookings DESC)
    FROM (SELECT count(*) AS bookings FROM reservations
          GROUP BY owner_user_id ORDER BY bookings DESC LIMIT 5) AS biggest
"""

_NONE_EXPECTED: tuple[tuple[str, LiteralString], ...] = (
    (
        "stays of one gîte that overlap",
        """
        SELECT count(*) FROM (
            SELECT date_debut < max(date_fin) OVER (
                PARTITION BY gite_id ORDER BY date_debut, date_fin
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS clashes
            FROM reservations WHERE status <> 'cancelled'
        ) AS stays WHERE clashes
        """,
    ),
    (
        "bookings of a gîte that is not their owner's",
        """
        SELECT count(*) FROM reservations r
        LEFT JOIN gites g ON g.id = r.gite_id AND g.owner_user_id = r.owner_user_id
        WHERE g.id IS NULL
        """,
    ),
    (
        "gîtes without an owner's account",
        """
        SELECT count(*) FROM gites g
        LEFT JOIN users u ON u.id = g.owner_user_id AND u.role = 'owner' WHERE u.id IS NULL
        """,
    ),
    (
        "gîtes without a row of information",
        """
        SELECT count(*) FROM gites g
        LEFT JOIN infos_gites i ON i.gite_id = g.id AND i.owner_user_id = g.owner_user_id
        WHERE i.id IS NULL
        """,
    ),
    (
        "sheets, requests, feedback and cleanings without their booking",
        """
        SELECT count(*) FROM (
            SELECT reservation_id, gite_id, owner_user_id FROM client_access_tokens
            UNION ALL SELECT reservation_id, gite_id, owner_user_id FROM hour_requests
            UNION ALL SELECT reservation_id, gite_id, owner_user_id FROM guest_feedback
            UNION ALL SELECT reservation_id, gite_id, owner_user_id FROM cleaning_schedule
        ) AS told
        LEFT JOIN reservations r
            ON r.id = told.reservation_id AND r.gite_id = told.gite_id
            AND r.owner_user_id = told.owner_user_id
        WHERE r.id IS NULL
        """,
    ),
    (
        "rows of a house that is not their owner's",
        """
        SELECT count(*) FROM (
            SELECT gite_id, owner_user_id FROM activites_gites
            UNION ALL SELECT gite_id, owner_user_id FROM linen_stocks
            UNION ALL SELECT gite_id, owner_user_id FROM km_trajets WHERE gite_id IS NOT NULL
            UNION ALL SELECT gite_id, user_id FROM sync_queue
            UNION ALL SELECT gite_id, user_id FROM sync_logs
        ) AS told
        LEFT JOIN gites g ON g.id = told.gite_id AND g.owner_user_id = told.owner_user_id
        WHERE g.id IS NULL
        """,
    ),
    ("tasks that wait for a worker", "SELECT count(*) FROM sync_queue WHERE status = 'pending'"),
    ("archived bookings", "SELECT count(*) FROM reservations_archive"),
)
