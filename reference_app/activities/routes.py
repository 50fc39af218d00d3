"""What there is to do near an owner's gîtes (B-84)."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from reference_app.activities.queries import ACTIVITIES, ACTIVITY, create_activity
from reference_app.activities.values import Activity, ActivityChange, Category, NewActivity
from reference_app.bodies import sent_fields
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.problems import not_found
from reference_app.session import Session


class ActivitiesController(Controller):
    """Activities near the signed-in owner's gîtes."""

    path = ACTIVITIES.path
    tags = ("activities",)
    opt = only("owner")

    @get("/", summary="List activities")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        gite_id: FromQuery[UUID | None] = None,
        category: FromQuery[Category | None] = None,
    ) -> Page[Activity]:
        """Newest first."""
        filters = {"gite_id": gite_id, "category": category}
        return await ACTIVITIES.page(session, page=page, after=after, filters=filters)

    @post("/", summary="Add an activity")
    async def create(
        self,
        data: JSONBody[NewActivity],
        session: NamedDependency[Session],
    ) -> Response[Activity]:
        """404 for a gîte of somebody else."""
        created = await create_activity(session, {"id": uuid.uuid4(), **sent_fields(data)})
        if created is None:
            raise not_found("gîte")
        return Response(created, status_code=HTTPStatus.CREATED)

    @patch("/{activity_id:uuid}", summary="Change an activity")
    async def change(
        self,
        activity_id: FromPath[UUID],
        data: JSONBody[ActivityChange],
        session: NamedDependency[Session],
    ) -> Activity:
        """Only the fields that are sent."""
        return await ACTIVITY.change(session, activity_id, sent_fields(data))

    @delete("/{activity_id:uuid}", summary="Delete an activity")
    async def remove(
        self,
        activity_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> None:
        """For good."""
        await ACTIVITY.delete(session, activity_id)
