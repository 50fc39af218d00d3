"""The deliveries as a worker sees them (B-47, decision 0089).

A delivery is pending, processing, and then delivered or failed. Who sends it holds a lease that is
longer than a request may take, so nobody renews it: a lease that has run out is a worker that was
lost, and its request counts as an attempt, for the endpoint may have seen it. The end of an attempt
and its line in the log are one statement, fenced by who began it. All times are the database's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from reference_app.background import Pool
from reference_app.webhooks.sender import Outcome
from reference_app.webhooks.values import Message

CHANNEL = "webhook_deliveries"
"""What new deliveries are notified on (schema/352_webhooks.sql)."""

# One delivery of an endpoint at a time, so that one that hangs keeps nobody else waiting.
_FREE: LiteralString = """d.status = 'pending' AND e.is_active
    AND NOT EXISTS (SELECT FROM webhook_deliveries other
                    WHERE other.endpoint_id = d.endpoint_id AND other.status = 'processing')"""

_CLAIM: LiteralString = f"""/* claim_webhook_delivery */
WITH next AS MATERIALIZED (
    SELECT d.id FROM webhook_deliveries d
    JOIN webhook_endpoints e ON e.id = d.endpoint_id
    WHERE d.available_at <= now() AND {_FREE}
    ORDER BY d.available_at, d.id
    LIMIT 1
    FOR NO KEY UPDATE OF d, e SKIP LOCKED
), claimed AS (
    UPDATE webhook_deliveries d
    SET status = 'processing', worker = %(worker)s, started_at = clock_timestamp(),
        lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
    FROM next WHERE d.id = next.id
    RETURNING d.id, d.started_at, d.event_id, d.endpoint_id
)
SELECT c.id, c.started_at, e.url, e.id, e.secret_version, v.id, v.type, v.created_at, v.payload
FROM claimed c
JOIN webhook_endpoints e ON e.id = c.endpoint_id
JOIN webhook_events v ON v.id = c.event_id"""

_NEXT_DUE: LiteralString = f"""/* next_webhook_delivery_due */
SELECT extract(epoch FROM min(d.available_at) - now())::float8
FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id
WHERE {_FREE}"""

_END: LiteralString = """/* {name} */
WITH ended AS (
    UPDATE webhook_deliveries d SET
        status = CASE WHEN %(error)s::text IS NULL THEN 'delivered'
                      WHEN d.attempts < cardinality(%(delays_s)s::float8[]) THEN 'pending'
                      ELSE 'failed' END,
        attempts = d.attempts + 1,
        available_at = CASE WHEN %(error)s::text IS NULL THEN d.available_at
            ELSE now() + make_interval(
                secs => coalesce((%(delays_s)s::float8[])[d.attempts + 1], 0)) END,
        finished_at = CASE WHEN %(error)s::text IS NULL
                             OR d.attempts >= cardinality(%(delays_s)s::float8[])
                           THEN clock_timestamp() END,
        last_status = %(status)s, last_error = %(error)s, worker = NULL, lease_until = NULL
    WHERE {condition}
    RETURNING d.id, d.school_group_id, d.endpoint_id, d.event_id, d.attempts, d.status, d.started_at
), logged AS (
    INSERT INTO webhook_attempts
        (school_group_id, endpoint_id, delivery_id, event_id, attempt, status, duration_ms, error)
    SELECT school_group_id, endpoint_id, id, event_id, attempts, %(status)s,
           coalesce(%(duration_ms)s, least(
               1000 * extract(epoch FROM clock_timestamp() - started_at), 2147483647)::integer),
           %(error)s
    FROM ended
)
SELECT id, status FROM ended"""

_END_OURS: LiteralString = _END.replace("{name}", "end_webhook_attempt").replace(
    "{condition}",
    """d.id = %(id)s AND d.status = 'processing' AND d.worker = %(worker)s
        AND d.started_at = %(started_at)s""",
)

_END_LOST: LiteralString = _END.replace("{name}", "end_lost_webhook_attempts").replace(
    "{condition}",
    """d.id IN (
        SELECT id FROM webhook_deliveries WHERE status = 'processing' AND lease_until < now()
        LIMIT 100 FOR UPDATE SKIP LOCKED)""",
)

LOST = "the worker was lost; whether the endpoint was told is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A delivery this worker holds.

    Attributes:
        started_at: With the worker's name the proof that it is ours.
    """

    id: UUID
    started_at: datetime
    url: str
    endpoint_id: UUID
    secret_version: int
    message: Message


class Queue:
    """The queue as one worker sees it.

    Args:
        pool: Connections as ``app_worker``, in autocommit.
        worker: Name of this worker; no other ever has it.
        delays_s: Before the second attempt, the third ...; one attempt more than delays in all.
        lease_s: Longer than an attempt may take.

    Every method raises psycopg.OperationalError when the database cannot be reached.
    """

    def __init__(
        self, pool: Pool, *, worker: str, delays_s: Sequence[float], lease_s: float
    ) -> None:
        self._pool = pool
        self._worker = worker
        self._delays_s = list(delays_s)
        self._lease_s = lease_s

    async def claim(self) -> Held | None:
        """Take what has waited longest, of an endpoint that is not being told anything else."""
        while True:
            try:
                rows = await self._run(_CLAIM, {"worker": self._worker, "lease_s": self._lease_s})
            except psycopg.errors.UniqueViolation:
                continue  # somebody else began with this endpoint at the same moment
            return _held(*rows[0]) if rows else None

    async def next_due_s(self) -> float | None:
        """Seconds until something may be taken, not positive when it may; None without any."""
        ((due_s,),) = await self._run(_NEXT_DUE, {})
        return None if due_s is None else float(due_s)

    async def end(self, held: Held, outcome: Outcome) -> str | None:
        """End an attempt and log it.

        Returns:
            The delivery's new status; None when it was not ours any more, and nothing changed.
        """
        rows = await self._run(
            _END_OURS,
            {
                "id": held.id,
                "worker": self._worker,
                "started_at": held.started_at,
                "delays_s": self._delays_s,
                "status": outcome.status,
                "duration_ms": outcome.duration_ms,
                "error": outcome.error,
            },
        )
        return str(rows[0][1]) if rows else None

    async def end_lost(self) -> int:
        """End the attempts whose lease has run out, whoever began them; how many there were."""
        parameters = {"error": LOST, "status": None, "duration_ms": None}
        rows = await self._run(_END_LOST, {**parameters, "delays_s": self._delays_s})
        return len(rows)

    async def _run(
        self, statement: LiteralString, parameters: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as connection:
            return await (await connection.execute(statement, parameters)).fetchall()


def _held(
    delivery_id: UUID,
    started_at: datetime,
    url: str,
    endpoint_id: UUID,
    secret_version: int,
    event_id: UUID,
    type_: str,
    created_at: datetime,
    payload: Any,
) -> Held:
    return Held(
        id=delivery_id,
        started_at=started_at,
        url=url,
        endpoint_id=endpoint_id,
        secret_version=secret_version,
        message=Message(event_id, type_, created_at, payload),
    )
