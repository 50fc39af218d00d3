"""The tax of an owner's year, and simulations of it (B-88).

The figures are synthetic: heavy work for a load test, not tax advice (decision 0036).
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta

from reference_app.cache.families import TAX
from reference_app.conditional import CONDITIONAL
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.session import Session
from reference_app.tax.office import TaxOffice
from reference_app.tax.queries import SIMULATIONS, Simulation, keep_simulation
from reference_app.tax.report import Regime, TaxReport

Year = Annotated[int | None, QueryParameter(ge=1900, le=2200)]


class NewSimulation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A year to be computed and kept."""

    annee: Annotated[int, Meta(ge=1900, le=2200)]
    regime: Regime


class TaxController(Controller):
    """The tax of the signed-in owner."""

    path = "/api/tax"
    tags = ("tax",)
    opt = only("owner")

    @get("/", summary="Tax of a year", opt=CONDITIONAL)
    async def report(
        self,
        session: NamedDependency[Session],
        tax_office: NamedDependency[TaxOffice],
        year: Year = None,
    ) -> Response[TaxReport]:
        """Computed from every booking and trip of ``year``; the present year when none is named.

        Synthetic figures, not tax advice.
        """
        wanted = datetime.now(UTC).year if year is None else year

        async def load() -> TaxReport:
            return await tax_office.report(await session.for_reports(), wanted)

        return await session.answer(TAX, load, wanted)

    @get("/simulations", summary="List kept simulations", opt=CONDITIONAL)
    async def list_simulations(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        year: Year = None,
    ) -> Response[Page[Simulation]]:
        """Newest first."""
        filters = {"year": year}
        position = ("page", page or 1) if after is None else ("after", after)
        return await session.answer(
            TAX,
            lambda: SIMULATIONS.page(session, page=page, after=after, filters=filters),
            "simulations",
            *position,
            filters=filters,
        )

    @post("/simulations", summary="Compute a year and keep it")
    async def simulate(
        self,
        data: JSONBody[NewSimulation],
        session: NamedDependency[Session],
        tax_office: NamedDependency[TaxOffice],
    ) -> Response[Simulation]:
        """Computed anew each time; what was kept does not change when bookings do."""
        report = await tax_office.report(session, data.annee)
        kept = await keep_simulation(
            session, uuid.uuid4(), year=data.annee, result=report.regime(data.regime)
        )
        return Response(kept, status_code=HTTPStatus.CREATED)
