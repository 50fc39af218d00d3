"""Customers of the channel manager, what they subscribed to and asked for (B-92).

These rows belong to no owner: the routes and the policies ask for the role ``support``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from reference_app.listing import Listing, NewestFirst
from reference_app.session import Session

Formula = Literal["essai", "standard", "premium"]
SubscriptionStatus = Literal["active", "past_due", "cancelled"]
TicketStatus = Literal["open", "waiting", "closed"]


class Client(msgspec.Struct, frozen=True):
    """A customer of the channel manager."""

    id: UUID
    email: str
    nom: str
    created_at: datetime


class Subscription(msgspec.Struct, frozen=True):
    """What a customer subscribed to; without an end it goes on."""

    id: UUID
    client_id: UUID
    formule: Formula
    status: SubscriptionStatus
    starts_on: date
    ends_on: date | None
    created_at: datetime


class Ticket(msgspec.Struct, frozen=True):
    """What a customer asked for help with."""

    id: UUID
    client_id: UUID
    status: TicketStatus
    sujet: str
    message: str
    created_at: datetime
    updated_at: datetime


CLIENTS = Listing(
    name="clients",
    path="/api/support/clients",
    source="cm_clients r",
    scope="true",
    columns="r.id, r.email, r.nom, r.created_at",
    row=Client,
    order=NewestFirst("created_at", datetime),
    conditions={"email": "r.email = %(email)s"},
)

SUBSCRIPTIONS = Listing(
    name="client_subscriptions",
    path="/api/support/subscriptions",
    source="cm_subscriptions r",
    scope="true",
    columns="r.id, r.client_id, r.formule, r.status, r.starts_on, r.ends_on, r.created_at",
    row=Subscription,
    order=NewestFirst("created_at", datetime),
    conditions={"client_id": "r.client_id = %(client_id)s", "status": "r.status = %(status)s"},
)

TICKETS = Listing(
    name="tickets",
    path="/api/support/tickets",
    source="cm_support_tickets r",
    scope="true",
    columns="r.id, r.client_id, r.status, r.sujet, r.message, r.created_at, r.updated_at",
    row=Ticket,
    order=NewestFirst("created_at", datetime),
    conditions={"client_id": "r.client_id = %(client_id)s", "status": "r.status = %(status)s"},
)


async def create_ticket(session: Session, values: Mapping[str, Any]) -> Ticket | None:
    """Open a ticket; None when there is no such customer."""
    return await session.first(
        """/* create_ticket */
        INSERT INTO cm_support_tickets (id, client_id, status, sujet, message)
        SELECT %(id)s, c.id, 'open', %(sujet)s, %(message)s
        FROM cm_clients c WHERE c.id = %(client_id)s
        RETURNING id, client_id, status, sujet, message, created_at, updated_at""",
        values,
        Ticket,
    )


async def change_ticket(session: Session, ticket_id: UUID, status: TicketStatus) -> Ticket | None:
    """Give a ticket another status; None when there is no such ticket."""
    return await session.first(
        """/* change_ticket */
        UPDATE cm_support_tickets SET status = %(status)s, updated_at = now()
        WHERE id = %(id)s
        RETURNING id, client_id, status, sujet, message, created_at, updated_at""",
        {"id": ticket_id, "status": status},
        Ticket,
    )
