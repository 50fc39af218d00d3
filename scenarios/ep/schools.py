"""The group's schools: the list, and one more, near the limit and at it (B-30, B-36)."""

from __future__ import annotations

from typing import Final

from palier.load.writes import Intent
from scenarios.ep.administrator import Administrator
from scenarios.operation import operation

REFUSALS: Final = {409: "limit-reached", 403: "no-running-subscription"}
"""Right answers to a creation: the plan is full (B-33), or the group suspended (decision 0024)."""


class Schools(Administrator):
    """An administrator and the schools."""

    abstract = True

    @operation
    def list_schools(self) -> None:
        self.get_page("/api/schools")

    @operation
    def create_school(self) -> None:
        """One more; where the plan has no room a refusal is what is right."""
        school = {"name": f"École {self.mark()}", "city": "Dole"}
        answer = self.call(
            "POST",
            "/api/schools",
            expect=(201, *REFUSALS),
            headers=self.signed(),
            body=school,
            writes=Intent(
                kind="school",
                action="create",
                row={"school_group_id": self.own_group(), **school},
            ),
        )
        told = answer.json()
        if answer.status == 201:
            self.check(told.get("name") == school["name"], "another school than asked for")
            return
        self.check(
            str(told.get("type", "")).endswith(REFUSALS[answer.status]),
            "refused for another reason than the plan",
        )
        if answer.status == 409:
            self.check(told["used"] >= told["limit"], "refused below the limit")
