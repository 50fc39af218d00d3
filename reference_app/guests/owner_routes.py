"""What an owner does about guests: hands out sheets, answers requests, reads feedback."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Literal
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from reference_app.guests.sheets import (
    FEEDBACK,
    HOUR_REQUESTS,
    SHEETS,
    decide_hour_request,
    find_hour_request,
    hand_out_sheet,
    revoke_sheet,
)
from reference_app.guests.values import (
    Feedback,
    HandedOut,
    HourRequest,
    NewSheet,
    RequestStatus,
    Sheet,
)
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.problems import FieldError, Problem, invalid, not_found
from reference_app.reservations.queries import find_reservation
from reference_app.session import Session

TOKEN_BYTES = 32
"""256 random bits: not to be guessed, however often one tries."""

LIFE_MAX = timedelta(days=3 * 366)
"""Bookings lie at most so far ahead."""


class SheetsController(Controller):
    """Sheets of the signed-in owner's stays (B-80)."""

    path = "/api"
    tags = ("guests",)
    opt = only("owner")

    @post(
        "/reservations/{reservation_id:uuid}/sheet",
        summary="Hand out a sheet",
        cache_control=CacheControlHeader(no_store=True),
    )
    async def hand_out(
        self,
        reservation_id: FromPath[UUID],
        data: JSONBody[NewSheet],
        session: NamedDependency[Session],
    ) -> Response[HandedOut]:
        """A guest opens it with the token alone, which is shown this once.

        A stay may have several sheets. 409 for a cancelled stay.
        """
        today = datetime.now(UTC).date()
        if data.expires_on is not None and not today <= data.expires_on <= today + LIFE_MAX:
            raise invalid(FieldError("expires_on", "must be today or later, within three years"))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        sheet = await hand_out_sheet(session, uuid.uuid4(), reservation_id, token, data, today)
        if sheet is None:
            if await find_reservation(session, reservation_id) is None:
                raise not_found("reservation")
            raise Problem(HTTPStatus.CONFLICT, "stay-cancelled", "the stay is cancelled")
        return Response(
            HandedOut(sheet.id, token, f"/api/guest/{token}", sheet.scope, sheet.expires_at),
            status_code=HTTPStatus.CREATED,
        )

    @get("/sheets", summary="List sheets")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        reservation_id: FromQuery[UUID | None] = None,
    ) -> Page[Sheet]:
        """Newest first; never with a token."""
        filters = {"reservation_id": reservation_id}
        return await SHEETS.page(session, page=page, after=after, filters=filters)

    @post("/sheets/{sheet_id:uuid}/revoke", summary="Close a sheet", status_code=HTTPStatus.OK)
    async def revoke(self, sheet_id: FromPath[UUID], session: NamedDependency[Session]) -> Sheet:
        """At once and for good; closing twice is no error."""
        sheet = await revoke_sheet(session, sheet_id)
        if sheet is None:
            raise not_found("sheet")
        return sheet


class HourRequestsController(Controller):
    """Guests' wishes for other hours (B-82)."""

    path = HOUR_REQUESTS.path
    tags = ("guests",)
    opt = only("owner")

    @get("/", summary="List hour requests")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        gite_id: FromQuery[UUID | None] = None,
        status: FromQuery[RequestStatus | None] = None,
    ) -> Page[HourRequest]:
        """Newest first."""
        filters = {"gite_id": gite_id, "status": status}
        return await HOUR_REQUESTS.page(session, page=page, after=after, filters=filters)

    @post("/{request_id:uuid}/accept", summary="Accept a request", status_code=HTTPStatus.OK)
    async def accept(
        self, request_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> HourRequest:
        """Accepting twice is no error; 409 when it was declined."""
        return await _decide(session, request_id, "accepted")

    @post("/{request_id:uuid}/decline", summary="Decline a request", status_code=HTTPStatus.OK)
    async def decline(
        self, request_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> HourRequest:
        """Declining twice is no error; 409 when it was accepted."""
        return await _decide(session, request_id, "declined")


class FeedbackController(Controller):
    """What guests said (B-83)."""

    path = FEEDBACK.path
    tags = ("guests",)
    opt = only("owner")

    @get("/", summary="List feedback")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        gite_id: FromQuery[UUID | None] = None,
    ) -> Page[Feedback]:
        """Newest first."""
        return await FEEDBACK.page(session, page=page, after=after, filters={"gite_id": gite_id})


async def _decide(
    session: Session, request_id: UUID, decision: Literal["accepted", "declined"]
) -> HourRequest:
    decided = await decide_hour_request(session, request_id, decision)
    if decided is not None:
        return decided
    found = await find_hour_request(session, request_id)
    if found is None:
        raise not_found("hour request")
    if found.status != decision:
        raise Problem(
            HTTPStatus.CONFLICT,
            "already-decided",
            f"the request was {found.status} at {found.decided_at}",
        )
    return found
