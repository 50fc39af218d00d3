"""What a guest does with a sheet's token, without an account (B-80 ... B-83).

A token that is unknown, has ended or was withdrawn gets the same 404 everywhere. Nothing here may
be kept by caches: the address is the secret, and the answer the door's code.
"""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Annotated, TypeVar

from litestar import Controller, Response, get, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from reference_app.guests.queries import (
    ask_for_hours,
    leave_feedback,
    list_activities_of_sheet,
    list_hour_requests_of_sheet,
    open_sheet,
    read_contacts_of_sheet,
    read_equipment_of_sheet,
    read_instructions_of_sheet,
    read_wifi_of_sheet,
    scope_of_sheet,
)
from reference_app.guests.values import (
    Feedback,
    GuestActivity,
    GuestInstructions,
    GuestSheet,
    HourRequest,
    HourWish,
    Opinion,
)
from reference_app.information.columns import Language
from reference_app.information.values import Contact, Equipment, Wifi
from reference_app.problems import FieldError, Problem, invalid, not_found
from reference_app.session import GuestSession

Found = TypeVar("Found")


class GuestController(Controller):
    """The sheet of the token in the address."""

    path = "/api/guest/{token:str}"
    tags = ("guests",)
    opt = {"public": True}  # noqa: RUF012 - Litestar's own attribute
    cache_control = CacheControlHeader(no_store=True)

    @get("/", summary="Open a sheet")
    async def sheet(self, guest_session: NamedDependency[GuestSession]) -> GuestSheet:
        """The stay and the gîte."""
        return _found(await open_sheet(guest_session))

    @get("/wifi", summary="Wifi of the gîte")
    async def wifi(self, guest_session: NamedDependency[GuestSession]) -> Wifi:
        """How to get into the network."""
        return _found(await read_wifi_of_sheet(guest_session))

    @get("/instructions", summary="Instructions of the gîte")
    async def instructions(
        self,
        guest_session: NamedDependency[GuestSession],
        lang: Annotated[Language, QueryParameter()] = "fr",
    ) -> GuestInstructions:
        """How to arrive, stay and leave, in French or English."""
        return _found(await read_instructions_of_sheet(guest_session, lang))

    @get("/equipment", summary="Equipment of the gîte")
    async def equipment(self, guest_session: NamedDependency[GuestSession]) -> Equipment:
        """What is in the house."""
        return _found(await read_equipment_of_sheet(guest_session))

    @get("/contacts", summary="Contacts of the gîte")
    async def contacts(self, guest_session: NamedDependency[GuestSession]) -> list[Contact]:
        """Whom to call."""
        return _found(await read_contacts_of_sheet(guest_session))

    @get("/activities", summary="Activities near the gîte")
    async def activities(self, guest_session: NamedDependency[GuestSession]) -> list[GuestActivity]:
        """Nearest first."""
        return _found(await list_activities_of_sheet(guest_session))

    @get("/hour-requests", summary="The stay's hour requests")
    async def hour_requests(
        self, guest_session: NamedDependency[GuestSession]
    ) -> list[HourRequest]:
        """Newest first, with the owner's answers."""
        return _found(await list_hour_requests_of_sheet(guest_session))

    @post("/hour-requests", summary="Ask for other hours")
    async def ask(
        self,
        data: JSONBody[HourWish],
        guest_session: NamedDependency[GuestSession],
    ) -> Response[HourRequest]:
        """For arrival, departure or both; the owner is told. 403 for a sheet that only reads."""
        if data.heure_arrivee is None and data.heure_depart is None:
            raise invalid(FieldError("heure_arrivee", "an hour of arrival or departure is needed"))
        asked = await ask_for_hours(guest_session, uuid.uuid4(), data)
        if asked is None:
            await _refuse_writing(guest_session)
            raise not_found("sheet")
        return Response(asked, status_code=HTTPStatus.CREATED)

    @post("/feedback", summary="Leave feedback")
    async def feedback(
        self,
        data: JSONBody[Opinion],
        guest_session: NamedDependency[GuestSession],
    ) -> Response[Feedback]:
        """Once a stay: 409 the second time. 403 for a sheet that only reads."""
        said = await leave_feedback(guest_session, uuid.uuid4(), data)
        if said is None:
            await _refuse_writing(guest_session)
            raise Problem(HTTPStatus.CONFLICT, "feedback-given", "this stay has feedback already")
        return Response(said, status_code=HTTPStatus.CREATED)


def _found(found: Found | None) -> Found:
    if found is None:
        raise not_found("sheet")
    return found


async def _refuse_writing(session: GuestSession) -> None:
    """Say why nothing was written, if it was the token.

    Raises:
        Problem: 404 for a token that opens nothing, 403 for one that may only read.
    """
    if _found(await scope_of_sheet(session)) == "sheet":
        raise Problem(HTTPStatus.FORBIDDEN, "read-only-sheet", "this sheet may only be read")
