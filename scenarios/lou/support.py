"""The support desk (J-13): customers' tickets, the error log, notices."""

from __future__ import annotations

from scenarios.lou.account import Account
from scenarios.operation import CannotFollow, operation


class Support(Account):
    """Somebody of the support desk."""

    abstract = True

    def begin(self, *, tenant: int, session: int) -> None:
        super().begin(tenant=tenant, session=session)
        self.client_id: str | None = None

    @operation
    def list_open_tickets(self) -> None:
        rows = self.get_page("/api/support/tickets?status=open")["items"]
        self.check(all(row["status"] == "open" for row in rows), "a ticket that is not open")
        self.client_id = rows[self.session % len(rows)]["client_id"] if rows else None

    @operation
    def list_tickets_of_client(self) -> None:
        if self.client_id is None:
            raise CannotFollow("no customer has an open ticket")
        path = f"/api/support/tickets?client_id={self.client_id}&status=open"
        rows = self.get_page(path)["items"]
        self.check(
            all(row["client_id"] == self.client_id for row in rows), "another customer's ticket"
        )

    @operation
    def list_errors(self) -> None:
        rows = self.get_page("/api/errors")["items"]
        times = [row["timestamp"] for row in rows]
        self.check(times == sorted(times, reverse=True), "errors not newest first")
