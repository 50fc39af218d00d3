"""Modules that a school works with (D-01, X-18): assigned to schools, granted by the plan."""

from __future__ import annotations

from uuid import UUID

from reference_app.schools.values import SchoolModule
from reference_app.session import Session


async def list_school_modules(session: Session, school_id: UUID) -> list[SchoolModule]:
    """Modules that a school works with, by slug."""
    return await session.rows(
        """/* list_school_modules */
        SELECT m.id, m.slug, m.name, a.assigned_at, can_access_module(a.school_group_id, m.id)
        FROM school_modules a JOIN modules m ON m.id = a.module_id
        WHERE a.school_id = %(school)s AND a.school_group_id = %(group)s ORDER BY m.slug""",
        {"school": school_id, "group": session.tenant_id},
        SchoolModule,
    )


async def assign_module(session: Session, school_id: UUID, module_id: UUID) -> bool | None:
    """Let a school work with a module; again changes nothing.

    Returns:
        False when the plan does not grant the module, None when the school is not one of the
        group's.
    """
    return await session.first(
        """/* assign_module */
        WITH school AS (
            SELECT id, school_group_id, can_access_module(school_group_id, %(module)s) AS granted
            FROM schools WHERE id = %(school)s AND school_group_id = %(group)s
        ), assigned AS (
            INSERT INTO school_modules (school_id, school_group_id, module_id)
            SELECT id, school_group_id, %(module)s FROM school WHERE granted
            ON CONFLICT DO NOTHING
        )
        SELECT granted FROM school""",
        {"school": school_id, "module": module_id, "group": session.tenant_id},
        bool,
    )


async def withdraw_module(session: Session, school_id: UUID, module_id: UUID) -> bool:
    """Take a module from a school; whether it was there."""
    withdrawn = await session.first(
        """/* withdraw_module */
        DELETE FROM school_modules
        WHERE school_id = %(school)s AND module_id = %(module)s AND school_group_id = %(group)s
        RETURNING true""",
        {"school": school_id, "module": module_id, "group": session.tenant_id},
        bool,
    )
    return withdrawn is True
