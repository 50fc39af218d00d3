"""School groups, for those who run the service (B-01, B-39), and a group's own use (B-05)."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET

from reference_app.groups.queries import (
    GROUPS,
    create_group,
    find_group,
    group_usage,
    rename_group,
)
from reference_app.groups.values import Group, GroupChange, GroupUsage, NewGroup, Status
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.plans.queries import list_plans
from reference_app.problems import FieldError, invalid, not_found
from reference_app.session import Session


class GroupsController(Controller):
    """All school groups, for super administrators."""

    path = GROUPS.path
    tags = ("groups",)
    opt = only("super_admin")

    @get("/", summary="List school groups")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        q: Annotated[str | None, QueryParameter(min_length=1, max_length=200)] = None,
        plan: Annotated[str | None, QueryParameter(min_length=1, max_length=100)] = None,
        status: FromQuery[Status | None] = None,
    ) -> Page[Group]:
        """Newest first; ``q`` searches names in French."""
        filters = {"q": q, "plan": plan, "status": status}
        return await GROUPS.page(session, page=page, after=after, filters=filters)

    @post("/", summary="Take a group on")
    async def create(
        self,
        data: JSONBody[NewGroup],
        session: NamedDependency[Session],
    ) -> Response[Group]:
        """Its subscription begins today."""
        created = await create_group(session, {"id": uuid.uuid4(), **msgspec.structs.asdict(data)})
        if created is None:
            plans = ", ".join(plan.slug for plan in await list_plans(session))
            raise invalid(FieldError("plan", f"must be one of {plans}"))
        return Response(created, status_code=HTTPStatus.CREATED)

    @get("/{group_id:uuid}", summary="One group")
    async def find(self, group_id: FromPath[UUID], session: NamedDependency[Session]) -> Group:
        """With its subscription."""
        return await _find(session, group_id)

    @patch("/{group_id:uuid}", summary="Rename a group")
    async def change(
        self,
        group_id: FromPath[UUID],
        data: JSONBody[GroupChange],
        session: NamedDependency[Session],
    ) -> Group:
        """Its plan has a route of its own."""
        if data.name is not UNSET:
            await rename_group(session, group_id, data.name)
        return await _find(session, group_id)

    @get("/{group_id:uuid}/usage", summary="What a group uses of its plan")
    async def usage(
        self, group_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> GroupUsage:
        """Numbers alone: nobody's pupils are seen."""
        return await _usage(session, group_id)


class UsageController(Controller):
    """What the signed-in administrator's own group uses."""

    path = "/api/usage"
    tags = ("groups",)
    opt = only("group_admin")

    @get("/", summary="What the group uses of its plan")
    async def usage(self, session: NamedDependency[Session]) -> GroupUsage:
        """Counted now."""
        return await _usage(session, session.tenant_id)


async def _find(session: Session, group_id: UUID) -> Group:
    found = await find_group(session, group_id)
    if found is None:
        raise not_found("group")
    return found


async def _usage(session: Session, group_id: UUID | None) -> GroupUsage:
    found = await group_usage(session, group_id)
    if found is None:
        raise not_found("subscription")
    return found
