"""Statistics that PostgreSQL keeps of itself, read over one connection that may be lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from palier.telemetry.link import APPLICATION_NAME, Link
from palier.telemetry.meter import Meter, Rates

TIER1_INDEXES = (
    "idx_reservations_owner_dates",
    "idx_reservations_gite_dates",
    "idx_reservations_client_nom",
    "idx_fiches_token",
    "idx_reservations_plateforme",
    "idx_cleaning_gite_date",
    "idx_notifications_user_read",
    "idx_activites_gite",
)
"""T-131 looks these up in the catalogue (docs/requirements/indexes.md, section 3)."""

_ACTIVITY = """
SELECT count(*),
       count(*) FILTER (WHERE state = 'active'),
       count(*) FILTER (WHERE state LIKE 'idle in transaction%%'),
       count(*) FILTER (WHERE wait_event_type = 'Lock')
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
      AND application_name <> %s
"""

_COUNTERS = """
SELECT xact_commit + xact_rollback, xact_rollback, blks_hit, blks_read, tup_returned, temp_bytes,
       deadlocks
FROM pg_stat_database WHERE datname = current_database()
"""

_COUNTER_NAMES = (
    "transactions_per_s",
    "rollbacks_per_s",
    "blocks_hit_per_s",
    "blocks_read_per_s",
    "rows_read_per_s",
    "temp_bytes_per_s",
    "deadlocks_per_s",
)

_STATEMENTS = """
SELECT query, calls, mean_exec_time, total_exec_time, rows, shared_blks_hit, shared_blks_read
FROM pg_stat_statements AS statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND userid <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
ORDER BY total_exec_time DESC
LIMIT 50
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One normalised statement of the application, as ``pg_stat_statements`` counted it.

    Attributes:
        query: Its text with parameters in place of values.
        calls: How often it ran since the start of the run.
        mean_ms: Mean execution time.
        total_ms: All of it.
        rows: Rows returned or changed.
        blocks_hit: Pages found in PostgreSQL's buffers.
        blocks_read: Pages it had to ask the system for.
    """

    query: str
    calls: int
    mean_ms: float
    total_ms: float
    rows: int
    blocks_hit: int
    blocks_read: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalState:
    """What is known of the database at the end.

    Attributes:
        size_bytes: Tables, indexes and everything else of this database.
        tier1_indexes: How many of ``TIER1_INDEXES`` exist.
        statements: Costliest first; None where ``pg_stat_statements`` is not installed.
    """

    size_bytes: int
    tier1_indexes: int
    statements: tuple[Statement, ...] | None


class DatabaseMeter(Meter):
    """Reads statistics; after a lost connection the next reading tries a new one."""

    def __init__(self, url: str) -> None:
        self.final: FinalState | None = None
        self._link = Link(url)
        self._rates = Rates()

    def start(self) -> None:
        """Forget the statements of the seed, so that the end shows those of the run.

        Raises:
            psycopg.Error: The server cannot be reached or refuses.
        """
        connection = self._link.connection()
        if _has_statements(connection):
            connection.execute(
                "SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database"
                " WHERE datname = current_database()"
            )

    def read(self, now_s: float) -> Iterator[tuple[str, float]]:
        """Yield (name, value); rates from the second reading of one connection on.

        Raises:
            psycopg.Error: The server did not answer; this reading is lost.
        """
        try:
            connection = self._link.connection()
            activity = connection.execute(_ACTIVITY, (APPLICATION_NAME,)).fetchone()
            counters = connection.execute(_COUNTERS).fetchone()
        except psycopg.Error:
            self.close()
            raise
        if activity is None or counters is None:
            raise AssertionError("an aggregate and our own database always have a row")
        names = ("connections", "connections_active", "connections_in_transaction", "lock_waits")
        yield from zip(names, map(float, activity), strict=True)
        values = zip(_COUNTER_NAMES, map(float, counters), strict=True)
        yield from self._rates.of(now_s, dict(values))

    def finish(self) -> None:
        """Look at what stands at the end: ``final``.

        Raises:
            psycopg.Error: The server did not answer.
        """
        connection = self._link.connection()
        row = connection.execute(
            "SELECT pg_database_size(current_database()),"
            " (SELECT count(*) FROM pg_indexes WHERE indexname = ANY(%s))",
            (list(TIER1_INDEXES),),
        ).fetchone()
        if row is None:
            raise AssertionError("a SELECT without FROM always has a row")
        statements = None
        if _has_statements(connection):
            statements = tuple(
                Statement(
                    query=query,
                    calls=calls,
                    mean_ms=mean_ms,
                    total_ms=total_ms,
                    rows=rows,
                    blocks_hit=hit,
                    blocks_read=read,
                )
                for query, calls, mean_ms, total_ms, rows, hit, read in connection.execute(
                    _STATEMENTS
                )
            )
        self.final = FinalState(size_bytes=row[0], tier1_indexes=row[1], statements=statements)

    def cut(self) -> None:
        self._link.cut()

    def close(self) -> None:
        self._link.close()
        self._rates.forget()


def _has_statements(connection: psycopg.Connection) -> bool:
    """True when the extension is in this database and its library is loaded."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements')"
        " AND current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'"
    ).fetchone()
    return row is not None and bool(row[0])
