"""What the automation reads and writes. Every day and instant is a parameter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, LiteralString, cast
from uuid import UUID, uuid4

import psycopg

from reference_app.automation.rules import Action, Status, Step, Subscription

Connection = psycopg.AsyncConnection[Any]

RETRIES_AFTER_S = (300, 3600)
"""Soon, for what passes by itself, and once more when that took longer; then a person looks (B-44:
3 attempts, as everywhere else)."""

_READ: LiteralString = """
SELECT s.id, s.school_group_id, s.period, s.status, s.ends_on, s.auto_renew, s.grace_until,
       (SELECT min(n.days_before) FROM subscription_notices n
        WHERE n.subscription_id = s.id AND n.period = s.period),
       EXISTS (SELECT FROM payments p
               WHERE p.school_group_id = s.school_group_id AND p.subscription_id = s.id
                 AND p.period = s.period + 1 AND p.status = 'succeeded'),
       ARRAY (SELECT t.action FROM automation_retries t
              WHERE t.subscription_id = s.id AND t.period = s.period
                AND (t.retry_at IS NULL OR t.retry_at > %(now)s))
FROM subscriptions s
"""

_CHUNK: LiteralString = f"""/* read_automation_chunk */{_READ}
WHERE %(after)s::uuid IS NULL OR s.school_group_id > %(after)s
ORDER BY s.school_group_id LIMIT %(size)s"""

_AGAIN: LiteralString = f"""/* read_subscriptions */{_READ}
WHERE s.id = ANY (%(ids)s)
ORDER BY s.school_group_id"""

# In the order of the groups, as everybody who locks several (decision 0082).
_LOCK: LiteralString = """/* lock_subscriptions */
SELECT FROM subscriptions WHERE id = ANY (%(ids)s)
ORDER BY school_group_id FOR NO KEY UPDATE"""

_NOTICE: LiteralString = """/* tell_of_expiry */
INSERT INTO subscription_notices
    (id, subscription_id, school_group_id, period, days_before, ends_on, sent_at)
SELECT gen_random_uuid(), s.id, s.school_group_id, s.period, w.days_before, s.ends_on, %(now)s
FROM unnest(%(ids)s::uuid[], %(marks)s::smallint[]) AS w (id, days_before)
JOIN subscriptions s USING (id)"""

_RENEW: LiteralString = """/* renew_subscriptions */
SELECT renew_subscriptions(%(ids)s, %(today)s)"""

_GRACE: LiteralString = """/* begin_grace */
UPDATE subscriptions
SET status = 'grace', grace_until = ends_on + %(grace_days)s::integer, updated_at = now()
WHERE id = ANY (%(ids)s)"""

_SUSPEND: LiteralString = """/* suspend_subscriptions */
UPDATE subscriptions
SET status = 'suspended', grace_until = NULL, suspended_at = %(now)s, updated_at = now()
WHERE id = ANY (%(ids)s)"""

_STATEMENTS: Mapping[Action, LiteralString] = {
    "notice": _NOTICE,
    "renew": _RENEW,
    "grace": _GRACE,
    "suspend": _SUSPEND,
}

# What works is nothing to be tried again any more.
_LOG_DONE: LiteralString = """/* log_automation */
WITH steps AS (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(groups)s::uuid[], %(periods)s::integer[], %(actions)s::text[],
        %(marks)s::smallint[]) AS step (id, school_group_id, period, action, days_before)
), settled AS (
    DELETE FROM automation_retries t USING steps
    WHERE t.subscription_id = steps.id AND t.period = steps.period AND t.action = steps.action
    RETURNING t.subscription_id, t.attempts
)
INSERT INTO automation_log
    (run_id, subscription_id, school_group_id, period, action, outcome, attempt, days_before)
SELECT %(run)s, steps.id, steps.school_group_id, steps.period, steps.action, 'done',
       coalesce(settled.attempts, 0) + 1, steps.days_before
FROM steps LEFT JOIN settled ON settled.subscription_id = steps.id"""

_RETRY: LiteralString = """/* retry_automation */
WITH kept AS (
    INSERT INTO automation_retries AS t
        (subscription_id, period, action, attempts, retry_at, error, updated_at)
    VALUES (%(id)s, %(period)s, %(action)s, 1,
            %(now)s + make_interval(secs => (%(after_s)s::integer[])[1]), %(error)s, %(now)s)
    ON CONFLICT (subscription_id, period, action) DO UPDATE
    SET attempts = t.attempts + 1, error = excluded.error, updated_at = excluded.updated_at,
        -- none is left: null, given up
        retry_at = %(now)s + make_interval(secs => (%(after_s)s::integer[])[t.attempts + 1])
    RETURNING attempts, retry_at
)
INSERT INTO automation_log (run_id, subscription_id, school_group_id, period, action, outcome,
                            attempt, days_before, error)
SELECT %(run)s, %(id)s, %(group)s, %(period)s, %(action)s,
       CASE WHEN retry_at IS NULL THEN 'given_up' ELSE 'retry' END, attempts, %(mark)s, %(error)s
FROM kept"""

_BEGIN: LiteralString = """/* begin_automation_run */
INSERT INTO automation_runs (id, day, worker, started_at)
VALUES (%(id)s, %(day)s, %(worker)s, clock_timestamp())"""

_COUNT: LiteralString = """/* count_automation_run */
UPDATE automation_runs
SET chunks = chunks + %(chunks)s, groups = groups + %(groups)s, noticed = noticed + %(notice)s,
    renewed = renewed + %(renew)s, graced = graced + %(grace)s,
    suspended = suspended + %(suspend)s, failed = failed + %(failed)s,
    finished_at = CASE WHEN %(is_over)s THEN clock_timestamp() END
WHERE id = %(id)s"""

_NEXT_RETRY: LiteralString = """/* next_automation_retry */
SELECT min(retry_at) FROM automation_retries"""


@dataclass(slots=True)
class Counts:
    """What came of a pass, or of a part of it."""

    chunks: int = 0
    groups: int = 0
    notice: int = 0
    renew: int = 0
    grace: int = 0
    suspend: int = 0
    failed: int = 0

    def add(self, done: Iterable[Step]) -> None:
        """Count what was done."""
        for step in done:
            setattr(self, step.action, getattr(self, step.action) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One pass: what its rows are known by, and the moment it takes to be now."""

    now: datetime
    worker: str
    id: UUID = field(default_factory=uuid4)

    @property
    def today(self) -> date:
        return self.now.date()

    async def begin(self, connection: Connection) -> None:
        """Write that it has begun."""
        await connection.execute(_BEGIN, {"id": self.id, "day": self.today, "worker": self.worker})

    async def count(self, connection: Connection, counts: Counts, *, is_over: bool = False) -> None:
        """Add to what has come of it."""
        parameters = {name: getattr(counts, name) for name in Counts.__slots__}
        await connection.execute(_COUNT, {**parameters, "id": self.id, "is_over": is_over})

    async def read_chunk(
        self, connection: Connection, after: UUID | None, size: int
    ) -> list[Subscription]:
        """The next groups behind ``after``."""
        return await self._read(connection, _CHUNK, {"after": after, "size": size})

    async def read_again(
        self, connection: Connection, subscriptions: Iterable[Subscription]
    ) -> list[Subscription]:
        """What has become of them."""
        ids = [subscription.id for subscription in subscriptions]
        return await self._read(connection, _AGAIN, {"ids": ids})

    async def lock(
        self, connection: Connection, subscriptions: Iterable[Subscription]
    ) -> list[Subscription]:
        """Hold them until the transaction ends; what they are by then.

        Two statements: one alone would read notices and payments as they were before the wait.
        """
        ids = [subscription.id for subscription in subscriptions]
        await connection.execute(_LOCK, {"ids": ids})
        return await self._read(connection, _AGAIN, {"ids": ids})

    async def do(self, connection: Connection, steps: Sequence[Step], grace_days: int) -> None:
        """Do steps of subscriptions that are locked, at most one of each, and log them."""
        for action, statement in _STATEMENTS.items():
            chosen = [step for step in steps if step.action == action]
            if chosen:
                parameters = {
                    "ids": [step.subscription.id for step in chosen],
                    "marks": [step.days_before for step in chosen],
                    "now": self.now,
                    "today": self.today,
                    "grace_days": grace_days,
                }
                await connection.execute(statement, parameters)
        await connection.execute(
            _LOG_DONE,
            {
                "run": self.id,
                "ids": [step.subscription.id for step in steps],
                "groups": [step.subscription.group_id for step in steps],
                "periods": [step.subscription.period for step in steps],
                "actions": [step.action for step in steps],
                "marks": [step.days_before for step in steps],
            },
        )

    async def retry_later(self, connection: Connection, step: Step, error: str) -> None:
        """Keep what did not work for its next attempt, or give it up; log it either way."""
        await connection.execute(
            _RETRY,
            {
                "run": self.id,
                "id": step.subscription.id,
                "group": step.subscription.group_id,
                "period": step.subscription.period,
                "action": step.action,
                "mark": step.days_before,
                "now": self.now,
                "after_s": list(RETRIES_AFTER_S),
                "error": error,
            },
        )

    async def next_retry(self, connection: Connection) -> datetime | None:
        """When something is to be tried again."""
        row = await (await connection.execute(_NEXT_RETRY)).fetchone()
        return None if row is None else cast("datetime | None", row[0])

    async def _read(
        self, connection: Connection, statement: LiteralString, parameters: Mapping[str, Any]
    ) -> list[Subscription]:
        cursor = await connection.execute(statement, {**parameters, "now": self.now})
        return [_subscription(*row) for row in await cursor.fetchall()]


def _subscription(
    id_: UUID,
    group_id: UUID,
    period: int,
    status: Status,
    ends_on: date,
    auto_renew: bool,
    grace_until: date | None,
    told: int | None,
    is_paid: bool,
    held: list[Action],
) -> Subscription:
    return Subscription(
        id=id_,
        group_id=group_id,
        period=period,
        status=status,
        ends_on=ends_on,
        auto_renew=auto_renew,
        grace_until=grace_until,
        told=told,
        is_paid=is_paid,
        held=frozenset(held),
    )
