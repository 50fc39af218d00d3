"""Trips by car for the gîtes (B-89): what the tax counts kilometres from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from reference_app.listing import Listing, NewestFirst
from reference_app.own_rows import OwnRows
from reference_app.session import Session


class Trip(msgspec.Struct, frozen=True):
    """A drive, for one gîte or for all of them; tenths of a kilometre, so that sums are exact."""

    id: UUID
    gite_id: UUID | None
    date: date
    depart: str
    arrivee: str
    hectometres: int
    motif: str
    created_at: datetime


TRIPS = Listing(
    name="trips",
    path="/api/trips",
    source="km_trajets r",
    scope="r.owner_user_id = %(owner)s",
    columns="""r.id, r.gite_id, r.date, r.depart, r.arrivee, r.hectometres, r.motif,
       r.created_at""",
    row=Trip,
    order=NewestFirst("date", date),
    conditions={
        "from": "r.date >= %(from)s",
        "to": "r.date <= %(to)s",
        "gite_id": "r.gite_id = %(gite_id)s",
    },
)

TRIP = OwnRows(
    name="trip",
    table="km_trajets",
    scope="owner_user_id = %(owner)s",
    columns="id, gite_id, date, depart, arrivee, hectometres, motif, created_at",
    row=Trip,
    changeable=("gite_id", "date", "depart", "arrivee", "hectometres", "motif"),
    provided={
        "gite_id": """(%(gite_id)s::uuid IS NULL OR EXISTS (
            SELECT FROM gites g WHERE g.id = %(gite_id)s AND g.owner_user_id = %(owner)s))"""
    },
    spoken="trip or gîte",
)


async def create_trip(session: Session, values: Mapping[str, Any]) -> Trip | None:
    """Write a trip down; None when its gîte is not this owner's."""
    return await session.first(
        """/* create_trip */
        INSERT INTO km_trajets
               (id, owner_user_id, gite_id, date, depart, arrivee, hectometres, motif)
        SELECT %(id)s, %(owner)s, %(gite_id)s, %(date)s, %(depart)s, %(arrivee)s,
               %(hectometres)s, %(motif)s
        WHERE %(gite_id)s::uuid IS NULL OR EXISTS (
            SELECT FROM gites g WHERE g.id = %(gite_id)s AND g.owner_user_id = %(owner)s)
        RETURNING id, gite_id, date, depart, arrivee, hectometres, motif, created_at""",
        {**values, "owner": session.user_id},
        Trip,
    )
