"""An owner's gîtes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from reference_app.cache.families import UNITS
from reference_app.conditional import CONDITIONAL
from reference_app.identity.admission import only
from reference_app.problems import not_found
from reference_app.session import Session
from reference_app.units.queries import Unit, change_unit, create_unit, find_unit, list_units

ShortText = Annotated[str, Meta(min_length=1, max_length=200)]
PostalCode = Annotated[str, Meta(min_length=1, max_length=20)]
Guests = Annotated[int, Meta(ge=1, le=1000)]
Colour = Annotated[str, Meta(pattern="^#[0-9a-fA-F]{6}$", max_length=7)]
Address = Annotated[str, Meta(min_length=1, max_length=2000, pattern="^https?://")]


class NewUnit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gîte to be created."""

    nom: ShortText
    ville: ShortText
    code_postal: PostalCode
    capacite: Guests
    couleur: Colour = "#3b82f6"
    actif: bool = True
    ical_url: Address | None = None


class UnitChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields to change; the others stay as they are."""

    nom: ShortText | UnsetType = UNSET
    ville: ShortText | UnsetType = UNSET
    code_postal: PostalCode | UnsetType = UNSET
    capacite: Guests | UnsetType = UNSET
    couleur: Colour | UnsetType = UNSET
    actif: bool | UnsetType = UNSET
    ical_url: Address | UnsetType | None = UNSET


class UnitsController(Controller):
    """Gîtes of the signed-in owner."""

    path = "/api/units"
    tags = ("units",)
    opt = only("owner")

    @get("/", summary="All gîtes", opt=CONDITIONAL)
    async def list(self, session: NamedDependency[Session]) -> Response[Sequence[Unit]]:
        """By name."""
        return await session.answer(UNITS, lambda: list_units(session), "all")

    @get("/{unit_id:uuid}", summary="One gîte", opt=CONDITIONAL)
    async def show(
        self,
        unit_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> Response[Unit]:
        """404 also for a gîte of somebody else."""

        async def load() -> Unit:
            unit = await find_unit(session, unit_id)
            if unit is None:
                raise not_found("gîte")
            return unit

        return await session.answer(UNITS, load, "one", unit_id)

    @post("/", summary="Create a gîte")
    async def create(
        self,
        data: JSONBody[NewUnit],
        session: NamedDependency[Session],
    ) -> Response[Unit]:
        """Answers 201 with its address."""
        values: dict[str, Any] = {"id": uuid.uuid4(), **msgspec.to_builtins(data)}
        unit = await create_unit(session, values)
        return Response(
            unit,
            status_code=HTTPStatus.CREATED,
            headers={"Location": f"/api/units/{unit.id}"},
        )

    @patch("/{unit_id:uuid}", summary="Change a gîte")
    async def change(
        self,
        unit_id: FromPath[UUID],
        data: JSONBody[UnitChange],
        session: NamedDependency[Session],
    ) -> Unit:
        """Only the fields that are sent."""
        unit = await change_unit(session, unit_id, msgspec.to_builtins(data))
        if unit is None:
            raise not_found("gîte")
        return unit
