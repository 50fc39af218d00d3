"""Bulk operations over HTTP: 202 with the operation, and where to look how it gets on."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from reference_app.bulk.queries import OPERATION, OPERATIONS, WAITING_MAX, ask_in_bulk
from reference_app.bulk.values import (
    BulkOperation,
    Kind,
    PlanForMany,
    Schools,
    Staff,
    Status,
    Students,
)
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.plans.queries import list_plans
from reference_app.problems import FieldError, Problem, invalid
from reference_app.session import Session

RETRY_AFTER_S = 1
"""An operation takes about a second, and then there is a place again."""


class BulkController(Controller):
    """Operations that this account asked for."""

    path = OPERATIONS.path
    tags = ("bulk",)
    opt = only("group_admin", "super_admin")

    @get("/", summary="List bulk operations")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        status: FromQuery[Status | None] = None,
    ) -> Page[BulkOperation]:
        """Newest first."""
        return await OPERATIONS.page(session, page=page, after=after, filters={"status": status})

    @get("/{operation_id:uuid}", summary="How a bulk operation gets on")
    async def find(
        self, operation_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> BulkOperation:
        """Done, refused and left so far."""
        return await OPERATION.find(session, operation_id)


class BulkCreationController(Controller):
    """Many rows of the signed-in administrator's group."""

    path = OPERATIONS.path
    tags = ("bulk",)
    opt = only("group_admin")

    @post("/schools", summary="Create many schools", status_code=HTTPStatus.ACCEPTED)
    async def schools(
        self, data: JSONBody[Schools], session: NamedDependency[Session]
    ) -> Response[BulkOperation]:
        """As many as the plan has room for, in their order; 429 with too many waiting."""
        return await _accept(session, "schools", data.items)

    @post("/students", summary="Enrol many students", status_code=HTTPStatus.ACCEPTED)
    async def students(
        self, data: JSONBody[Students], session: NamedDependency[Session]
    ) -> Response[BulkOperation]:
        """As many as the plan has room for, in their order; 429 with too many waiting."""
        return await _accept(session, "students", data.items)

    @post("/staff", summary="Hire many people", status_code=HTTPStatus.ACCEPTED)
    async def staff(
        self, data: JSONBody[Staff], session: NamedDependency[Session]
    ) -> Response[BulkOperation]:
        """As many as the plan has room for, in their order; 429 with too many waiting."""
        return await _accept(session, "staff", data.items)


class BulkPlanController(Controller):
    """Plans of many groups, for super administrators."""

    path = OPERATIONS.path
    tags = ("bulk",)
    opt = only("super_admin")

    @post("/plan", summary="Give many groups a plan", status_code=HTTPStatus.ACCEPTED)
    async def plan(
        self, data: JSONBody[PlanForMany], session: NamedDependency[Session]
    ) -> Response[BulkOperation]:
        """Groups are told as if each had been changed alone; 429 with too many waiting."""
        plans = [plan.slug for plan in await list_plans(session)]
        if data.plan not in plans:
            raise invalid(FieldError("plan", f"must be one of {', '.join(plans)}"))
        wanted = [{"school_group_id": group, "plan": data.plan} for group in data.group_ids]
        return await _accept(session, "plan", wanted)


async def _accept(session: Session, kind: Kind, items: Any) -> Response[BulkOperation]:
    accepted = await ask_in_bulk(session, kind, items)
    if accepted is None:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too-many-operations",
            f"{WAITING_MAX} bulk operations are waiting; come back when one is through",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    return Response(
        accepted,
        status_code=HTTPStatus.ACCEPTED,
        headers={"Location": f"{OPERATIONS.path}/{accepted.id}"},
    )
