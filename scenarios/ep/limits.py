"""What the plan allows (B-13 ... B-16, B-31 ... B-35): card, checks, modules, categories."""

from __future__ import annotations

from typing import Any, Final

from scenarios.ep.administrator import Administrator
from scenarios.operation import operation

KINDS: Final = ("schools", "students", "staff", "storage")
"""In the order of the limits card (B-34)."""


class Limits(Administrator):
    """An administrator who looks what the group may do."""

    abstract = True

    def begin(self, *, tenant: int, session: int) -> None:
        super().begin(tenant=tenant, session=session)
        self.module_id: str | None = None

    @operation
    def subscription(self) -> None:
        answer = self.get("/api/subscription")
        self.check(answer.get("school_group_id") == self.own_group(), "another group's plan")

    @operation
    def restrictions(self) -> None:
        """The limits card; each line must agree with itself (B-35)."""
        lines = self.get("/api/restrictions")["restrictions"]
        self.check(tuple(line["kind"] for line in lines) == KINDS, "other lines than the card has")
        for line in lines:
            self._check_line(line)

    @operation
    def check_restriction(self) -> None:
        """May the group have one more school? (T-30)."""
        line = self.get("/api/restrictions/schools")
        self.check(line["kind"] == "schools", "another limit than asked for")
        self._check_line(line)

    @operation
    def list_modules(self) -> None:
        modules = self.get("/api/modules")
        slugs = [module["slug"] for module in modules]
        self.check(slugs == sorted(slugs), "modules out of order")
        # A plan of an operator's own may grant none.
        self.module_id = modules[self.session % len(modules)]["id"] if modules else None

    @operation
    def list_categories(self) -> None:
        slugs = [category["slug"] for category in self.get("/api/categories")]
        self.check(slugs == sorted(slugs), "categories out of order")

    @operation
    def module_access(self) -> None:
        """A module of the list before; without one, one that does not exist is refused.

        The plan may have changed since, or the subscription been suspended: either answer is right.
        """
        answer = self.get(f"/api/modules/{self.module_id or self.own_group()}/access")
        self.check(isinstance(answer.get("allowed"), bool), "neither yes nor no")
        self.check(
            self.module_id is not None or not answer["allowed"], "a module that does not exist"
        )

    def _check_line(self, line: dict[str, Any]) -> None:
        if line["unit"] == "GB":
            return  # shown in GB and counted in bytes
        used, limit = line["used"], line["limit"]
        full = used >= limit
        self.check(line["remaining"] == max(limit - used, 0), "the remainder is wrong")
        self.check(line["percent"] == (used * 100 // limit if limit else 100), "a wrong percentage")
        self.check(not (full and line["allowed"]), "one more is allowed at the limit")
        self.check(
            (line["state"] == "blocked") == (full or not line["allowed"]), "the state is wrong"
        )
