"""What has been kept long enough is deleted (B-162, B-55)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from psycopg.sql import SQL, Composed, Identifier

from reference_app.upkeep.ages import months_before
from reference_app.upkeep.database import BATCH, Connection, in_batches


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How long the rows of one table are kept.

    Attributes:
        table: Its name.
        key: Its primary key, a uuid.
        past: Condition of a row that may go; ``%(before)s`` is the instant ``months`` ago.
        months: Age in calendar months.
    """

    table: LiteralString
    key: LiteralString
    past: LiteralString
    months: int

    def statement(self) -> Composed:
        """Delete a batch; see :func:`reference_app.upkeep.database.in_batches`."""
        return SQL(
            """/* clean_"""
            + self.table
            + """ */
            WITH past AS MATERIALIZED (
                SELECT {key} AS key FROM {table}
                WHERE {past} AND {key} > %(after)s
                ORDER BY {key} LIMIT %(batch)s
                FOR UPDATE SKIP LOCKED
            )
            DELETE FROM {table} USING past WHERE {table}.{key} = past.key
            RETURNING past.key"""
        ).format(
            table=Identifier(self.table),
            key=Identifier(self.key),
            past=SQL(self.past),
        )


RULES = (
    # T-163; an unread notice is kept however old it is
    Rule(
        table="notifications",
        key="id",
        past="is_read AND created_at < %(before)s",
        months=6,
    ),
    # T-164
    Rule(table="sync_logs", key="id", past="synced_at < %(before)s", months=12),
    # B-55: logs a year
    Rule(table="error_logs", key="id", past='"timestamp" < %(before)s', months=12),
    # Decision 0051, from here on. What a task did stands in sync_logs for a year.
    Rule(
        table="sync_queue",
        key="task_id",
        past="status IN ('completed', 'failed')"
        " AND coalesce(completed_at, failed_at, created_at) < %(before)s",
        months=1,
    ),
    # least() ignores NULL: withdrawn or expired, whichever came first
    Rule(
        table="client_access_tokens",
        key="id",
        past="least(expires_at, revoked_at) < %(before)s",
        months=6,
    ),
)


def clean(connection: Connection, now: datetime, batch: int = BATCH) -> dict[str, int]:
    """Delete what the rules let go.

    Returns:
        Deleted rows by table. Rows that somebody had locked are left to the next run.

    Raises:
        psycopg.Error: The server refused; batches that were deleted stay deleted.
    """
    return {
        rule.table: in_batches(
            connection, rule.statement(), {"before": months_before(now, rule.months)}, batch
        )
        for rule in RULES
    }
