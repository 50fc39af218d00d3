"""Reports on the whole service over HTTP, for super administrators."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Controller, get
from litestar.di import NamedDependency

from reference_app.identity.admission import only
from reference_app.overview.queries import Grant, Overview, read_grants, read_overview
from reference_app.session import Session


class OverviewController(Controller):
    """The whole service."""

    path = "/api/overview"
    tags = ("operations",)
    opt = only("super_admin")

    @get("/", summary="The service in numbers")
    async def numbers(self, session: NamedDependency[Session]) -> Overview:
        """At most an hour old where views are materialised."""
        return await read_overview(session)

    @get("/plan-modules", summary="What every plan grants")
    async def grants(self, session: NamedDependency[Session]) -> Sequence[Grant]:
        """At most an hour old where views are materialised; access is never decided from it."""
        return await read_grants(session)
