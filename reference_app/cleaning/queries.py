"""The cleaning schedule (B-86). Every statement names the owner itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from reference_app.listing import Listing, NewestFirst
from reference_app.own_rows import OwnRows
from reference_app.session import Session

Status = Literal["planned", "done", "cancelled"]


class Cleaning(msgspec.Struct, frozen=True):
    """A cleaning of a gîte on a day, perhaps after a stay."""

    id: UUID
    gite_id: UUID
    reservation_id: UUID | None
    date: date
    status: Status
    intervenant: str
    created_at: datetime
    updated_at: datetime


CLEANINGS = Listing(
    name="cleanings",
    path="/api/cleaning",
    source="cleaning_schedule r",
    scope="r.owner_user_id = %(owner)s",
    columns="""r.id, r.gite_id, r.reservation_id, r.date, r.status, r.intervenant, r.created_at,
       r.updated_at""",
    row=Cleaning,
    order=NewestFirst("date", date),
    conditions={"gite_id": "r.gite_id = %(gite_id)s", "status": "r.status = %(status)s"},
)

CLEANING = OwnRows(
    name="cleaning",
    table="cleaning_schedule",
    scope="owner_user_id = %(owner)s",
    columns="id, gite_id, reservation_id, date, status, intervenant, created_at, updated_at",
    row=Cleaning,
    changeable=("date", "status", "intervenant"),
    touched=("updated_at = now()",),
)


async def create_cleaning(session: Session, values: Mapping[str, Any]) -> Cleaning | None:
    """Plan a cleaning; None when the gîte is not this owner's, or the stay not in this gîte."""
    return await session.first(
        """/* create_cleaning */
        INSERT INTO cleaning_schedule
               (id, gite_id, owner_user_id, reservation_id, date, status, intervenant)
        SELECT %(id)s, g.id, g.owner_user_id, %(reservation_id)s, %(date)s, %(status)s,
               %(intervenant)s
        FROM gites g
        WHERE g.id = %(gite_id)s AND g.owner_user_id = %(owner)s
          AND (%(reservation_id)s::uuid IS NULL OR EXISTS (
              SELECT FROM reservations r
              WHERE r.id = %(reservation_id)s AND r.gite_id = g.id
                AND r.owner_user_id = %(owner)s))
        RETURNING id, gite_id, reservation_id, date, status, intervenant, created_at,
                  updated_at""",
        {**values, "owner": session.user_id},
        Cleaning,
    )
