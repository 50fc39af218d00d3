"""When an owner's gîtes are cleaned (B-86)."""

from __future__ import annotations

import uuid
from datetime import date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, Meta, UnsetType

from reference_app.bodies import sent_fields
from reference_app.cleaning.queries import (
    CLEANING,
    CLEANINGS,
    Cleaning,
    Status,
    create_cleaning,
)
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.problems import not_found
from reference_app.session import Session

PersonName = Annotated[str, Meta(max_length=200)]


class NewCleaning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cleaning to be planned; ``intervenant`` is who does it."""

    gite_id: UUID
    date: date
    reservation_id: UUID | None = None
    status: Status = "planned"
    intervenant: PersonName = ""


class CleaningChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields to change; the others stay as they are."""

    date: date | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    intervenant: PersonName | UnsetType = UNSET


class CleaningController(Controller):
    """Cleanings of the signed-in owner's gîtes."""

    path = CLEANINGS.path
    tags = ("cleaning",)
    opt = only("owner")

    @get("/", summary="List cleanings")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        gite_id: FromQuery[UUID | None] = None,
        status: FromQuery[Status | None] = None,
    ) -> Page[Cleaning]:
        """Newest day first."""
        filters = {"gite_id": gite_id, "status": status}
        return await CLEANINGS.page(session, page=page, after=after, filters=filters)

    @post("/", summary="Plan a cleaning")
    async def create(
        self,
        data: JSONBody[NewCleaning],
        session: NamedDependency[Session],
    ) -> Response[Cleaning]:
        """404 for a gîte of somebody else, and for a stay that is not in the gîte."""
        created = await create_cleaning(session, {"id": uuid.uuid4(), **sent_fields(data)})
        if created is None:
            raise not_found("gîte" if data.reservation_id is None else "stay in this gîte")
        return Response(created, status_code=HTTPStatus.CREATED)

    @patch("/{cleaning_id:uuid}", summary="Change a cleaning")
    async def change(
        self,
        cleaning_id: FromPath[UUID],
        data: JSONBody[CleaningChange],
        session: NamedDependency[Session],
    ) -> Cleaning:
        """Only the fields that are sent."""
        return await CLEANING.change(session, cleaning_id, sent_fields(data))

    @delete("/{cleaning_id:uuid}", summary="Delete a cleaning")
    async def remove(
        self,
        cleaning_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> None:
        """For good."""
        await CLEANING.delete(session, cleaning_id)
