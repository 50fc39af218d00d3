"""Alerts, and the rules they come from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from reference_app.listing import Listing, NewestFirst
from reference_app.monitoring.rules import Comparator, Severity
from reference_app.session import Session


class ShownAlert(msgspec.Struct, frozen=True):
    """A rule that was broken.

    Attributes:
        value: The figure when it opened.
        threshold: Of the rule, then.
        closed_at: Null while it is open.
        told_at: When its opening was told; null when nobody was told yet.
        end_told_at: When its end was told.
        attempts: How often telling was tried.
        last_error: Why it failed last.
    """

    id: UUID
    rule: str
    title: str
    severity: Severity
    value: float
    threshold: float
    opened_at: datetime
    closed_at: datetime | None
    told_at: datetime | None
    end_told_at: datetime | None
    attempts: int
    last_error: str | None


class ShownRule(msgspec.Struct, frozen=True):
    """From when on somebody is told.

    Attributes:
        metric: Name of a figure of the service's health.
        for_s: So long the figure must stand so.
    """

    slug: str
    title: str
    metric: str
    comparator: Comparator
    threshold: float
    for_s: int
    severity: Severity
    is_enabled: bool
    updated_at: datetime


ALERTS = Listing(
    name="alerts",
    path="/api/alerts",
    source="alerts r JOIN alert_rules u ON u.slug = r.rule",
    # the role, which the routes ask for, sees all of them
    scope="true",
    columns="""r.id, r.rule, u.title, u.severity, r.value, r.threshold, r.opened_at, r.closed_at,
       r.told_at, r.end_told_at, r.attempts, r.last_error""",
    row=ShownAlert,
    order=NewestFirst("opened_at", datetime),
    conditions={"is_open": "(r.closed_at IS NULL) = %(is_open)s", "rule": "r.rule = %(rule)s"},
)

_RULE = "slug, title, metric, comparator, threshold, for_s, severity, is_enabled, updated_at"


async def list_rules(session: Session) -> list[ShownRule]:
    """All rules, by name: there are a few dozen at most."""
    return await session.rows(
        f"/* list_alert_rules */ SELECT {_RULE} FROM alert_rules ORDER BY slug", {}, ShownRule
    )


async def change_rule(session: Session, slug: str, changes: Mapping[str, Any]) -> ShownRule | None:
    """Change what is named; None when there is no such rule."""
    return await session.first(
        f"""/* change_alert_rule */
        UPDATE alert_rules SET threshold = coalesce(%(threshold)s::float8, threshold),
                               for_s = coalesce(%(for_s)s::integer, for_s),
                               is_enabled = coalesce(%(is_enabled)s::boolean, is_enabled),
                               updated_at = now()
        WHERE slug = %(slug)s
        RETURNING {_RULE}""",
        {"slug": slug, "threshold": None, "for_s": None, "is_enabled": None, **changes},
        ShownRule,
    )
