"""The life of subscriptions over HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime
from http import HTTPStatus
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from reference_app.automation.queries import LOG, NOTICES, RUNS, renew_by_hand, resume
from reference_app.automation.values import Entry, Notice, Run
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.plans.queries import Subscription, find_subscription
from reference_app.problems import Problem, not_found
from reference_app.session import Session


class SubscriptionController(Controller):
    """The signed-in administrator's own group."""

    path = "/api/subscription"
    tags = ("subscriptions",)
    opt = only("group_admin")

    @get("/notices", summary="What the group was told of the end of its subscription")
    async def notices(
        self, session: NamedDependency[Session], page: PageNumber = None, after: After = None
    ) -> Page[Notice]:
        """Newest first."""
        return await NOTICES.page(session, page=page, after=after)

    @post("/renew", summary="Renew by hand", status_code=HTTPStatus.OK)
    async def renew(self, session: NamedDependency[Session]) -> Subscription:
        """In the last 30 days of a period; ends grace and suspension. 402 without a payment."""
        reason = await renew_by_hand(session, _today())
        if reason == "payment-required":
            raise Problem(
                HTTPStatus.PAYMENT_REQUIRED,
                "payment-required",
                "the next period has to be paid first",
            )
        if reason == "not-due":
            raise Problem(
                HTTPStatus.CONFLICT,
                "renewal-not-due",
                "a subscription is renewed in the last 30 days of its period",
            )
        return await _subscription(session, session.tenant_id)


class AutomationController(Controller):
    """What the automation did, for super administrators."""

    path = "/api/automation"
    tags = ("subscriptions",)
    opt = only("super_admin")

    @get("/runs", summary="Passes over all groups")
    async def runs(
        self, session: NamedDependency[Session], page: PageNumber = None, after: After = None
    ) -> Page[Run]:
        """Newest first; one that was killed never finished."""
        return await RUNS.page(session, page=page, after=after)

    @get("/log", summary="What was done, tried again and given up")
    async def log(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        group_id: FromQuery[UUID | None] = None,
    ) -> Page[Entry]:
        """Newest first."""
        return await LOG.page(session, page=page, after=after, filters={"group_id": group_id})


class ResumptionController(Controller):
    """The office's word, for super administrators."""

    path = "/api/groups"
    tags = ("subscriptions",)
    opt = only("super_admin")

    @post("/{group_id:uuid}/resume", summary="Resume a group", status_code=HTTPStatus.OK)
    async def resume(
        self, group_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> Subscription:
        """Ends grace and suspension with a new period; what was given up is tried again."""
        if not await resume(session, group_id, _today()):
            raise not_found("subscription")
        return await _subscription(session, group_id)


def _today() -> date:
    return datetime.now(UTC).date()


async def _subscription(session: Session, group_id: UUID | None) -> Subscription:
    found = await find_subscription(session, group_id)
    if found is None:
        raise not_found("subscription")
    return found
