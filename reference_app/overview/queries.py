"""The whole service in numbers, and what every plan grants.

Variant ``views: live`` counts the rows; ``materialised`` reads what was counted in advance, at most
an hour ago. What a group may use is decided elsewhere, from the tables themselves (X-15).
"""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString
from uuid import UUID

import msgspec

from reference_app.session import Session


class Overview(msgspec.Struct, frozen=True):
    """The service in numbers.

    Attributes:
        as_of: When they were counted.
        by_status: Subscriptions.
        by_plan: Subscriptions.
    """

    as_of: datetime
    groups: int
    by_status: dict[str, int]
    by_plan: dict[str, int]
    schools: int
    students: int
    staff: int
    storage_bytes: int


class Grant(msgspec.Struct, frozen=True):
    """A module that a plan grants."""

    plan_id: UUID
    plan: str
    plan_name: str
    category_id: UUID
    category: str
    module_id: UUID
    module_slug: str
    module: str


_COUNTED: LiteralString = """/* overview_counted */
SELECT as_of, groups, by_status, by_plan, schools, students, staff, storage_bytes
FROM service_stats"""

# The groups one by one: their rows are not to be seen, only how many they are.
_LIVE: LiteralString = """/* overview_live */
WITH used AS MATERIALIZED (
    SELECT g.id, u.* FROM school_groups g, LATERAL count_usage(g.id) AS u
)
SELECT now(), (SELECT count(*) FROM used),
       (SELECT coalesce(jsonb_object_agg(status, number), '{}') FROM (
           SELECT status, count(*) AS number FROM subscriptions GROUP BY status) AS by_status),
       (SELECT coalesce(jsonb_object_agg(slug, number), '{}') FROM (
           SELECT p.slug, count(*) AS number FROM subscriptions s
           JOIN subscription_plans p ON p.id = s.plan_id GROUP BY p.slug) AS by_plan),
       coalesce(sum(schools), 0)::bigint, coalesce(sum(students), 0)::bigint,
       coalesce(sum(staff), 0)::bigint, coalesce(sum(storage_bytes), 0)::bigint
FROM used"""

_GRANTS_COUNTED: LiteralString = """/* plan_grants_counted */
SELECT plan_id, plan, plan_name, category_id, category, module_id, module_slug, module
FROM service_plan_modules ORDER BY plan, category, module, module_id"""

_GRANTS_LIVE: LiteralString = """/* plan_grants_live */
SELECT p.id, p.slug, p.name, c.id, c.name, m.id, m.slug, m.name
FROM plan_modules pm
JOIN subscription_plans p ON p.id = pm.plan_id
JOIN modules m ON m.id = pm.module_id
JOIN categories c ON c.id = m.category_id
ORDER BY p.slug, c.name, m.name, m.id"""


async def read_overview(session: Session) -> Overview:
    """The numbers of the variant."""
    statement = _COUNTED if _is_materialised(session) else _LIVE
    found = await session.first(statement, {}, Overview)
    assert found is not None, "both give one row"
    return found


async def read_grants(session: Session) -> list[Grant]:
    """What every plan grants, by plan, category and name."""
    return await session.rows(
        _GRANTS_COUNTED if _is_materialised(session) else _GRANTS_LIVE, {}, Grant
    )


def _is_materialised(session: Session) -> bool:
    return session.variant.views == "materialised"
