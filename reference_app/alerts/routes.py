"""Health in detail, alerts and their rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import Controller, get, patch
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from reference_app.alerts.queries import (
    ALERTS,
    ShownAlert,
    ShownRule,
    change_rule,
    list_rules,
)
from reference_app.bodies import sent_fields
from reference_app.health import READY_TIMEOUT_S
from reference_app.identity.admission import only
from reference_app.monitoring.health import Health
from reference_app.monitoring.look import Parts, look
from reference_app.pages import After, Page, PageNumber
from reference_app.problems import not_found
from reference_app.session import Session

MONTH_S = 31 * 86_400


class RuleChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """New values; what is left out stays."""

    threshold: Annotated[float, Meta(ge=-1e12, le=1e12)] | UnsetType = UNSET
    for_s: Annotated[int, Meta(ge=0, le=MONTH_S)] | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET


class HealthController(Controller):
    """How the service is."""

    path = "/api/health"
    tags = ("operations",)
    opt = only("super_admin", "support")

    @get("/", summary="How the service is, part by part")
    async def show(self, parts: NamedDependency[Parts]) -> Health:
        """Looked at now, by the process that answers; also while the database is away."""
        return await look(parts, READY_TIMEOUT_S)


class AlertsController(Controller):
    """What somebody had to look at."""

    path = ALERTS.path
    tags = ("operations",)
    opt = only("super_admin", "support")

    @get("/", summary="Alerts")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        is_open: FromQuery[bool | None] = None,
        rule: Annotated[str | None, QueryParameter(max_length=100)] = None,
    ) -> Page[ShownAlert]:
        """Newest first."""
        filters = {"is_open": is_open, "rule": rule}
        return await ALERTS.page(session, page=page, after=after, filters=filters)


class AlertRulesController(Controller):
    """From when on somebody is told (B-60)."""

    path = "/api/alert-rules"
    tags = ("operations",)

    @get("/", summary="Rules of alerts", opt=only("super_admin", "support"))
    async def list(self, session: NamedDependency[Session]) -> Sequence[ShownRule]:
        """By name."""
        return await list_rules(session)

    @patch("/{slug:str}", summary="Change a rule", opt=only("super_admin"))
    async def change(
        self, slug: FromPath[str], data: JSONBody[RuleChange], session: NamedDependency[Session]
    ) -> ShownRule:
        """Holds from the next look on; an alert whose rule is switched off closes."""
        changed = await change_rule(session, slug, sent_fields(data))
        if changed is None:
            raise not_found("alert rule")
        return changed
