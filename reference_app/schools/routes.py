"""A group's schools, students, staff and files, within the limits of its plan (B-30, B-36)."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
import psycopg
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from reference_app.bodies import sent_fields
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.plans.refusals import refusal
from reference_app.problems import Problem, not_found
from reference_app.schools.queries import (
    FILE,
    FILES,
    SCHOOL,
    SCHOOLS,
    STAFF,
    STAFF_MEMBER,
    STUDENT,
    STUDENTS,
    create_file,
    create_school,
    create_staff_member,
    create_student,
)
from reference_app.schools.values import (
    FileChange,
    NewFile,
    NewSchool,
    NewStaffMember,
    NewStudent,
    School,
    SchoolChange,
    StaffChange,
    StaffMember,
    StoredFile,
    Student,
    StudentChange,
)
from reference_app.session import Session

Search = Annotated[str | None, QueryParameter(min_length=1, max_length=200)]
Row = TypeVar("Row")


class SchoolsController(Controller):
    """The schools of a group; every creation is checked against the plan."""

    path = SCHOOLS.path
    tags = ("schools",)
    opt = only("group_admin")

    @get("/", summary="List schools")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        q: Search = None,
    ) -> Page[School]:
        """Newest first; ``q`` searches names in French."""
        return await SCHOOLS.page(session, page=page, after=after, filters={"q": q})

    @post("/", summary="Create a school")
    async def create(
        self,
        data: JSONBody[NewSchool],
        session: NamedDependency[Session],
    ) -> Response[School]:
        """409 at the limit of the plan."""
        return await _create(create_school, session, data)

    @get("/{school_id:uuid}", summary="One school")
    async def find(self, school_id: FromPath[UUID], session: NamedDependency[Session]) -> School:
        """404 for a school of somebody else."""
        return await SCHOOL.find(session, school_id)

    @patch("/{school_id:uuid}", summary="Change a school")
    async def change(
        self,
        school_id: FromPath[UUID],
        data: JSONBody[SchoolChange],
        session: NamedDependency[Session],
    ) -> School:
        """Only the fields that are sent."""
        return await SCHOOL.change(session, school_id, sent_fields(data))

    @delete("/{school_id:uuid}", summary="Close a school")
    async def remove(self, school_id: FromPath[UUID], session: NamedDependency[Session]) -> None:
        """Its place in the plan is free again; 409 while it has students or staff."""
        try:
            await SCHOOL.delete(session, school_id)
        except psycopg.errors.ForeignKeyViolation as error:
            raise Problem(
                HTTPStatus.CONFLICT, "school-in-use", "the school has students or staff"
            ) from error


class StudentsController(Controller):
    """The students of a group."""

    path = STUDENTS.path
    tags = ("schools",)
    opt = only("group_admin")

    @get("/", summary="List students")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        q: Search = None,
        school_id: FromQuery[UUID | None] = None,
    ) -> Page[Student]:
        """Newest first; ``q`` searches names in French."""
        filters = {"q": q, "school_id": school_id}
        return await STUDENTS.page(session, page=page, after=after, filters=filters)

    @post("/", summary="Enrol a student")
    async def create(
        self,
        data: JSONBody[NewStudent],
        session: NamedDependency[Session],
    ) -> Response[Student]:
        """409 at the limit of the plan, 404 for a school of somebody else."""
        return await _create(create_student, session, data)

    @get("/{student_id:uuid}", summary="One student")
    async def find(self, student_id: FromPath[UUID], session: NamedDependency[Session]) -> Student:
        """404 for a student of somebody else."""
        return await STUDENT.find(session, student_id)

    @patch("/{student_id:uuid}", summary="Change a student")
    async def change(
        self,
        student_id: FromPath[UUID],
        data: JSONBody[StudentChange],
        session: NamedDependency[Session],
    ) -> Student:
        """Only the fields that are sent; 404 also for a school of somebody else."""
        with _school_of_the_group():
            return await STUDENT.change(session, student_id, sent_fields(data))

    @delete("/{student_id:uuid}", summary="Take a student off the roll")
    async def remove(self, student_id: FromPath[UUID], session: NamedDependency[Session]) -> None:
        """The place in the plan is free again."""
        await STUDENT.delete(session, student_id)


class StaffController(Controller):
    """The staff of a group."""

    path = STAFF.path
    tags = ("schools",)
    opt = only("group_admin")

    @get("/", summary="List staff")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        q: Search = None,
        school_id: FromQuery[UUID | None] = None,
    ) -> Page[StaffMember]:
        """Newest first; ``q`` searches names in French."""
        filters = {"q": q, "school_id": school_id}
        return await STAFF.page(session, page=page, after=after, filters=filters)

    @post("/", summary="Hire somebody")
    async def create(
        self,
        data: JSONBody[NewStaffMember],
        session: NamedDependency[Session],
    ) -> Response[StaffMember]:
        """409 at the limit of the plan, 404 for a school of somebody else."""
        return await _create(create_staff_member, session, data)

    @get("/{member_id:uuid}", summary="One member of staff")
    async def find(
        self, member_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> StaffMember:
        """404 for somebody of another group."""
        return await STAFF_MEMBER.find(session, member_id)

    @patch("/{member_id:uuid}", summary="Change a member of staff")
    async def change(
        self,
        member_id: FromPath[UUID],
        data: JSONBody[StaffChange],
        session: NamedDependency[Session],
    ) -> StaffMember:
        """Only the fields that are sent; 404 also for a school of somebody else."""
        with _school_of_the_group():
            return await STAFF_MEMBER.change(session, member_id, sent_fields(data))

    @delete("/{member_id:uuid}", summary="Let somebody go")
    async def remove(self, member_id: FromPath[UUID], session: NamedDependency[Session]) -> None:
        """The place in the plan is free again."""
        await STAFF_MEMBER.delete(session, member_id)


class FilesController(Controller):
    """What a group stores."""

    path = FILES.path
    tags = ("schools",)
    opt = only("group_admin")

    @get("/", summary="List files")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        q: Search = None,
    ) -> Page[StoredFile]:
        """Newest first; ``q`` searches names in French."""
        return await FILES.page(session, page=page, after=after, filters={"q": q})

    @post("/", summary="Store a file")
    async def create(
        self,
        data: JSONBody[NewFile],
        session: NamedDependency[Session],
    ) -> Response[StoredFile]:
        """409 when the storage of the plan would be exceeded."""
        return await _create(create_file, session, data)

    @get("/{file_id:uuid}", summary="One file")
    async def find(self, file_id: FromPath[UUID], session: NamedDependency[Session]) -> StoredFile:
        """404 for a file of somebody else."""
        return await FILE.find(session, file_id)

    @patch("/{file_id:uuid}", summary="Rename a file")
    async def change(
        self,
        file_id: FromPath[UUID],
        data: JSONBody[FileChange],
        session: NamedDependency[Session],
    ) -> StoredFile:
        """Its size stays."""
        return await FILE.change(session, file_id, sent_fields(data))

    @delete("/{file_id:uuid}", summary="Delete a file")
    async def remove(self, file_id: FromPath[UUID], session: NamedDependency[Session]) -> None:
        """Its storage is free again."""
        await FILE.delete(session, file_id)


async def _create(
    create: Callable[[Session, Mapping[str, Any]], Awaitable[Row | None]],
    session: Session,
    data: msgspec.Struct,
) -> Response[Row]:
    try:
        created = await create(session, {"id": uuid.uuid4(), **sent_fields(data)})
    except psycopg.Error as error:
        problem = refusal(error)
        if problem is None:
            raise
        raise problem from error
    if created is None:
        raise not_found("school")
    return Response(created, status_code=HTTPStatus.CREATED)


@contextmanager
def _school_of_the_group() -> Iterator[None]:
    """The key of a school holds its group, so moving somebody to another's school is refused."""
    try:
        yield
    except psycopg.errors.ForeignKeyViolation as error:
        raise not_found("school") from error
