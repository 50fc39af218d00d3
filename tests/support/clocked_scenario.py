"""A visitor of ``clocked_server.py``: one request, whose path names its session."""

from __future__ import annotations

from scenarios.operation import operation
from scenarios.visitor import JourneyUser


class Visitor(JourneyUser):
    system = "clocked"

    @operation
    def look(self) -> None:
        self.check(self.call("GET", f"/session/{self.session}").json() == {"ok": True}, "not ok")
