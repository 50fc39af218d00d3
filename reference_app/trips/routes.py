"""An owner's trips by car (B-89)."""

from __future__ import annotations

import uuid
from datetime import date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from reference_app.bodies import sent_fields
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.problems import not_found
from reference_app.session import Session
from reference_app.trips.queries import TRIP, TRIPS, Trip, create_trip

Place = Annotated[str, Meta(min_length=1, max_length=200)]
Purpose = Annotated[str, Meta(max_length=500)]
Hectometres = Annotated[int, Meta(ge=1, le=100_000)]
"""Up to 10 000 km: no trip of one day is longer."""


class NewTrip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trip to be written down; without a gîte it is for all of them."""

    date: date
    depart: Place
    arrivee: Place
    hectometres: Hectometres
    gite_id: UUID | None = None
    motif: Purpose = ""


class TripChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields to change; the others stay as they are."""

    date: date | UnsetType = UNSET
    depart: Place | UnsetType = UNSET
    arrivee: Place | UnsetType = UNSET
    hectometres: Hectometres | UnsetType = UNSET
    gite_id: UUID | UnsetType | None = UNSET
    motif: Purpose | UnsetType = UNSET


class TripsController(Controller):
    """Trips of the signed-in owner."""

    path = TRIPS.path
    tags = ("trips",)
    opt = only("owner")

    @get("/", summary="List trips")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        first_day: Annotated[date | None, QueryParameter(name="from")] = None,
        last_day: Annotated[date | None, QueryParameter(name="to")] = None,
        gite_id: FromQuery[UUID | None] = None,
    ) -> Page[Trip]:
        """Newest day first; ``from`` and ``to`` are the first and last day."""
        filters = {"from": first_day, "to": last_day, "gite_id": gite_id}
        return await TRIPS.page(session, page=page, after=after, filters=filters)

    @post("/", summary="Write a trip down")
    async def create(
        self,
        data: JSONBody[NewTrip],
        session: NamedDependency[Session],
    ) -> Response[Trip]:
        """404 for a gîte of somebody else."""
        created = await create_trip(session, {"id": uuid.uuid4(), **sent_fields(data)})
        if created is None:
            raise not_found("gîte")
        return Response(created, status_code=HTTPStatus.CREATED)

    @patch("/{trip_id:uuid}", summary="Change a trip")
    async def change(
        self,
        trip_id: FromPath[UUID],
        data: JSONBody[TripChange],
        session: NamedDependency[Session],
    ) -> Trip:
        """Only the fields that are sent."""
        return await TRIP.change(session, trip_id, sent_fields(data))

    @delete("/{trip_id:uuid}", summary="Delete a trip")
    async def remove(
        self,
        trip_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> None:
        """For good."""
        await TRIP.delete(session, trip_id)
