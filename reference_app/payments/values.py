"""Means of payment and payments as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta


class NewPaymentMethod(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card, by what its provider calls it: its number never comes here.

    Attributes:
        label: What people know it by: "Visa 4242".
    """

    token: Annotated[str, Meta(min_length=1, max_length=200, pattern="^[A-Za-z0-9_-]+$")]
    label: Annotated[str, Meta(min_length=1, max_length=100)]


class PaymentMethod(msgspec.Struct, frozen=True):
    """A card.

    Attributes:
        is_default: The one that is charged.
    """

    id: UUID
    provider: str
    label: str
    is_default: bool
    created_at: datetime


class Payment(msgspec.Struct, frozen=True):
    """A charge for a period.

    Attributes:
        period: The one that is paid.
        reason: Why it was declined.
        settled_at: When it came to its end; null while it is pending.
    """

    id: UUID
    subscription_id: UUID
    period: int
    provider: str
    cents: int
    currency: str
    status: Literal["pending", "succeeded", "declined", "failed"]
    reason: str | None
    created_at: datetime
    settled_at: datetime | None
