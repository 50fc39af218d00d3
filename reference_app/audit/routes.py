"""The audit trail over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from reference_app.audit.queries import CHANGES_OF_THE_SERVICE, OWN_CHANGES, Change
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.session import Session


class AuditController(Controller):
    """Who changed what."""

    path = OWN_CHANGES.path
    tags = ("audit",)
    opt = only("group_admin", "super_admin", "support")

    @get("/", summary="Who changed what")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        group_id: FromQuery[UUID | None] = None,
        table: Annotated[str | None, QueryParameter(max_length=63)] = None,
    ) -> Page[Change]:
        """Newest first: an administrator's own group; for the office groups and plans."""
        of_a_group = session.principal.role == "group_admin"
        trail = OWN_CHANGES if of_a_group else CHANGES_OF_THE_SERVICE
        filters = {"group_id": group_id, "table": table}
        return await trail.page(session, page=page, after=after, filters=filters)
