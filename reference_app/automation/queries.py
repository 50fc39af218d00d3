"""What the automation did, and renewals by hand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from reference_app.automation.values import Entry, Notice, Run
from reference_app.listing import Listing, NewestFirst
from reference_app.session import Session

NotRenewed = Literal["not-found", "not-due", "payment-required"]

NOTICES = Listing(
    name="subscription_notices",
    path="/api/subscription/notices",
    source="subscription_notices r",
    scope="r.school_group_id = %(group)s",
    columns="r.id, r.period, r.days_before, r.ends_on, r.sent_at",
    row=Notice,
    order=NewestFirst("sent_at", datetime),
)

RUNS = Listing(
    name="automation_runs",
    path="/api/automation/runs",
    source="automation_runs r",
    # The role, which the routes ask for, sees all of them, here and below.
    scope="true",
    columns="""r.id, r.day, r.worker, r.started_at, r.finished_at, r.chunks, r.groups, r.noticed,
       r.renewed, r.graced, r.suspended, r.failed""",
    row=Run,
    order=NewestFirst("started_at", datetime),
)

LOG = Listing(
    name="automation_log",
    path="/api/automation/log",
    source="automation_log r",
    scope="true",
    columns="""r.id, r.at, r.run_id, r.subscription_id, r.school_group_id, r.period, r.action,
       r.outcome, r.attempt, r.days_before, r.error""",
    row=Entry,
    order=NewestFirst("at", datetime),
    conditions={"group_id": "r.school_group_id = %(group_id)s"},
)


async def renew_by_hand(session: Session, today: date) -> NotRenewed | None:
    """Begin the next period of the signed-in group; why not, or None when it was done."""
    found = await session.rows(
        "/* renew_by_hand */ SELECT renew_by_hand(%(group)s, %(today)s)",
        {"group": session.tenant_id, "today": today},
        _reason,
    )
    return found[0]


async def resume(session: Session, group_id: UUID, today: date) -> bool:
    """End a group's grace or suspension, and try again what was given up; False without one."""
    found = await session.rows(
        "/* resume_subscription */ SELECT resume_subscription(%(group)s, %(today)s)",
        {"group": group_id, "today": today},
        bool,
    )
    return found[0]


def _reason(reason: NotRenewed | None) -> NotRenewed | None:
    return reason
