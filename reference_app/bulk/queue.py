"""The queue of bulk operations as a worker sees it (decision 0082).

An operation is pending, processing, and then completed or failed. Who works on it holds a lease
that each chunk renews. A lease that has run out lets anybody go on from where the last chunk ended;
an operation that brings workers down ends after ``RUNS_MAX`` of them. All times are the database's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from reference_app.background import Pool

CHANNEL = "bulk_operations"
"""What a new operation is notified on (schema/355_bulk.sql)."""

RUNS_MAX = 3
"""Workers that may be lost over one operation."""

# One operation of a tenant at a time, oldest first, so nobody's imports keep the others waiting.
_CLAIM: LiteralString = """/* claim_bulk_operation */
WITH next AS MATERIALIZED (
    SELECT id FROM bulk_operations b
    WHERE (status = 'pending' AND available_at <= now()
           OR status = 'processing' AND lease_until < now())
      AND NOT EXISTS (
          SELECT FROM bulk_operations other
          WHERE other.status = 'processing' AND other.id <> b.id
            AND other.school_group_id IS NOT DISTINCT FROM b.school_group_id)
    ORDER BY created_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE bulk_operations b
SET status = 'processing', worker = %(worker)s, attempts = b.attempts + 1,
    started_at = clock_timestamp(),
    lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
FROM next WHERE b.id = next.id
RETURNING b.id, b.started_at, b.total - b.done - b.failed"""

_END_LOST: LiteralString = """/* end_lost_bulk_operations */
UPDATE bulk_operations
SET status = 'failed', error = %(error)s, finished_at = now(), worker = NULL, lease_until = NULL
WHERE id IN (
    SELECT id FROM bulk_operations
    WHERE status = 'processing' AND lease_until < now() AND attempts >= %(runs_max)s
    LIMIT 100 FOR UPDATE SKIP LOCKED)"""

_CHUNK: LiteralString = """/* run_bulk_chunk */
SELECT run_bulk_chunk(%(id)s, %(worker)s, %(started_at)s, %(size)s, %(lease_s)s)"""

_HELD: LiteralString = """id = %(id)s AND status = 'processing' AND worker = %(worker)s
    AND started_at = %(started_at)s"""

_FAIL: LiteralString = f"""/* fail_bulk_operation */
UPDATE bulk_operations
SET status = 'failed', error = %(error)s, finished_at = now(), worker = NULL, lease_until = NULL
WHERE {_HELD}"""

_GIVE_BACK: LiteralString = f"""/* give_back_bulk_operation */
UPDATE bulk_operations
SET status = 'pending', attempts = attempts - 1, worker = NULL, lease_until = NULL
WHERE {_HELD}"""

LOST = "the worker was lost, again and again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An operation this worker holds.

    Attributes:
        started_at: With the worker's name the proof that it is ours.
        left: Items still to be worked on.
    """

    id: UUID
    started_at: datetime
    left: int


class Queue:
    """The queue as one worker sees it.

    Args:
        pool: Connections as ``app_worker``, in autocommit.
        worker: Name of this worker; no other ever has it.
        lease_s: How long an operation is held without a sign of life.

    Every method raises psycopg.OperationalError when the database cannot be reached.
    """

    def __init__(self, pool: Pool, *, worker: str, lease_s: float) -> None:
        self._pool = pool
        self._worker = worker
        self._lease_s = lease_s

    async def claim(self) -> Held | None:
        """Take the oldest operation whose tenant has no other under way."""
        try:
            rows = await self._run(_CLAIM, {"worker": self._worker, "lease_s": self._lease_s})
        except psycopg.errors.UniqueViolation:
            return None  # somebody began another of this tenant at the same moment
        if not rows:
            return None
        operation, started_at, left = rows[0]
        return Held(id=operation, started_at=started_at, left=left)

    async def run_chunk(self, held: Held, size: int) -> int | None:
        """Work on the next items, in one transaction.

        Returns:
            Items that are left; 0 completed the operation, None means it is not ours any more.

        Raises:
            psycopg.Error: The database refused; nothing of the chunk was done.
        """
        parameters = {**self._held(held), "size": size, "lease_s": self._lease_s}
        ((left,),) = await self._run(_CHUNK, parameters)
        return None if left is None else int(left)

    async def fail(self, held: Held, error: str) -> None:
        """End an operation that cannot be gone on with; what was done stays."""
        await self._change(_FAIL, {**self._held(held), "error": error})

    async def give_back(self, held: Held) -> None:
        """Let another worker go on with it, as if this one had not begun."""
        await self._change(_GIVE_BACK, self._held(held))

    async def end_lost(self) -> None:
        """End operations over which too many workers were lost."""
        await self._change(_END_LOST, {"error": LOST, "runs_max": RUNS_MAX})

    def _held(self, held: Held) -> dict[str, Any]:
        return {"id": held.id, "worker": self._worker, "started_at": held.started_at}

    async def _run(
        self, statement: LiteralString, parameters: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as connection:
            return await (await connection.execute(statement, parameters)).fetchall()

    async def _change(self, statement: LiteralString, parameters: Mapping[str, Any]) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(statement, parameters)
