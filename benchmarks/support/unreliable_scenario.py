"""A visitor of ``unreliable_server.py``: every request has a path of its own."""

from __future__ import annotations

from itertools import count

from scenarios.operation import operation
from scenarios.visitor import JourneyUser


class Visitor(JourneyUser):
    def begin(self, *, tenant: int, session: int) -> None:
        super().begin(tenant=tenant, session=session)
        self.numbers = count()

    def ask(self) -> None:
        path = f"/session/{self.session}/{next(self.numbers)}"
        self.check(self.call("GET", path).json() == {"ok": True}, "not ok")

    @operation(essential=True)
    def enter(self) -> None:
        self.ask()

    @operation
    def look(self) -> None:
        self.ask()

    @operation
    def look_again(self) -> None:
        self.ask()
