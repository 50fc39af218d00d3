"""Reads what the tax needs and computes it without stopping everybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from reference_app.session import Session
from reference_app.tax.ledger import Cell, Place, ledger_of
from reference_app.tax.queries import gites_of, stays_of, trips_of
from reference_app.tax.report import TaxReport, report_of

Result = TypeVar("Result")


class Line(NamedTuple):
    """A cell of a year's ledger, with the name of its gîte."""

    place: Place
    gite_name: str
    cell: Cell


class TaxOffice:
    """Computes years, one at a time in each process (B-88: "1 user at a time").

    In a thread of its own, so that short requests are answered meanwhile: they take turns with it
    every few milliseconds. More threads would share the same interpreter and finish no sooner.
    Requests that wait for their turn hold no database connection.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tax")

    async def report(self, session: Session, year: int) -> TaxReport:
        """The tax of ``year`` from all bookings and trips of it, as they are now."""
        gites = await gites_of(session)
        stays = await stays_of(session, year)
        trips = await trips_of(session, year)
        return await self._apart(lambda: report_of(year, gites, stays, trips))

    async def lines(self, session: Session, year: int) -> list[Line]:
        """The ledger of ``year``, by month, name of the gîte and platform."""
        names = dict(await gites_of(session))
        stays = await stays_of(session, year)
        ledger = await self._apart(lambda: ledger_of(year, stays))
        lines = [Line(place, names[place.gite_id], cell) for place, cell in ledger.items()]
        return sorted(
            lines,
            key=lambda line: (line.place.month, line.gite_name, line.place),
        )

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _apart(self, compute: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, compute)
