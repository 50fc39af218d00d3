"""Calendar synchronisation, as an owner asks for it (J-12)."""

from __future__ import annotations

from scenarios.lou.desk import Desk
from scenarios.operation import operation


class Calendar(Desk):
    """An owner who does not wait for the next round of synchronisation."""

    abstract = True

    @operation
    def sync_unit(self) -> None:
        """At once (200 with what changed), or as a task of the queue (202)."""
        answer = self.call(
            "POST", f"/api/units/{self.own_unit()}/sync", expect=(200, 202), headers=self.signed()
        )
        found = answer.json()
        wanted = {"added", "updated", "removed"} if answer.status == 200 else {"task_id", "status"}
        self.check(wanted <= found.keys(), "the answer says neither what changed nor which task")

    @operation
    def list_sync_tasks(self) -> None:
        self.get_page("/api/sync/tasks")

    @operation
    def list_sync_logs(self) -> None:
        self.get_page("/api/sync/logs")
