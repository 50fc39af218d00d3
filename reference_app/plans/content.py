"""What each plan grants: categories, and modules within them (B-04, B-27).

A plan that grants a module grants its category, whatever is done in whatever order: granting a
module grants the category, too, and taking a category away takes its modules. Changes of contents
take turns, so that two of them cannot leave a module without its category.
"""

from __future__ import annotations

from typing import LiteralString
from uuid import UUID

import msgspec

from reference_app.plans.queries import Granted, GrantedModule
from reference_app.session import Session

_TURN: LiteralString = """/* wait_for_plan_content */
SELECT pg_advisory_xact_lock(hashtext('plan_content'))"""


class Change(msgspec.Struct, frozen=True):
    """What was found, and so changed if it had to be."""

    is_plan: bool
    is_known: bool


async def plan_categories(session: Session, plan_id: UUID) -> list[Granted]:
    """Categories of a plan, by slug."""
    return await session.rows(
        """/* plan_categories */
        SELECT c.id, c.slug, c.name FROM plan_categories g JOIN categories c ON c.id = g.category_id
        WHERE g.plan_id = %(plan)s ORDER BY c.slug""",
        {"plan": plan_id},
        Granted,
    )


async def plan_modules(session: Session, plan_id: UUID) -> list[GrantedModule]:
    """Modules of a plan, by slug."""
    return await session.rows(
        """/* plan_modules */
        SELECT m.id, m.slug, m.name, c.slug
        FROM plan_modules g JOIN modules m ON m.id = g.module_id
        JOIN categories c ON c.id = m.category_id
        WHERE g.plan_id = %(plan)s ORDER BY m.slug""",
        {"plan": plan_id},
        GrantedModule,
    )


async def grant_category(session: Session, plan_id: UUID, category_id: UUID) -> Change | None:
    """Let a plan grant a category; again changes nothing."""
    return await session.first(
        """/* grant_category */
        WITH found AS (
            SELECT p.id AS plan_id, c.id AS category_id FROM subscription_plans p, categories c
            WHERE p.id = %(plan)s AND c.id = %(category)s
        ), granted AS (
            INSERT INTO plan_categories (plan_id, category_id)
            SELECT plan_id, category_id FROM found ON CONFLICT DO NOTHING
        )
        SELECT EXISTS (SELECT FROM subscription_plans WHERE id = %(plan)s),
               EXISTS (SELECT FROM found)""",
        {"plan": plan_id, "category": category_id},
        Change,
        before=_TURN,
    )


async def withdraw_category(session: Session, plan_id: UUID, category_id: UUID) -> bool:
    """Take a category and its modules from a plan; whether it was granted."""
    withdrawn = await session.first(
        """/* withdraw_category */
        WITH modules_of_it AS (
            DELETE FROM plan_modules g USING modules m
            WHERE g.plan_id = %(plan)s AND m.id = g.module_id AND m.category_id = %(category)s
        )
        DELETE FROM plan_categories WHERE plan_id = %(plan)s AND category_id = %(category)s
        RETURNING true""",
        {"plan": plan_id, "category": category_id},
        bool,
        before=_TURN,
    )
    return withdrawn is True


async def grant_module(session: Session, plan_id: UUID, module_id: UUID) -> Change | None:
    """Let a plan grant a module and its category; again changes nothing."""
    return await session.first(
        """/* grant_module */
        WITH found AS (
            SELECT p.id AS plan_id, m.id AS module_id, m.category_id
            FROM subscription_plans p, modules m WHERE p.id = %(plan)s AND m.id = %(module)s
        ), category AS (
            INSERT INTO plan_categories (plan_id, category_id)
            SELECT plan_id, category_id FROM found ON CONFLICT DO NOTHING
        ), granted AS (
            INSERT INTO plan_modules (plan_id, module_id)
            SELECT plan_id, module_id FROM found ON CONFLICT DO NOTHING
        )
        SELECT EXISTS (SELECT FROM subscription_plans WHERE id = %(plan)s),
               EXISTS (SELECT FROM found)""",
        {"plan": plan_id, "module": module_id},
        Change,
        before=_TURN,
    )


async def withdraw_module(session: Session, plan_id: UUID, module_id: UUID) -> bool:
    """Take a module from a plan; whether it was granted."""
    withdrawn = await session.first(
        """/* withdraw_plan_module */
        DELETE FROM plan_modules WHERE plan_id = %(plan)s AND module_id = %(module)s
        RETURNING true""",
        {"plan": plan_id, "module": module_id},
        bool,
        before=_TURN,
    )
    return withdrawn is True
