"""Schools, students, staff and files of a group. The limits are kept by triggers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from reference_app.pages import PAGE_SIZE
from reference_app.session import Session


class School(msgspec.Struct, frozen=True):
    """A school of the group."""

    id: UUID
    name: str
    city: str
    created_at: datetime


class Student(msgspec.Struct, frozen=True):
    """A student of one of the group's schools."""

    id: UUID
    school_id: UUID
    name: str
    created_at: datetime


class StaffMember(msgspec.Struct, frozen=True):
    """A member of staff of one of the group's schools."""

    id: UUID
    school_id: UUID
    name: str
    position: str
    created_at: datetime


class StoredFile(msgspec.Struct, frozen=True):
    """A file of the group; only its size matters here."""

    id: UUID
    name: str
    size_bytes: int
    created_at: datetime


def _page(session: Session, page: int) -> dict[str, Any]:
    return {"group": session.tenant_id, "limit": PAGE_SIZE, "offset": (page - 1) * PAGE_SIZE}


async def list_schools(session: Session, page: int) -> list[School]:
    """One page, by name."""
    return await session.rows(
        """/* list_schools */
        SELECT id, name, city, created_at FROM schools WHERE school_group_id = %(group)s
        ORDER BY name, id LIMIT %(limit)s OFFSET %(offset)s""",
        _page(session, page),
        School,
    )


async def list_students(session: Session, page: int) -> list[Student]:
    """One page, by name."""
    return await session.rows(
        """/* list_students */
        SELECT id, school_id, name, created_at FROM students WHERE school_group_id = %(group)s
        ORDER BY name, id LIMIT %(limit)s OFFSET %(offset)s""",
        _page(session, page),
        Student,
    )


async def list_staff(session: Session, page: int) -> list[StaffMember]:
    """One page, by name."""
    return await session.rows(
        """/* list_staff */
        SELECT id, school_id, name, position, created_at
        FROM staff WHERE school_group_id = %(group)s
        ORDER BY name, id LIMIT %(limit)s OFFSET %(offset)s""",
        _page(session, page),
        StaffMember,
    )


async def list_files(session: Session, page: int) -> list[StoredFile]:
    """One page, by name."""
    return await session.rows(
        """/* list_files */
        SELECT id, name, size_bytes, created_at FROM stored_files
        WHERE school_group_id = %(group)s
        ORDER BY name, id LIMIT %(limit)s OFFSET %(offset)s""",
        _page(session, page),
        StoredFile,
    )


async def create_school(session: Session, values: Mapping[str, Any]) -> School | None:
    """A new school.

    Raises:
        psycopg.Error: SQLSTATE PL001 or PL002, see reference_app.plans.refusals.
    """
    return await session.first(
        """/* create_school */
        INSERT INTO schools (id, school_group_id, name, city)
        VALUES (%(id)s, %(group)s, %(name)s, %(city)s)
        RETURNING id, name, city, created_at""",
        {**values, "group": session.tenant_id},
        School,
    )


async def create_student(session: Session, values: Mapping[str, Any]) -> Student | None:
    """A new student; None when the school is not one of the group's. Raises as create_school."""
    return await session.first(
        """/* create_student */
        INSERT INTO students (id, school_group_id, school_id, name)
        SELECT %(id)s, s.school_group_id, s.id, %(name)s
        FROM schools s WHERE s.id = %(school_id)s AND s.school_group_id = %(group)s
        RETURNING id, school_id, name, created_at""",
        {**values, "group": session.tenant_id},
        Student,
    )


async def create_staff_member(session: Session, values: Mapping[str, Any]) -> StaffMember | None:
    """A new member of staff; None when the school is not one of the group's."""
    return await session.first(
        """/* create_staff_member */
        INSERT INTO staff (id, school_group_id, school_id, name, position)
        SELECT %(id)s, s.school_group_id, s.id, %(name)s, %(position)s
        FROM schools s WHERE s.id = %(school_id)s AND s.school_group_id = %(group)s
        RETURNING id, school_id, name, position, created_at""",
        {**values, "group": session.tenant_id},
        StaffMember,
    )


async def create_file(session: Session, values: Mapping[str, Any]) -> StoredFile | None:
    """A new file. Raises as create_school."""
    return await session.first(
        """/* create_file */
        INSERT INTO stored_files (id, school_group_id, name, size_bytes)
        VALUES (%(id)s, %(group)s, %(name)s, %(size_bytes)s)
        RETURNING id, name, size_bytes, created_at""",
        {**values, "group": session.tenant_id},
        StoredFile,
    )
