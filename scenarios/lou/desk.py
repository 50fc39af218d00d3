"""An owner's desk: the tabs beside the reservations (B-96), figures, tax, trips, notices."""

from __future__ import annotations

from typing import Final

from palier.load.writes import Intent
from palier.model.identity import ANCHOR, gite_id
from scenarios.lou.account import Account
from scenarios.operation import operation

YEAR: Final = ANCHOR.year - 1
"""The last whole year of the data: the one that is declared."""


class Desk(Account):
    """An owner and everything but the list of reservations."""

    abstract = True

    def begin(self, *, tenant: int, session: int) -> None:
        super().begin(tenant=tenant, session=session)
        self.kilometres: float | None = None

    # tabs -----------------------------------------------------------------------------------

    @operation
    def dashboard(self) -> None:
        answer = self.get(f"/api/dashboard?date={ANCHOR}")
        self.check("arrivals" in answer, "the dashboard names no arrivals")

    @operation
    def statistics(self) -> None:
        answer = self.get(f"/api/statistics?year={ANCHOR.year}")
        self.check("months" in answer, "the statistics have no months")

    @operation
    def list_units(self) -> None:
        units = self.get("/api/units")
        self.check(isinstance(units, list) and len(units) > 0, "an owner without a gîte")

    @operation
    def unit_information(self) -> None:
        wanted = self.own_unit()
        answer = self.get(f"/api/units/{wanted}/information")
        self.check(answer.get("unit_id") == wanted, "another gîte than asked for")

    @operation
    def list_cleaning(self) -> None:
        unit = self.own_unit()
        page = self.get_page(f"/api/cleaning?gite_id={unit}")
        self.check(all(row["gite_id"] == unit for row in page["items"]), "cleaning of another gîte")

    @operation
    def list_sheets(self) -> None:
        self.get_page("/api/sheets")

    @operation
    def list_notifications(self) -> None:
        rows = self.get_page("/api/notifications")["items"]
        unread = [not row["is_read"] for row in rows]
        self.check(unread == sorted(unread, reverse=True), "a read notice before an unread one")

    # money ----------------------------------------------------------------------------------

    @operation
    def tax(self) -> None:
        self._tax()

    @operation
    def tax_again(self) -> None:
        """The same year a second time: from the cache, if there is one (J-07)."""
        self._tax()

    @operation
    def tax_after_trip(self) -> None:
        """After the data has changed: a figure from before the trip is a wrong answer."""
        self._tax()

    @operation
    def create_trip(self) -> None:
        """Drive to the gîte in the year of the declaration."""
        trip = {
            "gite_id": self.own_unit(),
            "date": f"{YEAR}-06-15",
            "depart": "Dole",
            "arrivee": "Besançon",
            "hectometres": 520,
            "motif": f"visite {self.mark()}",
        }
        answer = self.call(
            "POST",
            "/api/trips",
            expect=201,
            headers=self.signed(),
            body=trip,
            writes=Intent(kind="trip", action="create", row=trip),
        ).json()
        self.check(answer.get("motif") == trip["motif"], "another trip than written down")

    def _tax(self) -> None:
        answer = self.get(f"/api/tax?year={YEAR}")
        self.check(answer.get("annee") == YEAR, "the tax of another year")

    def own_unit(self) -> str:
        """The gîte that every owner has."""
        return str(gite_id(seed=self.seed, owner=self.tenant, index=0))
