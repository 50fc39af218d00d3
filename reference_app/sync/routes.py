"""Synchronisation as owners see it: asking for it, following it, and the calendar proxy."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, QueryParameter

from reference_app.identity.admission import only
from reference_app.outbound.address import ADDRESS_MAX
from reference_app.pages import After, Page, PageNumber
from reference_app.problems import Problem, not_found
from reference_app.session import Session
from reference_app.sync.calendars import Calendars
from reference_app.sync.errors import AddressRefusedError, SyncError
from reference_app.sync.fetch import Fetcher
from reference_app.sync.merge import SyncCounts
from reference_app.sync.owners import (
    LOGS,
    TASKS,
    SyncLog,
    SyncTask,
    enqueue,
    find_calendar,
    synchronise,
)
from reference_app.sync.proxy import LIFETIME_S, CalendarProxy
from reference_app.sync.slots import SLOTS, next_run, slot_of


class Slot(msgspec.Struct, frozen=True):
    """The minute of the two-hour cycle that is an owner's own (B-137), and its next instant."""

    slot: int
    slots: int
    next_run: datetime


class SyncController(Controller):
    """Calendars of the signed-in owner."""

    path = "/api"
    tags = ("synchronisation",)
    opt = only("owner")

    @post(
        "/units/{unit_id:uuid}/sync",
        summary="Synchronise a gîte's calendar",
        status_code=HTTPStatus.OK,
        responses={
            HTTPStatus.ACCEPTED: ResponseSpec(
                SyncTask, description="Queued, with sync: queue or staggered"
            )
        },
    )
    async def synchronise(
        self,
        unit_id: FromPath[UUID],
        session: NamedDependency[Session],
        fetcher: NamedDependency[Fetcher],
        calendars: NamedDependency[Calendars],
    ) -> Response[SyncCounts] | Response[SyncTask]:
        """With ``sync: inline`` 200 and what has changed; else 202 and the task.

        404 without such a gîte, 409 when it has no calendar, 403 when its address may not be asked,
        502 when the platform gives no calendar.
        """
        calendar = await find_calendar(session, unit_id)
        if calendar is None:
            raise not_found("gîte")
        if not calendar.url:
            raise Problem(HTTPStatus.CONFLICT, "no-calendar", "the gîte has no calendar address")
        if session.variant.sync == "inline":
            try:
                counts = await synchronise(session, fetcher, calendars, calendar)
            except SyncError as error:
                raise _refusal(error) from error
            return Response(counts)
        task = await enqueue(session, unit_id)
        if task is None:
            raise not_found("gîte")
        return Response(task, status_code=HTTPStatus.ACCEPTED)

    @get("/sync/tasks", summary="Tasks of the queue")
    async def tasks(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        gite_id: FromQuery[UUID | None] = None,
        status: FromQuery[Literal["pending", "processing", "completed", "failed"] | None] = None,
    ) -> Page[SyncTask]:
        """Newest first."""
        filters = {"gite_id": gite_id, "status": status}
        return await TASKS.page(session, page=page, after=after, filters=filters)

    @get("/sync/logs", summary="Runs and what they did")
    async def logs(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        gite_id: FromQuery[UUID | None] = None,
        status: FromQuery[Literal["success", "failed"] | None] = None,
    ) -> Page[SyncLog]:
        """Newest first; failed runs too, each run of a task."""
        filters = {"gite_id": gite_id, "status": status}
        return await LOGS.page(session, page=page, after=after, filters=filters)

    @get("/sync/slot", summary="The owner's own minute of the cycle", sync_to_thread=False)
    def slot(self, session: NamedDependency[Session]) -> Slot:
        """What ``sync: staggered`` plans with, in every variant (F-13)."""
        minute = slot_of(session.user_id)
        return Slot(minute, SLOTS, next_run(datetime.now(UTC), minute))

    @get("/calendar", summary="A platform's feed, for the browser", media_type="text/calendar")
    async def calendar(
        self,
        session: NamedDependency[Session],
        calendar_proxy: NamedDependency[CalendarProxy],
        url: Annotated[str, QueryParameter(min_length=1, max_length=ADDRESS_MAX)],
    ) -> Response[bytes]:
        """Kept half an hour for each address (B-143). 400 without one, 403 for a host that is no
        calendar's, 502 when there is no calendar."""
        try:
            found = await calendar_proxy.get(session, url)
        except SyncError as error:
            raise _refusal(error) from error
        return Response(
            found.body,
            media_type="text/calendar",
            headers={
                "Cache-Control": f"public, max-age={LIFETIME_S}",
                "Age": str(found.age_s),
                "X-Cache": "hit" if found.is_hit else "miss",
                "X-Content-Type-Options": "nosniff",
            },
        )


def _refusal(error: SyncError) -> Problem:
    if isinstance(error, AddressRefusedError):
        return Problem(HTTPStatus.FORBIDDEN, "calendar-not-allowed", str(error))
    return Problem(HTTPStatus.BAD_GATEWAY, "calendar-unavailable", str(error))
