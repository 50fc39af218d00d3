"""A visitor of ``load_server.py``."""

from __future__ import annotations

from palier.model.journey import Journey, Step
from scenarios.operation import CannotFollow, operation
from scenarios.visitor import JourneyUser


class Visitor(JourneyUser):
    journeys = (
        Journey(
            id="J",
            title="in and out",
            steps=(Step(operation="enter"), Step(operation="look", think_s=0.05)),
        ),
    )

    @operation(essential=True)
    def enter(self) -> None:
        self.check(self.call("POST", "/ok", body={"who": self.tenant}).json()["token"] == "t", "?")

    @operation(essential=True)
    def refused(self) -> None:
        self.call("GET", "/status/401")

    @operation
    def look(self) -> None:
        page = self.call("GET", "/ok").json()
        self.observe("page_rows_max", len(page["items"]))

    @operation
    def say_who(self) -> None:
        self.call("GET", f"/status/200/{self.session}")

    @operation
    def slow(self) -> None:
        self.call("GET", "/slow/100")

    @operation
    def broken(self) -> None:
        self.call("GET", "/status/500")

    @operation
    def wrong(self) -> None:
        self.call("GET", "/wrong").json()

    @operation
    def freeze(self) -> None:
        self.call("GET", "/freeze")

    @operation
    def half(self) -> None:
        self.call("GET", "/half")

    @operation
    def cut(self) -> None:
        self.call("GET", "/cut")

    @operation
    def close(self) -> None:
        self.call("GET", "/close")

    @operation
    def reset(self) -> None:
        self.call("GET", "/reset")

    @operation
    def unfinished(self) -> None:
        raise CannotFollow("nothing to follow")

    @operation
    def twice(self) -> None:
        self.call("GET", "/ok")
        self.call("GET", "/ok")

    @operation
    def nothing(self) -> None:
        return

    @operation
    def buggy(self) -> None:
        self.call("GET", "/ok").json()["no such key"]
