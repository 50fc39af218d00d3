"""What guests and owners see of sheets, hour requests and feedback."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from reference_app.activities.values import Category
from reference_app.information.columns import Language
from reference_app.information.values import Core, Hour, Texts

Scope = Literal["sheet", "stay"]
"""``sheet`` may read; ``stay`` may also ask for hours and leave feedback."""

RequestStatus = Literal["pending", "accepted", "declined"]

Message = Annotated[str, Meta(max_length=2000)]


# the owner's side -------------------------------------------------------------------------


class NewSheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sheet to be opened; ``expires_on`` is its last day."""

    scope: Scope = "stay"
    expires_on: date | None = None


class Sheet(msgspec.Struct, frozen=True):
    """A sheet that was handed out. Its token is not kept, only a hash."""

    id: UUID
    reservation_id: UUID
    gite_id: UUID
    scope: Scope
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class HandedOut(msgspec.Struct, frozen=True):
    """A new sheet with its token, which is shown this once."""

    id: UUID
    token: str
    address: str
    scope: Scope
    expires_at: datetime


class HourRequest(msgspec.Struct, frozen=True):
    """A guest's wish for other hours, and what the owner said to it."""

    id: UUID
    reservation_id: UUID
    gite_id: UUID
    heure_arrivee: time | None
    heure_depart: time | None
    message: str
    status: RequestStatus
    created_at: datetime
    decided_at: datetime | None


class Feedback(msgspec.Struct, frozen=True):
    """A guest's opinion of a stay; ``note`` from 1 to 5."""

    id: UUID
    reservation_id: UUID
    gite_id: UUID
    note: int
    commentaire: str
    created_at: datetime


# the guest's side -------------------------------------------------------------------------


class Stay(msgspec.Struct, frozen=True):
    """The stay a sheet is about."""

    reservation_id: UUID
    date_debut: date
    date_fin: date
    client_nom: str
    voyageurs: int


class GuestSheet(msgspec.Struct, frozen=True):
    """What opens with a token: the stay, the gîte, and the hours that hold there."""

    scope: Scope
    expires_at: datetime
    stay: Stay
    heure_arrivee: time
    heure_depart: time
    core: Core


class GuestInstructions(msgspec.Struct, frozen=True):
    """How to arrive, stay and leave, in one language."""

    langue: Language
    heure_arrivee: time
    heure_depart: time
    code_acces: str | None
    emplacement_cles: str | None
    consignes: Texts


class GuestActivity(msgspec.Struct, frozen=True):
    """Something to do near the gîte."""

    id: UUID
    nom: str
    categorie: Category
    description: str
    adresse: str
    distance_m: int


class HourWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Other hours; at least one of the two."""

    heure_arrivee: Hour | None = None
    heure_depart: Hour | None = None
    message: Message = ""


class Opinion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the stay was."""

    note: Annotated[int, Meta(ge=1, le=5)]
    commentaire: Annotated[str, Meta(max_length=5000)] = ""
