"""Notices of whoever is signed in (B-94)."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from reference_app.notifications.queries import (
    NOTIFICATIONS,
    Kind,
    Notification,
    mark_all_read,
    mark_read,
)
from reference_app.pages import After, Page, PageNumber
from reference_app.problems import not_found
from reference_app.session import Session


class MarkedRead(msgspec.Struct, frozen=True):
    """How many notices were unread before."""

    marked: int


class NotificationsController(Controller):
    """Every role has notices."""

    path = NOTIFICATIONS.path
    tags = ("notifications",)

    @get("/", summary="List notices")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        is_read: FromQuery[bool | None] = None,
        kind: FromQuery[Kind | None] = None,
    ) -> Page[Notification]:
        """Unread ones first, newest first. One that is read between two pages moves back."""
        filters = {"is_read": is_read, "kind": kind}
        return await NOTIFICATIONS.page(session, page=page, after=after, filters=filters)

    @post(
        "/{notification_id:uuid}/read",
        summary="Mark a notice as read",
        status_code=HTTPStatus.OK,
    )
    async def read(
        self,
        notification_id: FromPath[UUID],
        session: NamedDependency[Session],
    ) -> Notification:
        """Reading twice is no error and keeps the first time."""
        found = await mark_read(session, notification_id)
        if found is None:
            raise not_found("notification")
        return found

    @post("/read-all", summary="Mark all notices as read", status_code=HTTPStatus.OK)
    async def read_all(self, session: NamedDependency[Session]) -> MarkedRead:
        """Answers how many there were."""
        return MarkedRead(await mark_all_read(session))
