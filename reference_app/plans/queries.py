"""Plans, limits and what they grant; the work is done by functions of the database (B-18)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from reference_app.plans.rules import Kind, Usage
from reference_app.session import Session


class Granted(msgspec.Struct, frozen=True):
    """A category or module of the group's plan."""

    id: UUID
    slug: str
    name: str


class GrantedModule(msgspec.Struct, frozen=True):
    """A module of the group's plan, with its category."""

    id: UUID
    slug: str
    name: str
    category: str


class Plan(msgspec.Struct, frozen=True):
    """A plan and its four limits; storage in GB."""

    id: UUID
    slug: str
    name: str
    max_schools: int
    max_students: int
    max_staff: int
    max_storage: int


class Subscription(msgspec.Struct, frozen=True):
    """Which plan a group has, and until when."""

    school_group_id: UUID
    plan: str
    plan_name: str
    status: str
    cycle: str
    starts_on: date
    ends_on: date


async def all_restrictions(session: Session) -> list[Usage]:
    """The four limits of the signed-in group; empty without a subscription (B-14)."""
    return await session.rows(
        """/* all_restrictions */
        SELECT kind, used, max, allowed FROM get_all_plan_restrictions(%(group)s)""",
        {"group": session.tenant_id},
        Usage,
    )


async def one_restriction(session: Session, kind: Kind) -> Usage | None:
    """One limit of the signed-in group (B-13)."""
    return await session.first(
        """/* one_restriction */
        SELECT kind, used, max, allowed FROM check_plan_restrictions(%(group)s, %(kind)s)""",
        {"group": session.tenant_id, "kind": kind},
        Usage,
    )


async def list_plans(session: Session) -> list[Plan]:
    """All plans, smallest first."""
    return await session.rows(
        """/* list_plans */
        SELECT id, slug, name, max_schools, max_students, max_staff, max_storage
        FROM subscription_plans ORDER BY max_schools, slug""",
        {},
        Plan,
    )


async def granted_categories(session: Session) -> list[Granted]:
    """Categories of the group's plan."""
    return await session.rows(
        """/* granted_categories */
        SELECT c.id, c.slug, c.name
        FROM subscriptions s JOIN plan_categories USING (plan_id)
        JOIN categories c ON c.id = category_id
        WHERE s.school_group_id = %(group)s ORDER BY c.slug""",
        {"group": session.tenant_id},
        Granted,
    )


async def granted_modules(session: Session) -> list[GrantedModule]:
    """Modules of the group's plan."""
    return await session.rows(
        """/* granted_modules */
        SELECT m.id, m.slug, m.name, c.slug
        FROM subscriptions s JOIN plan_modules USING (plan_id)
        JOIN modules m ON m.id = module_id JOIN categories c ON c.id = m.category_id
        WHERE s.school_group_id = %(group)s ORDER BY m.slug""",
        {"group": session.tenant_id},
        GrantedModule,
    )


async def module_allowed(session: Session, module_id: UUID) -> bool:
    """Whether the group's plan grants a module (B-15); no for one that does not exist."""
    allowed = await session.first(
        "/* module_allowed */ SELECT can_access_module(%(group)s, %(module)s)",
        {"group": session.tenant_id, "module": module_id},
        bool,
    )
    return allowed is True


async def category_allowed(session: Session, category_id: UUID) -> bool:
    """Whether the group's plan grants a category (B-16); no for one that does not exist."""
    allowed = await session.first(
        "/* category_allowed */ SELECT can_access_category(%(group)s, %(category)s)",
        {"group": session.tenant_id, "category": category_id},
        bool,
    )
    return allowed is True


async def change_plan(session: Session, group_id: UUID, plan: str) -> Subscription | None:
    """Give a group another plan (B-21); None when there is no such group or plan.

    A trigger notifies listeners at commit; choosing the present plan again notifies nobody.
    """
    return await session.first(
        """/* change_plan */
        UPDATE subscriptions s SET plan_id = p.id, updated_at = now()
        FROM subscription_plans p
        WHERE s.school_group_id = %(group)s AND p.slug = %(plan)s
        RETURNING s.school_group_id, p.slug, p.name, s.status, s.cycle, s.starts_on, s.ends_on""",
        {"group": group_id, "plan": plan},
        Subscription,
    )


async def find_subscription(session: Session, group_id: UUID | None) -> Subscription | None:
    """The subscription of a group."""
    return await session.first(
        """/* find_subscription */
        SELECT s.school_group_id, p.slug, p.name, s.status, s.cycle, s.starts_on, s.ends_on
        FROM subscriptions s JOIN subscription_plans p ON p.id = s.plan_id
        WHERE s.school_group_id = %(group)s""",
        {"group": group_id},
        Subscription,
    )
