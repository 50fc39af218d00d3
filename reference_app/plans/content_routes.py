"""Contents of plans, for super administrators; every group on the plan has them at once (B-27)."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from reference_app.identity.admission import only
from reference_app.plans.content import (
    Change,
    grant_category,
    grant_module,
    plan_categories,
    plan_modules,
    withdraw_category,
    withdraw_module,
)
from reference_app.plans.queries import Granted, GrantedModule
from reference_app.problems import not_found
from reference_app.session import Session


class PlanContentController(Controller):
    """What a plan grants."""

    path = "/api/plans/{plan_id:uuid}"
    tags = ("plans",)
    opt = only("super_admin")

    @get("/categories", summary="Categories of a plan")
    async def categories(
        self, plan_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> list[Granted]:
        """By slug; none for a plan that does not exist."""
        return await plan_categories(session, plan_id)

    @get("/modules", summary="Modules of a plan")
    async def modules(
        self, plan_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> list[GrantedModule]:
        """By slug; none for a plan that does not exist."""
        return await plan_modules(session, plan_id)

    @put(
        "/categories/{category_id:uuid}",
        summary="Let a plan grant a category",
        status_code=HTTPStatus.NO_CONTENT,
    )
    async def grant_category(
        self,
        plan_id: FromPath[UUID],
        category_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> None:
        """Again changes nothing."""
        _found(await grant_category(session, plan_id, category_id), "category")

    @delete("/categories/{category_id:uuid}", summary="Take a category from a plan")
    async def withdraw_category(
        self,
        plan_id: FromPath[UUID],
        category_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> None:
        """Its modules go with it."""
        if not await withdraw_category(session, plan_id, category_id):
            raise not_found("category of the plan")

    @put(
        "/modules/{module_id:uuid}",
        summary="Let a plan grant a module",
        status_code=HTTPStatus.NO_CONTENT,
    )
    async def grant_module(
        self,
        plan_id: FromPath[UUID],
        module_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> None:
        """Its category comes with it; again changes nothing."""
        _found(await grant_module(session, plan_id, module_id), "module")

    @delete("/modules/{module_id:uuid}", summary="Take a module from a plan")
    async def withdraw_module(
        self,
        plan_id: FromPath[UUID],
        module_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> None:
        """Schools keep it assigned and cannot use it."""
        if not await withdraw_module(session, plan_id, module_id):
            raise not_found("module of the plan")


def _found(change: Change | None, what: str) -> None:
    if change is None or not change.is_plan:
        raise not_found("plan")
    if not change.is_known:
        raise not_found(what)
