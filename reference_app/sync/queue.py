"""The tasks of synchronisation in the database (B-123 ... B-135, decision 0041).

A task is pending, processing, and then completed or failed. Who processes it holds a lease and
renews it. Every end of a run checks that the task is still held by the one who began the run, so
of two workers that believe to hold a task only one can say so: the other's work is rolled back.
All times are the database's, so the clocks of the workers do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import args_row
from psycopg_pool import AsyncConnectionPool

from reference_app.sync.errors import SyncError
from reference_app.sync.fetch import Validators
from reference_app.sync.merge import Calendar, Reading, SyncCounts, applying
from reference_app.sync.policy import Policy

CHANNEL = "sync_queue"
"""What a task that became pending is notified on (schema/330_sync.sql)."""

CHANGED_MEANWHILE = "PL003"
"""SQLSTATE of ``merge_feed`` for a calendar whose address is another by now."""

_CLAIM: LiteralString = """/* claim_sync_task */
WITH next AS MATERIALIZED (
    SELECT task_id FROM sync_queue
    WHERE status = 'pending' AND available_at <= now()
    ORDER BY priority DESC, created_at  -- as I-28 is sorted; a wave is all of one age
    LIMIT 1
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE sync_queue q
    SET status = 'processing', started_at = clock_timestamp(), worker = %(worker)s,
        lease_until = now() + make_interval(secs => %(lease_s)s)
    FROM next WHERE q.task_id = next.task_id
    RETURNING q.task_id, q.user_id, q.gite_id, q.started_at, q.retries
)
SELECT c.task_id, c.user_id, c.gite_id, c.started_at, c.retries, g.ical_url, f.etag,
       f.last_modified
FROM claimed c
JOIN gites g ON g.id = c.gite_id AND g.owner_user_id = c.user_id
LEFT JOIN sync_feeds f ON f.gite_id = c.gite_id AND f.ical_url = g.ical_url"""

_NEXT_DUE: LiteralString = """/* next_sync_task_due */
SELECT extract(epoch FROM min(available_at) - now())::float8
FROM sync_queue WHERE status = 'pending'"""

_HELD: LiteralString = """task_id = %(task_id)s AND status = 'processing'
    AND worker = %(worker)s AND started_at = %(started_at)s"""

_COMPLETE: LiteralString = f"""/* complete_sync_task */
UPDATE sync_queue SET status = 'completed', completed_at = now(), worker = NULL, lease_until = NULL
WHERE {_HELD}
RETURNING task_id"""

_GIVE_BACK: LiteralString = f"""/* give_back_sync_task */
UPDATE sync_queue SET status = 'pending', worker = NULL, started_at = NULL, lease_until = NULL
WHERE {_HELD}"""

_RENEW: LiteralString = """/* renew_sync_leases */
UPDATE sync_queue SET lease_until = now() + make_interval(secs => %(lease_s)s)
WHERE task_id IN (
    SELECT task_id FROM sync_queue
    WHERE task_id = ANY (%(held)s) AND status = 'processing' AND worker = %(worker)s
    FOR UPDATE SKIP LOCKED  -- one that ends now may wait for its gîte, and needs no lease
)"""

# A run that ended badly: again, as long as the policy has a delay for it (B-129, B-140).
_BAD_END: LiteralString = """/* {name} */
WITH ended AS (
    UPDATE sync_queue q SET
        status = CASE WHEN q.retries < cardinality(%(delays_s)s::float8[])
                      THEN 'pending' ELSE 'failed' END,
        retries = least(q.retries + 1, cardinality(%(delays_s)s::float8[])),
        available_at = now() + make_interval(
            secs => coalesce((%(delays_s)s::float8[])[q.retries + 1], 0)),
        last_error = %(error)s,
        failed_at = CASE WHEN q.retries < cardinality(%(delays_s)s::float8[])
                         THEN NULL ELSE now() END,
        error_message = CASE WHEN q.retries < cardinality(%(delays_s)s::float8[])
                             THEN NULL ELSE %(error)s END,
        worker = NULL, lease_until = NULL
    WHERE {condition}
    RETURNING q.task_id, q.user_id, q.gite_id, q.status, q.started_at
), logged AS (
    INSERT INTO sync_logs (id, task_id, user_id, gite_id, status, duration_ms, error)
    SELECT gen_random_uuid(), task_id, user_id, gite_id, 'failed',
           least(1000 * extract(epoch FROM clock_timestamp() - started_at), 2147483647)::integer,
           %(error)s
    FROM ended
)
SELECT task_id, status FROM ended"""

_FAIL: LiteralString = _BAD_END.replace("{name}", "fail_sync_task").replace("{condition}", _HELD)

_END_LOST: LiteralString = _BAD_END.replace("{name}", "end_lost_sync_tasks").replace(
    "{condition}",
    """q.task_id IN (
        SELECT task_id FROM sync_queue WHERE status = 'processing' AND lease_until < now()
        LIMIT 100 FOR UPDATE SKIP LOCKED)""",
)

LOST = "the worker ended in the middle, or could not be reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task this worker holds.

    Attributes:
        calendar: What to synchronise; None when the gîte has no calendar any more (B-127).
        started_at: With the worker's name the proof that it is ours.
        retries: Runs that ended badly before this one.
    """

    task_id: UUID
    calendar: Calendar | None
    started_at: datetime
    retries: int


class LostTaskError(Exception):
    """Somebody else has the task by now; nothing of this run may stand."""


Pool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]

_MISTAKES = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.QueryCanceled,
)
"""The database answered, and this run is what it did not like."""


class Queue:
    """The queue as one worker sees it.

    Args:
        pool: Connections as ``app_worker``, in autocommit.
        worker: Name of this worker; no other ever has it.
        policy: How often a task is tried.
        lease_s: How long a task is held without being renewed.

    Every method raises psycopg.OperationalError when the database cannot be reached.
    """

    def __init__(self, pool: Pool, *, worker: str, policy: Policy, lease_s: float) -> None:
        self._pool = pool
        self._worker = worker
        self._delays_s = list(policy.delays_s)
        self._lease_s = lease_s

    async def claim(self) -> Task | None:
        """Take the next task that is due: high priority first, then the oldest (B-126)."""
        rows = await self._run(_CLAIM, {"worker": self._worker, "lease_s": self._lease_s})
        if not rows:
            return None
        task_id, owner_id, gite_id, started_at, retries, url, etag, last_modified = rows[0]
        calendar = None
        if url is not None:
            calendar = Calendar(
                gite_id=gite_id,
                owner_id=owner_id,
                url=url,
                validators=Validators(etag, last_modified),
            )
        return Task(task_id=task_id, calendar=calendar, started_at=started_at, retries=retries)

    async def next_due_s(self) -> float | None:
        """Seconds until a pending task may run, not positive when one may; None without any."""
        rows = await self._run(_NEXT_DUE, {})
        return None if rows[0][0] is None else float(rows[0][0])

    async def complete(
        self, task: Task, reading: Reading | None, *, today: date, duration_ms: int
    ) -> SyncCounts:
        """Apply what was read and complete the task, in one transaction.

        Args:
            reading: None when there was nothing to read.
            today: Stays that end before it are over.

        Raises:
            LostTaskError: It is not ours any more; nothing was changed.
            SyncError: The feed cannot be applied; nothing was changed.
        """
        counts = SyncCounts(0, 0, 0, 0)
        try:
            async with self._pool.connection() as connection, connection.transaction():
                done = await connection.execute(_COMPLETE, self._held(task))
                if await done.fetchone() is None:
                    raise LostTaskError(str(task.task_id))
                if reading is not None and task.calendar is not None:
                    statement, parameters = applying(
                        task.calendar,
                        reading,
                        today=today,
                        duration_ms=duration_ms,
                        task_id=task.task_id,
                    )
                    cursor = connection.cursor(row_factory=args_row(SyncCounts))
                    await cursor.execute(statement, parameters)
                    counts = await cursor.fetchone() or counts
        except _MISTAKES as error:
            why = error.diag.message_primary or type(error).__name__
            raise SyncError(f"the calendar cannot be applied: {why}") from error
        except psycopg.Error as error:
            if error.sqlstate == CHANGED_MEANWHILE:
                raise SyncError(error.diag.message_primary or "changed meanwhile") from error
            raise
        return counts

    async def fail(self, task: Task, reason: str) -> str:
        """End a run badly: the task waits for its next run, or has failed for good.

        Returns:
            Its new status.

        Raises:
            LostTaskError: It is not ours any more.
        """
        rows = await self._run(
            _FAIL, {**self._held(task), "error": reason, "delays_s": self._delays_s}
        )
        if not rows:
            raise LostTaskError(str(task.task_id))
        return str(rows[0][1])

    async def give_back(self, task: Task) -> None:
        """Let another worker have it, as if it had never been taken."""
        await self._change(_GIVE_BACK, self._held(task))

    async def renew(self, held: Iterable[UUID]) -> None:
        """Hold these tasks for another lease."""
        await self._change(
            _RENEW, {"held": list(held), "worker": self._worker, "lease_s": self._lease_s}
        )

    async def end_lost(self) -> int:
        """End the runs whose lease has run out, whoever began them (B-135).

        It counts as a run that failed: a task that brings workers down must end some day.

        Returns:
            How many there were.
        """
        rows = await self._run(_END_LOST, {"error": LOST, "delays_s": self._delays_s})
        return len(rows)

    def _held(self, task: Task) -> dict[str, Any]:
        return {
            "task_id": task.task_id,
            "worker": self._worker,
            "started_at": task.started_at,
        }

    async def _run(
        self, statement: LiteralString, parameters: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as connection:
            return await (await connection.execute(statement, parameters)).fetchall()

    async def _change(self, statement: LiteralString, parameters: Mapping[str, Any]) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(statement, parameters)
