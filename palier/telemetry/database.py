"""Statistics that PostgreSQL keeps of itself, read over one connection that may be lost."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psycopg

CONNECT_TIMEOUT_S = 2
"""libpq takes nothing shorter."""

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

APPLICATION_NAME = "palier_telemetry"

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


class DatabaseMeter:
    """Reads statistics; after a lost connection the next reading tries a new one.

    Everything but ``cut`` belongs to one thread.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None
        self._line: socket.socket | None = None
        self._lock = threading.Lock()
        self._last: tuple[float, tuple[float, ...]] | None = None

    def start(self) -> None:
        """Forget the statements of the seed, so that the end shows those of the run.

        Raises:
            psycopg.Error: The server cannot be reached or refuses.
        """
        connection = self._connected()
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
            connection = self._connected()
            activity = connection.execute(_ACTIVITY, (APPLICATION_NAME,)).fetchone()
            counters = connection.execute(_COUNTERS).fetchone()
        except psycopg.Error:
            self.close()
            raise
        if activity is None or counters is None:
            raise AssertionError("an aggregate and our own database always have a row")
        names = ("connections", "connections_active", "connections_in_transaction", "lock_waits")
        yield from zip(names, map(float, activity), strict=True)
        values = tuple(float(counter) for counter in counters)
        last, self._last = self._last, (now_s, values)
        if last is not None and now_s > last[0]:
            for name, before, after in zip(_COUNTER_NAMES, last[1], values, strict=True):
                yield name, max(0.0, after - before) / (now_s - last[0])

    def finish(self) -> FinalState:
        """What stands at the end.

        Raises:
            psycopg.Error: The server did not answer.
        """
        connection = self._connected()
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
        return FinalState(size_bytes=row[0], tier1_indexes=row[1], statements=statements)

    def cut(self) -> None:
        """End a reading that hangs, from another thread: it raises there.

        A server that is stopped rather than gone keeps a reader waiting for ever.
        """
        with self._lock:
            if self._line is not None:
                with suppress(OSError):
                    # Its other end may have gone already.
                    self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection, if there is one."""
        with self._lock:
            line, self._line = self._line, None
        connection, self._connection = self._connection, None
        self._last = None
        if line is not None:
            line.close()
        if connection is not None:
            connection.close()

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self.close()
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                application_name=APPLICATION_NAME,
                connect_timeout=CONNECT_TIMEOUT_S,
                # The measured statements are prepared; ours need not be.
                prepare_threshold=None,
            )
            self._connection = connection
            with self._lock:
                # A second handle on the same line: libpq's own must not be touched.
                self._line = socket.socket(fileno=os.dup(connection.fileno()))
        return self._connection


def _has_statements(connection: psycopg.Connection) -> bool:
    """True when the extension is in this database and its library is loaded."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements')"
        " AND current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'"
    ).fetchone()
    return row is not None and bool(row[0])
