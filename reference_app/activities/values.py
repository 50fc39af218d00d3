"""Activities as values: what is stored, asked for and sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

Category = Literal[
    "randonnee", "visite", "restaurant", "baignade", "marche", "enfants", "sport", "autre"
]

ActivityName = Annotated[str, Meta(min_length=1, max_length=200)]
Description = Annotated[str, Meta(max_length=5000)]
Address = Annotated[str, Meta(max_length=500)]
Metres = Annotated[int, Meta(ge=0, le=1_000_000)]


class Activity(msgspec.Struct, frozen=True):
    """Something to do near a gîte."""

    id: UUID
    gite_id: UUID
    nom: str
    categorie: Category
    description: str
    adresse: str
    distance_m: int
    created_at: datetime


class NewActivity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An activity to be added to a gîte."""

    gite_id: UUID
    nom: ActivityName
    categorie: Category
    distance_m: Metres = 0
    description: Description = ""
    adresse: Address = ""


class ActivityChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields to change; the others stay as they are."""

    nom: ActivityName | UnsetType = UNSET
    categorie: Category | UnsetType = UNSET
    distance_m: Metres | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    adresse: Address | UnsetType = UNSET
