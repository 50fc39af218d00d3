"""School groups. Which of them are seen at all, row security says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from reference_app.groups.values import Group, GroupUsage
from reference_app.listing import Listing, NewestFirst
from reference_app.session import Session

_SOURCE: LiteralString = """school_groups r
    LEFT JOIN subscriptions s ON s.school_group_id = r.id
    LEFT JOIN subscription_plans p ON p.id = s.plan_id"""

_COLUMNS: LiteralString = """r.id, r.name, p.slug AS plan, p.name AS plan_name, s.status, s.cycle,
       s.starts_on, s.ends_on, r.created_at"""

GROUPS = Listing(
    name="groups",
    path="/api/groups",
    source=_SOURCE,
    # The role, which the route asks for, sees all of them.
    scope="true",
    columns=_COLUMNS,
    row=Group,
    order=NewestFirst("created_at", datetime),
    conditions={
        "plan": "p.slug = %(plan)s",
        "status": "s.status = %(status)s",
        # the expression of I-39, word for word, or the index is not used
        "q": "to_tsvector('french', r.name) @@ websearch_to_tsquery('french', %(q)s)",
    },
)


async def find_group(session: Session, group_id: UUID) -> Group | None:
    """One group."""
    return await session.first(
        f"""/* find_group */
        SELECT {_COLUMNS} FROM {_SOURCE} WHERE r.id = %(group)s""",
        {"group": group_id},
        Group,
    )


async def create_group(session: Session, values: Mapping[str, Any]) -> Group | None:
    """A group with a subscription that begins today; None when there is no such plan."""
    return await session.first(
        """/* create_group */
        WITH plan AS (
            SELECT id, slug, name FROM subscription_plans WHERE slug = %(plan)s
        ), created AS (
            INSERT INTO school_groups (id, name) SELECT %(id)s, %(name)s FROM plan
            RETURNING id, name, created_at
        ), subscribed AS (
            INSERT INTO subscriptions (id, school_group_id, plan_id, status, cycle, starts_on,
                                       ends_on, anchor_day)
            SELECT gen_random_uuid(), created.id, plan.id, 'active', %(cycle)s, today.day,
                   (today.day + CASE %(cycle)s WHEN 'monthly' THEN interval '1 month'
                                               WHEN 'quarterly' THEN interval '3 months'
                                               ELSE interval '1 year' END)::date,
                   extract(day FROM today.day)
            FROM created, plan, (SELECT (now() AT TIME ZONE 'UTC')::date AS day) AS today
            RETURNING status, cycle, starts_on, ends_on
        )
        SELECT created.id, created.name, plan.slug, plan.name, s.status, s.cycle, s.starts_on,
               s.ends_on, created.created_at
        FROM created, plan, subscribed s""",
        values,
        Group,
    )


async def rename_group(session: Session, group_id: UUID, name: str) -> UUID | None:
    """Give a group another name; None when it does not exist."""
    return await session.first(
        """/* rename_group */
        UPDATE school_groups SET name = %(name)s WHERE id = %(group)s RETURNING id""",
        {"group": group_id, "name": name},
        lambda renamed: renamed,
    )


async def group_usage(session: Session, group_id: UUID | None) -> GroupUsage | None:
    """What a group uses of its plan; None without a subscription."""
    return await session.first(
        """/* group_usage */
        SELECT school_group_id, name, plan, status, schools, max_schools, students, max_students,
               staff, max_staff, storage_bytes, max_storage_gb
        FROM school_group_usage WHERE school_group_id = %(group)s""",
        {"group": group_id},
        GroupUsage,
    )
