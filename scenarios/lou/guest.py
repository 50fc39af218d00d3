"""A guest with a token, and the owner who made it (J-08)."""

from __future__ import annotations

from typing import Any

from palier.load.writes import Intent
from palier.model.identity import guest_token
from scenarios.lou.bookings import Bookings
from scenarios.operation import operation


class Guest(Bookings):
    """Reads the sheet of a stay, asks for hours, says how it was; no account."""

    abstract = True

    # the owner's part -----------------------------------------------------------------------

    @operation
    def create_sheet(self) -> None:
        """Generate the guest sheet of the stay booked before."""
        address = self.own_reservation()
        answer = self.call(
            "POST",
            f"{address}/sheet",
            expect=201,
            headers=self.signed(),
            body={},
            writes=Intent(kind="sheet", action="create", row={"reservation_id": self.created}),
        ).json()
        self.check(bool(answer.get("token")), "the sheet has no token")

    # the guest's part -----------------------------------------------------------------------

    @operation
    def guest_stay(self) -> None:
        self.check("stay" in self._open(""), "the sheet names no stay")

    @operation
    def guest_wifi(self) -> None:
        self.check("ssid" in self._open("/wifi"), "the sheet names no network")

    @operation
    def guest_instructions(self) -> None:
        self._open("/instructions?lang=fr")

    @operation
    def guest_equipment(self) -> None:
        self._open("/equipment")

    @operation
    def guest_contacts(self) -> None:
        self._open("/contacts")

    @operation
    def guest_activities(self) -> None:
        self._open("/activities")

    @operation
    def ask_for_hours(self) -> None:
        wish = {
            "heure_arrivee": "14:00:00",
            "heure_depart": "11:00:00",
            "message": f"Un peu plus tôt, si possible ({self.mark()})",
        }
        answer = self.call(
            "POST",
            f"{self._sheet()}/hour-requests",
            expect=201,
            body=wish,
            writes=Intent(kind="hour_request", action="create", row=wish),
        ).json()
        self.check(answer.get("status") == "pending", "the request does not wait for the owner")

    @operation
    def leave_feedback(self) -> None:
        """A guest has one opinion of a stay: who has left it before is refused, rightly (409)."""
        opinion = {"note": 5, "commentaire": f"Très bien ! ({self.mark()})"}
        answer = self.call(
            "POST",
            f"{self._sheet()}/feedback",
            expect=(201, 409),
            body=opinion,
            writes=Intent(kind="feedback", action="create", row=opinion),
        )
        self.check(
            answer.status == 409 or answer.json().get("note") == 5, "another opinion than left"
        )

    def _sheet(self) -> str:
        return f"/api/guest/{guest_token(seed=self.seed, owner=self.tenant, index=0)}"

    def _open(self, part: str) -> Any:
        return self.call("GET", self._sheet() + part).json()
