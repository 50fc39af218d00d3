"""What has been kept long enough is deleted (B-162, B-55)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg.sql import SQL, Composed, Identifier

from reference_app.upkeep.ages import months_before
from reference_app.upkeep.database import BATCH, NO_ID, Connection, in_batches, turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How long the rows of one table are kept.

    Attributes:
        table: Its name.
        key: Its primary key, one column.
        past: Condition of a row that may go; ``%(before)s`` is the end of what is kept.
        before: That instant, seen from now.
        first: A value before every key.
    """

    table: LiteralString
    key: LiteralString = "id"
    past: LiteralString
    before: Callable[[datetime], datetime]
    first: Any = NO_ID

    def statement(self) -> Composed:
        """Delete a batch; see :func:`reference_app.upkeep.database.in_batches`."""
        return SQL(
            """/* clean_"""
            + self.table
            + """ */
            WITH past AS MATERIALIZED (
                SELECT {key} AS key FROM {table}
                WHERE ({past}) AND {key} > %(after)s
                ORDER BY {key} LIMIT %(batch)s
                FOR UPDATE SKIP LOCKED
            ), gone AS (
                DELETE FROM {table} USING past WHERE {table}.{key} = past.key
                RETURNING past.key
            )
            SELECT key FROM gone ORDER BY key"""
        ).format(table=Identifier(self.table), key=Identifier(self.key), past=SQL(self.past))


def _months(number: int) -> Callable[[datetime], datetime]:
    return lambda now: months_before(now, number)


RULES = (
    # T-163; an unread notice is kept however old it is
    Rule(table="notifications", past="is_read AND created_at < %(before)s", before=_months(6)),
    # T-164
    Rule(table="sync_logs", past="synced_at < %(before)s", before=_months(12)),
    # B-55: logs a year
    Rule(table="error_logs", past='"timestamp" < %(before)s', before=_months(12)),
    # What groups were told; the deliveries of an event go with it, their attempts by the month.
    Rule(
        table="webhook_events",
        past="""created_at < %(before)s AND NOT EXISTS (
            SELECT FROM webhook_deliveries d
            WHERE d.event_id = webhook_events.id AND d.status IN ('pending', 'processing'))""",
        before=_months(12),
    ),
    # Decision 0051, from here on. What a task did stands in sync_logs for a year.
    Rule(
        table="sync_queue",
        key="task_id",
        past="status IN ('completed', 'failed')"
        " AND coalesce(completed_at, failed_at, created_at) < %(before)s",
        before=_months(1),
    ),
    # The row of the present cycle keeps it from being scheduled twice, the others do nothing.
    Rule(
        table="sync_cycles",
        key="starts_at",
        past="starts_at < %(before)s",
        before=_months(1),
        first="-infinity",
    ),
    # Good for half an hour (B-143), and a feed says who stays where: not longer than need be.
    Rule(
        table="calendar_cache",
        key="address",
        past="fetched_at < %(before)s",
        before=lambda now: now - timedelta(days=1),
        first="",
    ),
    # For who was away for a while; who was away longer reads everything anew (decision 0084). The
    # newest stays whatever its age: numbers before it are then known to be gone.
    Rule(
        table="plan_events",
        key="number",
        past="created_at < %(before)s AND number < (SELECT max(number) FROM plan_events)",
        before=_months(1),
        first=0,
    ),
    # least() ignores NULL: withdrawn or expired, whichever came first
    Rule(
        table="client_access_tokens",
        past="least(expires_at, revoked_at) < %(before)s",
        before=_months(6),
    ),
)


def clean(connection: Connection, now: datetime, batch: int = BATCH) -> dict[str, int]:
    """Delete what the rules let go.

    Returns:
        Deleted rows by table. Rows that somebody had locked are left to the next run.

    Raises:
        UpkeepError: Another archive or clean-up is at work; nothing was deleted.
        psycopg.Error: The server refused; batches that were deleted stay deleted.
    """
    with turn(connection):
        return {
            rule.table: in_batches(
                connection,
                rule.statement(),
                {"before": rule.before(now)},
                first=rule.first,
                size=batch,
            )
            for rule in RULES
        }
