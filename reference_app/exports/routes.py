"""An owner's rows as CSV files (B-91)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import QueryParameter

from reference_app.exports.answer import CsvFile
from reference_app.exports.queries import RESERVATION_COLUMNS, stream_reservations
from reference_app.exports.tax import TAX_COLUMNS, tax_cells
from reference_app.identity.admission import only
from reference_app.session import Session
from reference_app.tax.office import TaxOffice

CSV: Mapping[int, ResponseSpec] = {
    HTTPStatus.OK: ResponseSpec(
        str, description="The file", media_type="text/csv", generate_examples=False
    )
}


class ExportsController(Controller):
    """Files of the signed-in owner."""

    path = "/api/exports"
    tags = ("exports",)
    opt = only("owner")

    @get("/reservations.csv", summary="Reservations as CSV", responses=CSV)
    async def reservations(
        self,
        session: NamedDependency[Session],
        year: Annotated[int | None, QueryParameter(ge=1900, le=2200)] = None,
    ) -> CsvFile:
        """Stays that arrive in ``year``, or all; archived ones too, newest arrival first.

        Sent while it is read. A text that a spreadsheet would take for a formula has an apostrophe
        in front.
        """
        name = "reservations.csv" if year is None else f"reservations-{year}.csv"
        rows = stream_reservations(await session.for_reports(), year)
        return await CsvFile.of(name, RESERVATION_COLUMNS, rows)

    @get("/tax.csv", summary="Nights and revenue of a tax year as CSV", responses=CSV)
    async def tax(
        self,
        session: NamedDependency[Session],
        tax_office: NamedDependency[TaxOffice],
        year: Annotated[int | None, QueryParameter(ge=1900, le=2200)] = None,
    ) -> CsvFile:
        """What the tax of ``year`` is computed from, by month, gîte and platform.

        The present year when none is named.
        """
        wanted = datetime.now(UTC).year if year is None else year
        lines = await tax_office.lines(await session.for_reports(), wanted)
        return CsvFile(
            f"tax-{wanted}.csv", TAX_COLUMNS, [tax_cells(wanted, line) for line in lines]
        )
