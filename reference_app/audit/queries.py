"""Two views of the trail: a group's own, and what the running of the service leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from reference_app.listing import Listing, NewestFirst


class Change(msgspec.Struct, frozen=True):
    """A row that was changed.

    Attributes:
        actor_id: The account; null for a process that nobody asked.
        actor_role: What it acted as; of a process its role in the database.
        request_id: ``X-Request-ID`` of the request; empty without one.
        school_group_id: The group the row belongs to; null for what belongs to all.
        row_id: Its key; parts of it are set apart by ``/``.
        before: The row as it was; of an update only what changed.
        after: The row as it is since; of an update only what changed.
    """

    id: UUID
    at: datetime
    actor_id: UUID | None
    actor_role: str
    request_id: str
    school_group_id: UUID | None
    table: str
    row_id: str
    action: Literal["insert", "update", "delete"]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


_COLUMNS = """r.id, r.at, r.actor_id, r.actor_role, r.request_id, r.school_group_id,
       r.table_name, r.row_id, r.action, r.before, r.after"""

_CONDITIONS = {
    "group_id": "r.school_group_id = %(group_id)s",
    "table": "r.table_name = %(table)s",
}

OWN_CHANGES = Listing(
    name="own_changes",
    path="/api/audit",
    source="audit_trail r",
    scope="r.school_group_id = %(group)s",
    columns=_COLUMNS,
    row=Change,
    order=NewestFirst("at", datetime),
    conditions=_CONDITIONS,
)

# The tables are those of the policy: what a group's own rows held is the group's alone.
CHANGES_OF_THE_SERVICE = Listing(
    name="changes_of_the_service",
    path="/api/audit",
    source="audit_trail r",
    scope="""r.table_name IN ('school_groups', 'subscriptions', 'subscription_plans',
       'plan_prices', 'plan_modules', 'plan_categories', 'alert_rules')""",
    columns=_COLUMNS,
    row=Change,
    order=NewestFirst("at", datetime),
    conditions=_CONDITIONS,
)
