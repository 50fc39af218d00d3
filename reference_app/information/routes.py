"""What a guest may want to know of an owner's gîte (B-97 ... B-114)."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from reference_app.identity.admission import only
from reference_app.information.queries import change_information, find_information
from reference_app.information.values import Information, InformationChange
from reference_app.problems import not_found
from reference_app.session import Session


class InformationController(Controller):
    """The information of a gîte of the signed-in owner; every gîte has it from its first day."""

    path = "/api/units/{unit_id:uuid}/information"
    tags = ("units",)
    opt = only("owner")

    @get("/", summary="A gîte's information")
    async def show(self, unit_id: FromPath[UUID], session: NamedDependency[Session]) -> Information:
        """404 also for a gîte of somebody else."""
        found = await find_information(session, unit_id)
        if found is None:
            raise not_found("gîte")
        return found

    @put("/", summary="Replace sections of a gîte's information")
    async def change(
        self,
        unit_id: FromPath[UUID],
        data: JSONBody[InformationChange],
        session: NamedDependency[Session],
    ) -> Information:
        """A section that is sent is replaced as a whole: what it does not say gets its default.

        Answers the information as it is afterwards.
        """
        if not await change_information(session, unit_id, data):
            raise not_found("gîte")
        changed = await find_information(session, unit_id)
        if changed is None:
            raise not_found("gîte")
        return changed
