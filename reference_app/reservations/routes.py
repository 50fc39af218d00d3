"""An owner's reservations (B-65 ... B-78)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
import psycopg
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from reference_app.cache import families
from reference_app.conditional import CONDITIONAL
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.problems import FieldError, Problem, invalid, not_found
from reference_app.reservations.listing import PATH, RESERVATIONS
from reference_app.reservations.queries import (
    change_reservation,
    create_reservation,
    delete_reservation,
    explain_refusal,
    find_clash,
    find_reservation,
)
from reference_app.reservations.values import (
    Clash,
    NewReservation,
    Platform,
    Reservation,
    ReservationChange,
    Status,
    require_nights,
)
from reference_app.session import Session


class ReservationsController(Controller):
    """Reservations of the signed-in owner."""

    path = PATH
    tags = ("reservations",)
    opt = only("owner")

    @get("/", summary="List reservations", opt=CONDITIONAL)
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        arrival_from: Annotated[date | None, QueryParameter(name="from")] = None,
        arrival_to: Annotated[date | None, QueryParameter(name="to")] = None,
        platform: FromQuery[Platform | None] = None,
        status: FromQuery[Status | None] = None,
        gite_id: FromQuery[UUID | None] = None,
        q: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> Response[Page[Reservation]]:
        """Newest arrival first.

        ``from`` and ``to`` are the first and last day of arrival, ``q`` searches guests' names in
        French. Which way of paging is offered is a switch of the deployment; ``next`` leads on in
        each of them, and no position is the first page.
        """
        filters = {
            "from": arrival_from,
            "to": arrival_to,
            "platform": platform,
            "status": status,
            "gite_id": gite_id,
            "q": q,
        }
        position = ("page", page or 1) if after is None else ("after", after)
        return await session.answer(
            families.RESERVATIONS,
            lambda: RESERVATIONS.page(session, page=page, after=after, filters=filters),
            *position,
            filters=filters,
        )

    @get("/{reservation_id:uuid}", summary="One reservation", opt=CONDITIONAL)
    async def show(
        self,
        reservation_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> Response[Reservation]:
        """404 also for a reservation of somebody else."""

        async def load() -> Reservation:
            found = await find_reservation(session, reservation_id)
            if found is None:
                raise not_found("reservation")
            return found

        return await session.answer(families.RESERVATIONS, load, "one", reservation_id)

    @post("/", summary="Book a stay")
    async def create(
        self,
        data: JSONBody[NewReservation],
        session: NamedDependency[Session],
    ) -> Response[Reservation]:
        """409 when the gîte is taken on one of the nights, 404 when it is not the owner's."""
        require_nights(data.date_debut, data.date_fin)
        values: dict[str, Any] = {
            "id": uuid.uuid4(),
            **{name: getattr(data, name) for name in data.__struct_fields__},
        }
        created = await create_reservation(session, values)
        if created is None:
            why = await explain_refusal(session, data.gite_id, data.date_debut, data.date_fin)
            raise _taken(why.clash) if why.gite_exists else not_found("gîte")
        return Response(
            created,
            status_code=HTTPStatus.CREATED,
            headers={"Location": f"{PATH}/{created.id}"},
        )

    @patch("/{reservation_id:uuid}", summary="Change a reservation")
    async def change(
        self,
        reservation_id: FromPath[UUID],
        data: JSONBody[ReservationChange],
        session: NamedDependency[Session],
    ) -> Reservation:
        """Only the fields that are sent; 409 when the gîte is taken on one of the new nights."""
        changes = {
            name: value
            for name in data.__struct_fields__
            if (value := getattr(data, name)) is not msgspec.UNSET
        }
        return await _change(session, reservation_id, changes)

    @post("/{reservation_id:uuid}/cancel", summary="Cancel a stay", status_code=HTTPStatus.OK)
    async def cancel(
        self,
        reservation_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> Reservation:
        """Keeps the reservation and frees its nights; cancelling twice is no error."""
        return await _change(session, reservation_id, {"status": "cancelled"})

    @delete("/{reservation_id:uuid}", summary="Delete a reservation")
    async def remove(
        self,
        reservation_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> None:
        """For good (B-67)."""
        if await delete_reservation(session, reservation_id) is None:
            raise not_found("reservation")


async def _change(
    session: Session, reservation_id: UUID, changes: Mapping[str, Any]
) -> Reservation:
    try:
        changed = await change_reservation(session, reservation_id, changes)
    except psycopg.errors.ExclusionViolation as error:
        why = await find_clash(
            session,
            reservation_id,
            None,
            changes.get("date_debut"),
            changes.get("date_fin"),
        )
        raise _taken(why.clash) from error
    except psycopg.errors.CheckViolation as error:
        # the only rule across fields; each field alone was checked before
        raise invalid(FieldError("date_fin", "must be after date_debut")) from error
    if changed is None:
        raise not_found("reservation")
    return changed


def _taken(clash: Clash | None) -> Problem:
    """409. Naming the other stay leaks nothing: it is in the same owner's gîte."""
    if clash is None:
        return Problem(
            HTTPStatus.CONFLICT,
            "dates-taken",
            "another stay was in the way and is gone again: try once more",
        )
    return Problem(
        HTTPStatus.CONFLICT,
        "dates-taken",
        f"the gîte is taken from {clash.date_debut} to {clash.date_fin}",
        extra={"clash": msgspec.to_builtins(clash)},
    )
