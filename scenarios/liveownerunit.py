"""LiveOwnerUnit: owners of holiday rentals at work (journeys J-01, J-02, J-05).

    locust -f scenarios/liveownerunit.py --host http://127.0.0.1:8000

runs it with plain Locust; `palier run lou-2` drives it by its schedule.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

from palier.model.identity import gite_id, owner_email, password, reservation_id
from scenarios.operation import operation
from scenarios.visitor import JourneyUser

FIRST_FREE_DAY = date(2027, 1, 1)
"""The seeded stays end in December 2026 (docs/decisions/0030-seed.md)."""

FREE_DAYS = 60_000
"""Days that scenarios book in, up to the year 2191."""

NIGHTS = 2

DAYS_A_STAY = 3
"""Two nights and a day between: two sessions never want the same night."""

GUESTS = ("Martin", "Lefèvre", "Bernard", "Dubois", "Moreau", "Élise", "Chloé", "François")

SEARCH_YEAR = 2025
"""A year that is wholly in the seeded past, so every owner has figures for it."""

RESERVATIONS = "/api/reservations"


class Owner(JourneyUser):
    """An owner with a browser: signs in, reads lists, books and changes stays."""

    system = "liveownerunit"

    def begin(self, *, tenant: int, session: int) -> None:
        super().begin(tenant=tenant, session=session)
        self._headers: dict[str, str] = {}
        self._next: str | None = None
        self._last: str | None = None
        self._created: str | None = None

    @operation(essential=True)
    def sign_in(self) -> None:
        """POST /api/auth; the token is kept for the session."""
        answer = self.call(
            "POST",
            "/api/auth",
            body={"email": owner_email(self.tenant), "password": password(self.seed)},
        ).json()
        token = answer.get("access_token") if isinstance(answer, dict) else None
        self.check(isinstance(token, str) and bool(token), "no access_token in the answer")
        self._headers = {"Authorization": f"Bearer {token}"}

    @operation
    def dashboard(self) -> None:
        """The page an owner lands on."""
        self._get("/api/dashboard")

    @operation
    def list_units(self) -> None:
        """All gîtes of the owner."""
        units = self._get("/api/units")
        self.check(isinstance(units, list) and len(units) > 0, "no gîtes in the answer")

    @operation
    def list_reservations(self) -> None:
        """First page, newest arrival first."""
        self._page(RESERVATIONS)

    @operation
    def next_page(self) -> None:
        """The page after the one shown; the first again when there is none."""
        self._page(self._next or RESERVATIONS)

    @operation
    def last_page(self) -> None:
        """The last page, where the list knows its length."""
        self._page(self._last or RESERVATIONS)

    @operation
    def search_guest(self) -> None:
        """French full-text search in the guests' names."""
        guest = GUESTS[self.session % len(GUESTS)]
        self._page(f"{RESERVATIONS}?q={quote(guest)}")

    @operation
    def filter_reservations(self) -> None:
        """Confirmed stays of one platform since the beginning of 2026 (B-69)."""
        self._page(f"{RESERVATIONS}?from=2026-01-01&platform=airbnb&status=confirmed")

    @operation
    def read_reservation(self) -> None:
        """One stay."""
        wanted = self._stay()
        found = self._get(f"{RESERVATIONS}/{wanted}")
        self.check(found.get("id") == wanted, "another reservation than asked for")

    @operation
    def create_reservation(self) -> None:
        """Book two nights that nobody else wants."""
        offset = (self.epoch + self.session * DAYS_A_STAY) % FREE_DAYS
        arrival = FIRST_FREE_DAY + timedelta(days=offset)
        created = self.call(
            "POST",
            RESERVATIONS,
            expect=201,
            headers=self._headers,
            body={
                "gite_id": str(gite_id(seed=self.seed, owner=self.tenant, index=0)),
                "date_debut": arrival.isoformat(),
                "date_fin": (arrival + timedelta(days=NIGHTS)).isoformat(),
                "client_nom": f"{GUESTS[self.session % len(GUESTS)]} Palier",
                "voyageurs": 2,
                "plateforme": "direct",
                "prix_centimes": 18_000,
            },
        ).json()
        self.check(isinstance(created.get("id"), str), "no id in the answer")
        self._created = created["id"]

    @operation
    def change_reservation(self) -> None:
        """One guest more."""
        changed = self.call(
            "PATCH",
            f"{RESERVATIONS}/{self._stay()}",
            headers=self._headers,
            body={"voyageurs": 3},
        ).json()
        self.check(changed.get("voyageurs") == 3, "the change is not in the answer")

    @operation
    def cancel_reservation(self) -> None:
        """Give the nights free again."""
        cancelled = self.call(
            "POST", f"{RESERVATIONS}/{self._stay()}/cancel", headers=self._headers
        ).json()
        self.check(cancelled.get("status") == "cancelled", "the stay is not cancelled")

    @operation
    def statistics(self) -> None:
        """Figures of a whole year."""
        figures = self._get(f"/api/statistics?year={SEARCH_YEAR}")
        self.check(figures.get("year") == SEARCH_YEAR, "another year than asked for")

    def _stay(self) -> str:
        """The stay this session booked, or one of the seeded ones."""
        return self._created or str(reservation_id(seed=self.seed, owner=self.tenant, index=0))

    def _get(self, path: str) -> Any:
        return self.call("GET", path, headers=self._headers).json()

    def _page(self, path: str) -> None:
        page = self._get(path)
        rows = page.get("items") if isinstance(page, dict) else None
        self.check(isinstance(rows, list), "no list of items in the answer")
        self.observe("page_rows_max", len(rows))
        self._next = page.get("next")
        self._last = page.get("last")
