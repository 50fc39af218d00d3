"""Reservations: the list in its ways, one stay, booking, changing and cancelling."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from palier.load.writes import Intent
from palier.model.identity import gite_id, reservation_id
from scenarios.lou.account import Account
from scenarios.operation import CannotFollow, operation

RESERVATIONS: Final = "/api/reservations"

FIRST_NIGHT: Final = date(2100, 1, 1)
"""Stays are booked beyond any seeded one and any of a feed, so that they never clash with the
data."""

STAY_NIGHTS: Final = 2

STAYS: Final = 1_400_000
"""Two-night stays that fit between 2100 and the last year of the calendar, 9999."""

GUESTS: Final = ("Martin", "Bernard", "Dubois", "Petit", "Durand", "Leroy", "Moreau", "Simon")
"""Family names that are frequent in the data."""


class Bookings(Account):
    """An owner and the reservations."""

    abstract = True

    def begin(self, *, tenant: int, session: int) -> None:
        super().begin(tenant=tenant, session=session)
        self.created: str | None = None
        self.stay: Mapping[str, Any] = {}

    # reading --------------------------------------------------------------------------------

    @operation
    def list_reservations(self) -> None:
        self.get_page(RESERVATIONS)

    @operation
    def list_again(self) -> None:
        """The same page a second time, as a visitor who comes back to it (T-132)."""
        answer = self.answer(RESERVATIONS)
        self.checked_page(answer.json())
        kept = answer.headers.get("x-cache")
        if kept is not None:
            self.tally("second_load_hit", kept.lower() == "hit")

    @operation
    def list_after_booking(self) -> None:
        """The first page after a write: whatever is kept in between, it must show the write."""
        if self.created is None:
            raise CannotFollow("nothing was booked in this session")
        rows = self.get_page(RESERVATIONS)["items"]
        # Newest arrival first: a page that leaves our stay out must be full of later ones.
        self.check(
            any(row["id"] == self.created for row in rows)
            or (len(rows) > 0 and _place(rows[-1]) > (self.stay["date_debut"], self.created)),
            "a stale page: what was booked before is not on it",
        )

    @operation
    def list_anonymously(self) -> None:
        """Without a token: refused, whatever the list holds."""
        self.call("GET", RESERVATIONS, expect=401)

    @operation
    def next_page(self) -> None:
        """What "next" leads to; the first page again where there is no next one."""
        self.get_page(self.next_address or RESERVATIONS)

    @operation
    def last_page(self) -> None:
        """What "last" leads to; "next" where the deployment does not know the last page."""
        self.get_page(self.last_address or self.next_address or RESERVATIONS)

    @operation
    def search_guest(self) -> None:
        name = GUESTS[self.session % len(GUESTS)]
        page = self.get_page(f"{RESERVATIONS}?{urlencode({'q': name})}")
        self.check(
            all(name.lower() in row["client_nom"].lower() for row in page["items"]),
            "the search found somebody else",
        )

    @operation
    def filter_reservations(self) -> None:
        query = urlencode({"platform": "airbnb", "status": "confirmed"})
        page = self.get_page(f"{RESERVATIONS}?{query}")
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
        answer = self.get(f"{RESERVATIONS}/{wanted}")
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
            headers=self.signed(),
            body=stay,
            writes=Intent(kind="reservation", action="create", row=stay),
        ).json()
        self.check(answer.get("date_debut") == arrival.isoformat(), "other nights than asked for")
        self.created, self.stay = answer["id"], stay

    @operation
    def change_reservation(self) -> None:
        address, change = self.own_reservation(), {"voyageurs": 4}
        answer = self.call(
            "PATCH",
            address,
            headers=self.signed(),
            body=change,
            writes=Intent(kind="reservation", action="change", id=self.created, row=change),
        ).json()
        self.check(answer.get("voyageurs") == 4, "the change did not take")

    @operation
    def cancel_reservation(self) -> None:
        answer = self.call(
            "POST",
            f"{self.own_reservation()}/cancel",
            headers=self.signed(),
            writes=Intent(
                kind="reservation",
                action="change",
                id=self.created,
                row={"status": "cancelled"},
            ),
        ).json()
        self.check(answer.get("status") == "cancelled", "the stay is not cancelled")

    # ----------------------------------------------------------------------------------------

    def own_reservation(self) -> str:
        """Address of the stay this session has booked.

        Raises:
            CannotFollow: It has booked none.
        """
        if self.created is None:
            raise CannotFollow("nothing was booked in this session")
        return f"{RESERVATIONS}/{self.created}"


def _place(row: Mapping[str, Any]) -> tuple[str, str]:
    """Where a stay stands in the list: by arrival, then by id, both falling."""
    return row["date_debut"], row["id"]
