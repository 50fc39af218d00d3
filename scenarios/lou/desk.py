"""An owner's desk: the tabs beside the reservations (B-96), figures, tax, trips, notices."""

from __future__ import annotations

from typing import Final

from palier.load.writes import Intent
from palier.model.identity import ANCHOR, gite_id
from scenarios.lou.account import Account
from scenarios.operation import operation

YEAR: Final = ANCHOR.year - 1
"""The last whole year of the data: the one that is declared."""

TRIP_HM: Final = 520
"""52 km there and back."""


class Desk(Account):
    """An owner and everything but the list of reservations."""

    abstract = True

    def begin(self, *, tenant: int, session: int) -> None:
        super().begin(tenant=tenant, session=session)
        self.hectometres = 0
        self.drove = 0

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
        self.hectometres = self._hectometres_taxed()

    @operation
    def tax_again(self) -> None:
        """The same year a second time: from the cache, if there is one (J-07)."""
        self.check(self._hectometres_taxed() >= self.hectometres, "fewer trips than before")

    @operation
    def tax_after_trip(self) -> None:
        """After a trip: whatever is kept in between, the tax must count it."""
        # Other sessions of the owner may have driven as well, so more is right, too.
        self.check(
            self._hectometres_taxed() >= self.hectometres + self.drove,
            "stale figures: the trip written down before is not in them",
        )

    @operation
    def create_trip(self) -> None:
        """Drive to the gîte in the year of the declaration."""
        trip = {
            "gite_id": self.own_unit(),
            "date": f"{YEAR}-06-15",
            "depart": "Dole",
            "arrivee": "Besançon",
            "hectometres": TRIP_HM,
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
        self.drove = TRIP_HM

    def _hectometres_taxed(self) -> int:
        answer = self.get(f"/api/tax?year={YEAR}")
        self.check(answer.get("annee") == YEAR, "the tax of another year")
        driven: int = answer["hectometres"]
        return driven

    def own_unit(self) -> str:
        """The gîte that every owner has."""
        return str(gite_id(seed=self.seed, owner=self.tenant, index=0))
