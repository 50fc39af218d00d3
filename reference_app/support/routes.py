"""What support staff work with (B-92, J-13)."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta

from reference_app.bodies import sent_fields
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.problems import not_found
from reference_app.session import Session
from reference_app.support.queries import (
    CLIENTS,
    SUBSCRIPTIONS,
    TICKETS,
    Client,
    Subscription,
    SubscriptionStatus,
    Ticket,
    TicketStatus,
    change_ticket,
    create_ticket,
)


class NewTicket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket to be opened for a customer."""

    client_id: UUID
    sujet: Annotated[str, Meta(min_length=1, max_length=200)]
    message: Annotated[str, Meta(max_length=10_000)] = ""


class TicketChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The new status of a ticket."""

    status: TicketStatus


class SupportController(Controller):
    """Customers of the channel manager."""

    path = "/api/support"
    tags = ("support",)
    opt = only("support")

    @get("/clients", summary="List customers")
    async def list_clients(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        email: Annotated[str | None, QueryParameter(max_length=320)] = None,
    ) -> Page[Client]:
        """Newest first; ``email`` is a whole address."""
        return await CLIENTS.page(session, page=page, after=after, filters={"email": email})

    @get("/subscriptions", summary="List subscriptions of customers")
    async def list_subscriptions(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        client_id: FromQuery[UUID | None] = None,
        status: FromQuery[SubscriptionStatus | None] = None,
    ) -> Page[Subscription]:
        """Newest first."""
        filters = {"client_id": client_id, "status": status}
        return await SUBSCRIPTIONS.page(session, page=page, after=after, filters=filters)

    @get("/tickets", summary="List tickets")
    async def list_tickets(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        client_id: FromQuery[UUID | None] = None,
        status: FromQuery[TicketStatus | None] = None,
    ) -> Page[Ticket]:
        """Newest first."""
        filters = {"client_id": client_id, "status": status}
        return await TICKETS.page(session, page=page, after=after, filters=filters)

    @post("/tickets", summary="Open a ticket")
    async def open_ticket(
        self,
        data: JSONBody[NewTicket],
        session: NamedDependency[Session],
    ) -> Response[Ticket]:
        """404 for a customer that does not exist."""
        created = await create_ticket(session, {"id": uuid.uuid4(), **sent_fields(data)})
        if created is None:
            raise not_found("client")
        return Response(created, status_code=HTTPStatus.CREATED)

    @patch("/tickets/{ticket_id:uuid}", summary="Give a ticket another status")
    async def change_ticket(
        self,
        ticket_id: FromPath[UUID],
        data: JSONBody[TicketChange],
        session: NamedDependency[Session],
    ) -> Ticket:
        """A closed ticket can be opened again."""
        changed = await change_ticket(session, ticket_id, data.status)
        if changed is None:
            raise not_found("ticket")
        return changed
