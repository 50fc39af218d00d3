"""Pupils in bulk: asked for in one request, looked after until it is through (B-38, T-04)."""

from __future__ import annotations

from typing import Final

from scenarios.ep.administrator import Administrator
from scenarios.operation import CannotFollow, operation

PUPILS: Final = 50
"""The only size of a batch that the sources give (B-43)."""


class Bulk(Administrator):
    """An administrator who enrols a year of pupils.

    No ``Intent``: what is written is written later, by a worker, and as much of it as there is room
    for. What must hold is read from the operations themselves (``palier/invariants/groups.py``).
    """

    abstract = True

    def begin(self, *, tenant: int, session: int) -> None:
        super().begin(tenant=tenant, session=session)
        self.bulk_id: str | None = None

    @operation
    def bulk_students(self) -> None:
        """Where the plan is full the operation is accepted, and its pupils are refused."""
        mark, school = self.mark(), self.own_school()
        items = [{"name": f"Élève {n} {mark}", "school_id": school} for n in range(PUPILS)]
        answer = self.call(
            "POST",
            "/api/bulk/students",
            expect=202,
            headers=self.signed(),
            body={"items": items},
        ).json()
        self.check(answer.get("total") == PUPILS, "other pupils than asked for")
        self.bulk_id = answer["id"]

    @operation
    def bulk_progress(self) -> None:
        """How it gets on. How long it took is read from the database after the run (T-04)."""
        if self.bulk_id is None:
            raise CannotFollow("nothing was asked for in bulk")
        told = self.get(f"/api/bulk/{self.bulk_id}")
        self.check(told["done"] + told["failed"] <= told["total"], "more done than asked for")
        through = told["status"] in ("completed", "failed")
        self.check(
            not through or told["done"] + told["failed"] == told["total"], "through, and not whole"
        )
