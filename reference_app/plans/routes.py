"""Plans, limits and access of a school group (B-13 ... B-16, B-21, B-30 ... B-35)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from reference_app.identity.admission import only
from reference_app.plans.queries import (
    Granted,
    GrantedModule,
    Plan,
    Subscription,
    all_restrictions,
    category_allowed,
    change_plan,
    find_subscription,
    granted_categories,
    granted_modules,
    list_plans,
    module_allowed,
    one_restriction,
)
from reference_app.plans.rules import DEFAULT_THRESHOLD, Kind, Restriction, restriction
from reference_app.problems import FieldError, invalid, not_found
from reference_app.session import Session

Threshold = Annotated[int, QueryParameter(ge=1, le=100)]


class LimitsCard(msgspec.Struct, frozen=True):
    """All limits of a group, in the order of the card (B-34)."""

    restrictions: Sequence[Restriction]


class Access(msgspec.Struct, frozen=True):
    """Whether the plan grants it."""

    allowed: bool


class PlanChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plan by its slug: free, premium, pro, institutional."""

    plan: Annotated[str, Meta(min_length=1, max_length=100)]


class PlansController(Controller):
    """What the signed-in administrator's group may do."""

    path = "/api"
    tags = ("plans",)
    opt = only("group_admin")

    @get("/restrictions", summary="Limits card")
    async def card(
        self,
        session: NamedDependency[Session],
        threshold: Threshold = DEFAULT_THRESHOLD,
    ) -> LimitsCard:
        """Use, limit, percent and remainder of every kind."""
        found = await all_restrictions(session)
        if not found:
            raise not_found("subscription")
        return LimitsCard([restriction(usage, threshold) for usage in found])

    @get("/restrictions/{kind:str}", summary="One limit")
    async def check(
        self,
        kind: FromPath[Kind],
        session: NamedDependency[Session],
        threshold: Threshold = DEFAULT_THRESHOLD,
    ) -> Restriction:
        """ok, warning from ``threshold`` percent, blocked at the limit, with what to show."""
        usage = await one_restriction(session, kind)
        if usage is None:
            raise not_found("subscription")
        return restriction(usage, threshold)

    @get("/subscription", summary="Which plan the group has")
    async def subscription(self, session: NamedDependency[Session]) -> Subscription:
        """Plan, state and dates."""
        found = await find_subscription(session, session.tenant_id)
        if found is None:
            raise not_found("subscription")
        return found

    @get("/categories", summary="Categories the plan grants")
    async def categories(self, session: NamedDependency[Session]) -> list[Granted]:
        """By slug."""
        return await granted_categories(session)

    @get("/modules", summary="Modules the plan grants")
    async def modules(self, session: NamedDependency[Session]) -> list[GrantedModule]:
        """By slug."""
        return await granted_modules(session)

    @get("/modules/{module_id:uuid}/access", summary="May the group use this module?")
    async def module_access(
        self,
        module_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> Access:
        """No while the subscription is suspended."""
        return Access(await module_allowed(session, module_id))

    @get("/categories/{category_id:uuid}/access", summary="May the group use this category?")
    async def category_access(
        self,
        category_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> Access:
        """No while the subscription is suspended."""
        return Access(await category_allowed(session, category_id))


class PlanAdministrationController(Controller):
    """Plans across groups, for super administrators."""

    path = "/api"
    tags = ("plans",)
    opt = only("super_admin")

    @get("/plans", summary="All plans")
    async def plans(self, session: NamedDependency[Session]) -> list[Plan]:
        """Smallest first."""
        return await list_plans(session)

    @put("/groups/{group_id:uuid}/plan", summary="Give a group another plan")
    async def change(
        self,
        group_id: FromPath[UUID],
        data: JSONBody[PlanChoice],
        session: NamedDependency[Session],
    ) -> Subscription:
        """One UPDATE; listeners hear of it at commit. What is above a lower limit stays."""
        changed = await change_plan(session, group_id, data.plan)
        if changed is None:
            plans = [plan.slug for plan in await list_plans(session)]
            if data.plan not in plans:
                raise invalid(FieldError("plan", f"must be one of {', '.join(plans)}"))
            raise not_found("group")
        return changed
