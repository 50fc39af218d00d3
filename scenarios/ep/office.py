"""Those who run the service: the groups, and another plan for one of them (J-09, B-21)."""

from __future__ import annotations

from typing import Final

from palier.model.identity import SUPER_ADMIN_EMAIL, catalogue_id, school_group_id
from scenarios.account import SignedIn
from scenarios.operation import operation

PLANS: Final = ("free", "premium", "pro", "institutional")

MODULE: Final = "communication-01"
"""Every plan grants it, and no journey asks for it by name."""


class Office(SignedIn):
    """A super administrator."""

    abstract = True

    @operation(essential=True)
    def sign_in_office(self) -> None:
        self.sign_in_as(SUPER_ADMIN_EMAIL)

    @operation
    def list_groups(self) -> None:
        self.get_page("/api/groups")

    @operation
    def change_plan(self) -> None:
        """Any plan but the one before: who had it already is told nothing, rightly."""
        group = str(school_group_id(seed=self.seed, group=self.tenant))
        plan = PLANS[self.session % len(PLANS)]
        answer = self.call(
            "PUT", f"/api/groups/{group}/plan", headers=self.signed(), body={"plan": plan}
        ).json()
        self.check(answer.get("school_group_id") == group, "another group than asked for")
        self.check(answer.get("plan") == plan, "another plan than asked for")

    @operation
    def withdraw_module(self) -> None:
        """Every group on the plan is told (F-07); 404 when another session took it just now."""
        self.call("DELETE", self._module_of_plan(), expect=(204, 404), headers=self.signed())

    @operation
    def grant_module(self) -> None:
        """Back again, and told again; twice changes nothing."""
        self.call("PUT", self._module_of_plan(), expect=204, headers=self.signed())

    def _module_of_plan(self) -> str:
        plan = catalogue_id("plan", PLANS[self.session % len(PLANS)])
        return f"/api/plans/{plan}/modules/{catalogue_id('module', MODULE)}"
