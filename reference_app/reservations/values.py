"""Reservations as values: what is stored, asked for and sent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_app.problems import FieldError, invalid

Platform = Literal["airbnb", "booking", "abritel", "direct"]
Status = Literal["pending", "confirmed", "cancelled"]

GuestName = Annotated[str, Meta(min_length=1, max_length=200)]
Email = Annotated[str, Meta(min_length=3, max_length=320, pattern="^[^@\\s]+@[^@\\s]+(?!\\s)$")]
Guests = Annotated[int, Meta(ge=1, le=1000)]
Cents = Annotated[int, Meta(ge=0, le=1_000_000_000_00)]


class Reservation(msgspec.Struct, frozen=True):
    """A stay in a gîte, from ``date_debut`` to ``date_fin``, the day of departure."""

    id: UUID
    gite_id: UUID
    date_debut: date
    date_fin: date
    client_nom: str
    client_email: str | None
    voyageurs: int
    plateforme: Platform
    status: Status
    prix_centimes: int
    created_at: datetime
    updated_at: datetime


class Clash(msgspec.Struct, frozen=True):
    """A stay that is in the way."""

    reservation_id: UUID
    date_debut: date
    date_fin: date


class NewReservation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stay to be booked."""

    gite_id: UUID
    date_debut: date
    date_fin: date
    client_nom: GuestName
    client_email: Email | None = None
    voyageurs: Guests = 2
    plateforme: Platform = "direct"
    status: Literal["pending", "confirmed"] = "confirmed"
    prix_centimes: Cents = 0


class ReservationChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields to change; the others stay as they are. The gîte cannot change: book anew."""

    date_debut: date | UnsetType = UNSET
    date_fin: date | UnsetType = UNSET
    client_nom: GuestName | UnsetType = UNSET
    client_email: Email | UnsetType | None = UNSET
    voyageurs: Guests | UnsetType = UNSET
    plateforme: Platform | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    prix_centimes: Cents | UnsetType = UNSET


def require_nights(date_debut: date, date_fin: date) -> None:
    """A stay has at least one night.

    Raises:
        Problem: 400; it has none.
    """
    if date_fin <= date_debut:
        raise invalid(FieldError("date_fin", "must be after date_debut"))
