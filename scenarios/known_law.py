"""A visitor of the self-test's server (``palier.selftest.server``): one request, whose path names
its session, so that the server's own log can be laid beside ours."""

from __future__ import annotations

from scenarios.operation import operation
from scenarios.visitor import JourneyUser


class KnownLawVisitor(JourneyUser):
    @operation
    def look(self) -> None:
        self.check(self.call("GET", f"/session/{self.session}").body == b'{"ok":true}', "not ok")
