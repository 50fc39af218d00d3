"""Modules of a school."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from reference_app.identity.admission import only
from reference_app.problems import Problem, not_found
from reference_app.schools.modules import assign_module, list_school_modules, withdraw_module
from reference_app.schools.queries import SCHOOL
from reference_app.schools.values import SchoolModule
from reference_app.session import Session


class SchoolModulesController(Controller):
    """What a school works with, of what the plan grants."""

    path = "/api/schools/{school_id:uuid}/modules"
    tags = ("schools",)
    opt = only("group_admin")

    @get("/", summary="Modules of a school")
    async def list(
        self, school_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> list[SchoolModule]:
        """By slug, with whether the plan grants them now."""
        found = await list_school_modules(session, school_id)
        if not found:
            await SCHOOL.find(session, school_id)  # none, or no such school
        return found

    @put(
        "/{module_id:uuid}",
        summary="Let a school work with a module",
        status_code=HTTPStatus.NO_CONTENT,
    )
    async def assign(
        self,
        school_id: FromPath[UUID],
        module_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> None:
        """403 for a module the plan does not grant."""
        assigned = await assign_module(session, school_id, module_id)
        if assigned is None:
            raise not_found("school")
        if not assigned:
            raise Problem(
                HTTPStatus.FORBIDDEN, "module-not-granted", "the plan does not grant this module"
            )

    @delete("/{module_id:uuid}", summary="Take a module from a school")
    async def withdraw(
        self,
        school_id: FromPath[UUID],
        module_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> None:
        """404 when the school does not have it."""
        if not await withdraw_module(session, school_id, module_id):
            raise not_found("module of the school")
