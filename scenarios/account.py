"""Who is signed in, how a signed-in visitor asks, and pages of lists, in every system."""

from __future__ import annotations

from typing import Any

from palier.model.identity import password
from scenarios.visitor import Answer, JourneyUser


class SignedIn(JourneyUser):
    """A visitor with an account of the reference application."""

    abstract = True

    def begin(self, *, tenant: int, session: int) -> None:
        super().begin(tenant=tenant, session=session)
        self.token = ""
        self.next_address: str | None = None
        self.last_address: str | None = None

    def sign_in_as(self, email: str) -> None:
        """The one request of an operation that signs in; essential to what follows."""
        answer = self.call(
            "POST", "/api/auth", body={"email": email, "password": password(self.seed)}
        ).json()
        token = answer.get("access_token")
        self.check(isinstance(token, str) and token != "", "the answer holds no access_token")
        self.token = token

    def signed(self) -> dict[str, str]:
        """Headers of a request as whoever signed in."""
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str) -> Any:
        """The JSON at an address."""
        return self.answer(path).json()

    def answer(self, path: str) -> Answer:
        """The answer at an address, with its headers."""
        return self.call("GET", path, headers=self.signed())

    def get_page(self, path: str) -> dict[str, Any]:
        """A page of a list; where it leads on to is remembered."""
        page: dict[str, Any] = self.get(path)
        return self.checked_page(page)

    def checked_page(self, page: dict[str, Any]) -> dict[str, Any]:
        """A page of any list, whichever way the deployment pages."""
        rows = page["items"]
        self.observe("page_rows_max", len(rows))
        size = page.get("page_size")
        self.check(size is None or len(rows) <= size, "more rows than a page holds")
        self.next_address = page.get("next")
        self.last_address = page.get("last")
        return page

    def mark(self) -> str:
        """A text that nobody else of this or any other run writes."""
        return f"{self.epoch:x}-{self.session}"
