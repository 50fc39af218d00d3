"""Endpoints, deliveries and attempts as clients see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_app.outbound.address import ADDRESS_MAX

EventType = Literal[
    "plan.changed",
    "subscription.renewed",
    "subscription.grace",
    "subscription.suspended",
    "subscription.resumed",
    "subscription.expiring",
    "payment.succeeded",
    "payment.declined",
]
"""As the database knows them (schema/052_webhooks.sql)."""

Status = Literal["pending", "processing", "delivered", "failed"]

Url = Annotated[str, Meta(min_length=1, max_length=ADDRESS_MAX)]
Types = Annotated[Sequence[EventType], Meta(max_length=20)]


class NewEndpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address to be told.

    Attributes:
        types: Events it wants; all of them when empty.
    """

    url: Url
    types: Types = ()


class EndpointChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    url: Url | UnsetType = UNSET
    types: Types | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class Endpoint(msgspec.Struct, frozen=True):
    """An address that is told.

    Attributes:
        secret_version: Which of its secrets it signs with.
        verified_at: When its connectivity test last succeeded.
    """

    id: UUID
    url: str
    types: Sequence[EventType]
    is_active: bool
    secret_version: int
    verified_at: datetime | None
    created_at: datetime
    updated_at: datetime


class EndpointWithSecret(msgspec.Struct, frozen=True):
    """An endpoint and its secret, which is shown this once."""

    endpoint: Endpoint
    secret: str


class EndpointTest(msgspec.Struct, frozen=True):
    """What came of a connectivity test.

    Attributes:
        is_reached: The endpoint answered 200 to 299.
        status: Of its answer; null without one.
        error: Why it was not reached.
    """

    is_reached: bool
    status: int | None
    duration_ms: int
    error: str | None


class Delivery(msgspec.Struct, frozen=True):
    """An event on its way to one endpoint.

    Attributes:
        redelivery_of: The delivery that was asked to be made again; null for the first one.
        attempts: Requests so far.
        available_at: Not tried before then.
    """

    id: UUID
    event_id: UUID
    type: EventType
    endpoint_id: UUID
    redelivery_of: UUID | None
    status: Status
    attempts: int
    available_at: datetime
    created_at: datetime
    finished_at: datetime | None
    last_status: int | None
    last_error: str | None


class Attempt(msgspec.Struct, frozen=True):
    """One request to an endpoint.

    Attributes:
        attempt: Counts from 1.
        status: Of the answer; null without one.
    """

    id: UUID
    at: datetime
    attempt: int
    status: int | None
    duration_ms: int
    error: str | None


class Message(msgspec.Struct, frozen=True):
    """What an endpoint is sent.

    Attributes:
        id: Of the event: the same in every delivery of it.
        data: What happened.
    """

    id: UUID
    type: str
    created_at: datetime
    data: Any
