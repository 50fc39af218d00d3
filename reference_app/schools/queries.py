"""Schools, students, staff and files of a group. The limits are kept by triggers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString

from reference_app.listing import Listing, NewestFirst
from reference_app.own_rows import OwnRows
from reference_app.schools.values import School, StaffMember, StoredFile, Student
from reference_app.session import Session

OF_GROUP: LiteralString = "school_group_id = %(group)s"
NEWEST = NewestFirst("created_at", datetime)

_OF_SCHOOL: LiteralString = "r.school_id = %(school_id)s"
_NAMED: LiteralString = "to_tsvector('french', r.name) @@ websearch_to_tsquery('french', %(q)s)"
"""The expression of I-39, word for word, or the index is not used."""

SCHOOLS = Listing(
    name="schools",
    path="/api/schools",
    source="schools r",
    scope="r.school_group_id = %(group)s",
    columns="r.id, r.name, r.city, r.created_at",
    row=School,
    order=NEWEST,
    conditions={"q": _NAMED},
)
STUDENTS = Listing(
    name="students",
    path="/api/students",
    source="students r",
    scope="r.school_group_id = %(group)s",
    columns="r.id, r.school_id, r.name, r.created_at",
    row=Student,
    order=NEWEST,
    conditions={"q": _NAMED, "school_id": _OF_SCHOOL},
)
STAFF = Listing(
    name="staff",
    path="/api/staff",
    source="staff r",
    scope="r.school_group_id = %(group)s",
    columns="r.id, r.school_id, r.name, r.position, r.created_at",
    row=StaffMember,
    order=NEWEST,
    conditions={"q": _NAMED, "school_id": _OF_SCHOOL},
)
FILES = Listing(
    name="files",
    path="/api/files",
    source="stored_files r",
    scope="r.school_group_id = %(group)s",
    columns="r.id, r.name, r.size_bytes, r.created_at",
    row=StoredFile,
    order=NEWEST,
    conditions={"q": _NAMED},
)

SCHOOL = OwnRows(
    name="school",
    table="schools",
    scope=OF_GROUP,
    columns="id, name, city, created_at",
    row=School,
    changeable=("name", "city"),
)
STUDENT = OwnRows(
    name="student",
    table="students",
    scope=OF_GROUP,
    columns="id, school_id, name, created_at",
    row=Student,
    changeable=("school_id", "name"),
)
STAFF_MEMBER = OwnRows(
    name="staff_member",
    table="staff",
    scope=OF_GROUP,
    columns="id, school_id, name, position, created_at",
    row=StaffMember,
    changeable=("school_id", "name", "position"),
    spoken="member of staff",
)
FILE = OwnRows(
    name="file",
    table="stored_files",
    scope=OF_GROUP,
    columns="id, name, size_bytes, created_at",
    row=StoredFile,
    changeable=("name",),
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
