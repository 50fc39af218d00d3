"""LiveOwnerUnit: what owners of gîtes do (J-01, J-02, J-05; docs/requirements/load_tests.md).

    locust -f scenarios/liveownerunit.py --host http://127.0.0.1:8000

Works against any deployment of the reference application, whichever way it pages.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from palier.load.writes import Intent
from palier.model.identity import ANCHOR, gite_id, owner_email, password, reservation_id
from scenarios.operation import CannotFollow, operation
from scenarios.visitor import JourneyUser

RESERVATIONS: Final = "/api/reservations"

FIRST_NIGHT: Final = date(2100, 1, 1)
"""Stays are booked beyond any seeded one, so that they never clash with the data."""

STAY_NIGHTS: Final = 2

STAYS: Final = 1_400_000
"""Two-night stays that fit between 2100 and the last year of the calendar, 9999."""

GUESTS: Final = ("Martin", "Bernard", "Dubois", "Petit", "Durand", "Leroy", "Moreau", "Simon")
"""Family names that are frequent in the data."""


class Owner(JourneyUser):
    """An owner at work."""

    system = "liveownerunit"

    def begin(self, *, tenant: int, session: int) -> None:
        super().begin(tenant=tenant, session=session)
        self.token = ""
        self.next_address: str | None = None
        self.last_address: str | None = None
        self.created: str | None = None

    # signing in -----------------------------------------------------------------------------

    @operation(essential=True)
    def sign_in(self) -> None:
        answer = self.call(
            "POST",
            "/api/auth",
            body={"email": owner_email(self.tenant), "password": password(self.seed)},
        ).json()
        token = answer.get("access_token")
        self.check(isinstance(token, str) and token != "", "the answer holds no access_token")
        self.token = token

    # reading --------------------------------------------------------------------------------

    @operation
    def dashboard(self) -> None:
        answer = self._get(f"/api/dashboard?date={ANCHOR}")
        self.check("arrivals" in answer, "the dashboard names no arrivals")

    @operation
    def statistics(self) -> None:
        answer = self._get(f"/api/statistics?year={ANCHOR.year}")
        self.check("months" in answer, "the statistics have no months")

    @operation
    def list_units(self) -> None:
        units = self._get("/api/units")
        self.check(isinstance(units, list) and len(units) > 0, "an owner without a gîte")

    @operation
    def list_reservations(self) -> None:
        self._get_page(RESERVATIONS)

    @operation
    def next_page(self) -> None:
        """What "next" leads to; the first page again where there is no next one."""
        self._get_page(self.next_address or RESERVATIONS)

    @operation
    def last_page(self) -> None:
        """What "last" leads to; "next" where the deployment does not know the last page."""
        self._get_page(self.last_address or self.next_address or RESERVATIONS)

    @operation
    def search_guest(self) -> None:
        name = GUESTS[self.session % len(GUESTS)]
        page = self._get_page(f"{RESERVATIONS}?{urlencode({'q': name})}")
        self.check(
            all(name.lower() in row["client_nom"].lower() for row in page["items"]),
            "the search found somebody else",
        )

    @operation
    def filter_reservations(self) -> None:
        query = urlencode({"platform": "airbnb", "status": "confirmed"})
        page = self._get_page(f"{RESERVATIONS}?{query}")
        self.check(
            all(
                (row["plateforme"], row["status"]) == ("airbnb", "confirmed")
                for row in page["items"]
            ),
            "the filter let others through",
        )

    @operation
    def read_reservation(self) -> None:
        wanted = self.created or str(reservation_id(seed=self.seed, owner=self.tenant, index=0))
        answer = self._get(f"{RESERVATIONS}/{wanted}")
        self.check(answer.get("id") == wanted, "another reservation than asked for")

    # writing --------------------------------------------------------------------------------

    @operation
    def create_reservation(self) -> None:
        """Book a stay nobody else books: a refusal for taken nights (409) is a failure."""
        # The start differs between runs, for a database that outlives one.
        slot = (self.epoch + self.session) % STAYS
        arrival = FIRST_NIGHT + timedelta(days=STAY_NIGHTS * slot)
        stay = {
            "gite_id": str(gite_id(seed=self.seed, owner=self.tenant, index=0)),
            "date_debut": arrival.isoformat(),
            "date_fin": (arrival + timedelta(days=STAY_NIGHTS)).isoformat(),
            "client_nom": f"Famille {GUESTS[self.session % len(GUESTS)]}",
            "voyageurs": 2,
            "plateforme": "direct",
            "prix_centimes": 18_000,
        }
        answer = self.call(
            "POST",
            RESERVATIONS,
            expect=201,
            headers=self._signed(),
            body=stay,
            writes=Intent(kind="reservation", action="create", row=stay),
        ).json()
        self.check(answer.get("date_debut") == arrival.isoformat(), "other nights than asked for")
        self.created = answer["id"]

    @operation
    def change_reservation(self) -> None:
        address, change = self._own_reservation(), {"voyageurs": 4}
        answer = self.call(
            "PATCH",
            address,
            headers=self._signed(),
            body=change,
            writes=Intent(kind="reservation", action="change", id=self.created, row=change),
        ).json()
        self.check(answer.get("voyageurs") == 4, "the change did not take")

    @operation
    def cancel_reservation(self) -> None:
        answer = self.call(
            "POST",
            f"{self._own_reservation()}/cancel",
            headers=self._signed(),
            writes=Intent(
                kind="reservation",
                action="change",
                id=self.created,
                row={"status": "cancelled"},
            ),
        ).json()
        self.check(answer.get("status") == "cancelled", "the stay is not cancelled")

    # ----------------------------------------------------------------------------------------

    def _signed(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _own_reservation(self) -> str:
        if self.created is None:
            raise CannotFollow("nothing was booked in this session")
        return f"{RESERVATIONS}/{self.created}"

    def _get(self, path: str) -> Any:
        return self.call("GET", path, headers=self._signed()).json()

    def _get_page(self, path: str) -> dict[str, Any]:
        page: dict[str, Any] = self._get(path)
        rows = page["items"]
        self.observe("page_rows_max", len(rows))
        size = page.get("page_size")
        self.check(size is None or len(rows) <= size, "more rows than a page holds")
        self.next_address = page.get("next")
        self.last_address = page.get("last")
        return page
