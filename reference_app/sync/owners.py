"""What an owner may ask of synchronisation. Every statement names the owner itself."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import Literal, LiteralString
from uuid import UUID

import msgspec
import psycopg

from reference_app.listing import Listing, NewestFirst
from reference_app.session import Session
from reference_app.sync.calendars import Calendars
from reference_app.sync.errors import SyncError
from reference_app.sync.fetch import Fetcher, Validators
from reference_app.sync.merge import LOG_FAILURE, Calendar, SyncCounts, applying
from reference_app.sync.queue import CHANGED_MEANWHILE
from reference_app.sync.reader import read_calendar

HIGH = 3
"""Somebody waits for it; the scheduler's tasks are normal, 2 (B-124)."""


class SyncTask(msgspec.Struct, frozen=True):
    """A task of the queue, as its owner sees it."""

    task_id: UUID
    gite_id: UUID
    priority: int
    status: Literal["pending", "processing", "completed", "failed"]
    retries: int
    created_at: datetime
    available_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    failed_at: datetime | None
    last_error: str | None
    error_message: str | None


class SyncLog(msgspec.Struct, frozen=True):
    """One run and what it did (B-131)."""

    id: UUID
    task_id: UUID | None
    gite_id: UUID
    status: Literal["success", "failed"]
    added: int
    updated: int
    removed: int
    skipped: int
    duration_ms: int
    error: str | None
    synced_at: datetime


_TASK_COLUMNS: LiteralString = """r.task_id, r.gite_id, r.priority, r.status, r.retries,
    r.created_at, r.available_at, r.started_at, r.completed_at, r.failed_at, r.last_error,
    r.error_message"""

TASKS = Listing(
    name="sync_tasks",
    path="/api/sync/tasks",
    source="sync_queue r",
    scope="r.user_id = %(owner)s",
    columns=_TASK_COLUMNS,
    row=SyncTask,
    order=NewestFirst("created_at", datetime, id="task_id"),
    conditions={"gite_id": "r.gite_id = %(gite_id)s", "status": "r.status = %(status)s"},
)

LOGS = Listing(
    name="sync_logs",
    path="/api/sync/logs",
    source="sync_logs r",
    scope="r.user_id = %(owner)s",
    columns="""r.id, r.task_id, r.gite_id, r.status, r.added, r.updated, r.removed, r.skipped,
    r.duration_ms, r.error, r.synced_at""",
    row=SyncLog,
    order=NewestFirst("synced_at", datetime),
    conditions={"gite_id": "r.gite_id = %(gite_id)s", "status": "r.status = %(status)s"},
)

_FIND_CALENDAR: LiteralString = """/* find_calendar */
SELECT g.id, g.ical_url, f.etag, f.last_modified
FROM gites g LEFT JOIN sync_feeds f ON f.gite_id = g.id AND f.ical_url = g.ical_url
WHERE g.id = %(id)s AND g.owner_user_id = %(owner)s"""

# A gîte that waits already is not queued twice, but waits no longer for its slot. One that failed
# keeps its delay: the platform has just refused.
_ENQUEUE: LiteralString = (
    """/* queue_sync_task */
INSERT INTO sync_queue AS r (task_id, user_id, gite_id, priority)
SELECT %(task_id)s, g.owner_user_id, g.id, %(priority)s
FROM gites g WHERE g.id = %(gite_id)s AND g.owner_user_id = %(owner)s
ON CONFLICT (gite_id) WHERE status IN ('pending', 'processing') DO UPDATE
SET priority = greatest(r.priority, excluded.priority),
    available_at = CASE WHEN r.retries = 0 THEN least(r.available_at, now())
                        ELSE r.available_at END
RETURNING """
    + _TASK_COLUMNS
)


async def find_calendar(session: Session, unit_id: UUID) -> Calendar | None:
    """The calendar of a gîte, ``url`` empty when it has none; None without such a gîte."""

    def calendar(
        gite_id: UUID, url: str | None, etag: str | None, last_modified: str | None
    ) -> Calendar:
        return Calendar(
            gite_id=gite_id,
            owner_id=session.user_id,
            url=url or "",
            validators=Validators(etag, last_modified),
        )

    return await session.first(_FIND_CALENDAR, {"id": unit_id, "owner": session.user_id}, calendar)


async def enqueue(session: Session, unit_id: UUID) -> SyncTask | None:
    """Queue a gîte, or find it queued; None when it is not there for this owner."""
    return await session.first(
        _ENQUEUE,
        {
            "task_id": uuid.uuid4(),
            "gite_id": unit_id,
            "owner": session.user_id,
            "priority": HIGH,
        },
        SyncTask,
    )


async def synchronise(
    session: Session, fetcher: Fetcher, calendars: Calendars, calendar: Calendar
) -> SyncCounts:
    """Do it now, in this request (variant ``sync: inline``).

    Raises:
        SyncError: The calendar cannot be read or applied; the log says so too.
    """
    began = time.monotonic()
    try:
        reading = await read_calendar(fetcher, calendars, calendar)
        statement, parameters = applying(
            calendar,
            reading,
            today=datetime.now(UTC).date(),
            duration_ms=_since(began),
            task_id=None,
        )
        try:
            counts = await session.first(statement, parameters, SyncCounts)
        except psycopg.Error as error:
            if error.sqlstate != CHANGED_MEANWHILE:
                raise
            raise SyncError(error.diag.message_primary or "changed meanwhile") from error
    except SyncError as error:
        await session.rows(
            LOG_FAILURE,
            {
                "log_id": uuid.uuid4(),
                "owner": calendar.owner_id,
                "gite_id": calendar.gite_id,
                "duration_ms": _since(began),
                "error": str(error),
            },
            lambda logged: logged,
        )
        raise
    assert counts is not None, "both statements give one row"
    return counts


def _since(began: float) -> int:
    return round(1000 * (time.monotonic() - began))
