"""Errors that clients met: anybody reports, support reads (B-93, B-95)."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter
from msgspec import Meta

from reference_app.errors.queries import ERRORS, Logged, LoggedError, log_error
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.session import Session


class NewError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An error a client met.

    Attributes:
        source: The part of the client, e.g. ``"dashboard"``.
        message: What it caught.
        request_id: ``X-Request-ID`` of the answer, if there was one.
    """

    source: Annotated[str, Meta(min_length=1, max_length=100)]
    message: Annotated[str, Meta(min_length=1, max_length=4000)]
    request_id: Annotated[str, Meta(max_length=100)] = ""


class ErrorsController(Controller):
    """The error log."""

    path = ERRORS.path
    tags = ("errors",)

    @post("/", summary="Report an error")
    async def report(
        self,
        data: JSONBody[NewError],
        session: NamedDependency[Session],
    ) -> Response[Logged]:
        """In the name of whoever is signed in."""
        logged = await log_error(
            session,
            uuid.uuid4(),
            source=data.source,
            message=data.message,
            request_id=data.request_id,
        )
        return Response(logged, status_code=HTTPStatus.CREATED)

    @get("/", summary="List errors", opt=only("support"))
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        source: Annotated[str | None, QueryParameter(max_length=100)] = None,
        user_id: FromQuery[UUID | None] = None,
    ) -> Page[LoggedError]:
        """Newest first."""
        filters = {"source": source, "user_id": user_id}
        return await ERRORS.page(session, page=page, after=after, filters=filters)
