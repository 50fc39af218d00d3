"""A group's schools, students, staff and files, within the limits of its plan (B-30, B-36)."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
import psycopg
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta

from reference_app.identity.admission import only
from reference_app.pages import PAGE_MAX
from reference_app.plans.refusals import refusal
from reference_app.problems import not_found
from reference_app.schools.queries import (
    School,
    StaffMember,
    StoredFile,
    Student,
    create_file,
    create_school,
    create_staff_member,
    create_student,
    list_files,
    list_schools,
    list_staff,
    list_students,
)
from reference_app.session import Session

Name = Annotated[str, Meta(min_length=1, max_length=200)]
PageNumber = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)]
Created = TypeVar("Created")


class NewSchool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A school to be created."""

    name: Name
    city: Name


class NewStudent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A student to be enrolled in one of the group's schools."""

    school_id: UUID
    name: Name


class NewStaffMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member of staff to be hired for one of the group's schools."""

    school_id: UUID
    name: Name
    position: Name


class NewFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file to be stored; the limits count its size, in bytes."""

    name: Name
    size_bytes: Annotated[int, Meta(ge=0, le=1_000_000_000_000_000)]


class SchoolsController(Controller):
    """What a group consists of; every creation is checked against the plan."""

    path = "/api"
    tags = ("schools",)
    opt = only("group_admin")

    @get("/schools", summary="Schools, 50 a page")
    async def list_schools(
        self,
        session: NamedDependency[Session],
        page: PageNumber = 1,
    ) -> list[School]:
        """By name."""
        return await list_schools(session, page)

    @post("/schools", summary="Create a school")
    async def create_school(
        self,
        data: JSONBody[NewSchool],
        session: NamedDependency[Session],
    ) -> Response[School]:
        """409 at the limit of the plan."""
        return await _create(create_school, session, data)

    @get("/students", summary="Students, 50 a page")
    async def list_students(
        self,
        session: NamedDependency[Session],
        page: PageNumber = 1,
    ) -> list[Student]:
        """By name."""
        return await list_students(session, page)

    @post("/students", summary="Enrol a student")
    async def create_student(
        self,
        data: JSONBody[NewStudent],
        session: NamedDependency[Session],
    ) -> Response[Student]:
        """409 at the limit of the plan, 404 for a school of somebody else."""
        return await _create(create_student, session, data)

    @get("/staff", summary="Staff, 50 a page")
    async def list_staff(
        self,
        session: NamedDependency[Session],
        page: PageNumber = 1,
    ) -> list[StaffMember]:
        """By name."""
        return await list_staff(session, page)

    @post("/staff", summary="Hire somebody")
    async def create_staff_member(
        self,
        data: JSONBody[NewStaffMember],
        session: NamedDependency[Session],
    ) -> Response[StaffMember]:
        """409 at the limit of the plan, 404 for a school of somebody else."""
        return await _create(create_staff_member, session, data)

    @get("/files", summary="Files, 50 a page")
    async def list_files(
        self,
        session: NamedDependency[Session],
        page: PageNumber = 1,
    ) -> list[StoredFile]:
        """By name."""
        return await list_files(session, page)

    @post("/files", summary="Store a file")
    async def create_file(
        self,
        data: JSONBody[NewFile],
        session: NamedDependency[Session],
    ) -> Response[StoredFile]:
        """409 when the storage of the plan would be exceeded."""
        return await _create(create_file, session, data)


async def _create(
    create: Callable[[Session, Mapping[str, Any]], Awaitable[Created | None]],
    session: Session,
    data: msgspec.Struct,
) -> Response[Created]:
    values = {name: getattr(data, name) for name in data.__struct_fields__}
    try:
        created = await create(session, {"id": uuid.uuid4(), **values})
    except psycopg.Error as error:
        problem = refusal(error)
        if problem is None:
            raise
        raise problem from error
    if created is None:
        raise not_found("school")
    return Response(created, status_code=HTTPStatus.CREATED)
