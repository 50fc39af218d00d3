"""What is told of the automation."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec


class Notice(msgspec.Struct, frozen=True):
    """A group was told that its subscription ends.

    Attributes:
        days_before: The mark it was told for.
        ends_on: The end it was told of.
    """

    id: UUID
    period: int
    days_before: int
    ends_on: date
    sent_at: datetime


class Run(msgspec.Struct, frozen=True):
    """A pass over all groups.

    Attributes:
        day: What it took to be today.
        finished_at: Null while it runs, and for ever when it was killed.
        failed: Steps that are to be tried again, or were given up.
    """

    id: UUID
    day: date
    worker: str
    started_at: datetime
    finished_at: datetime | None
    chunks: int
    groups: int
    noticed: int
    renewed: int
    graced: int
    suspended: int
    failed: int


class Entry(msgspec.Struct, frozen=True):
    """A line of the log.

    Attributes:
        run_id: Null for what a person did.
        period: The period it began in.
    """

    id: UUID
    at: datetime
    run_id: UUID | None
    subscription_id: UUID
    school_group_id: UUID
    period: int
    action: Literal["notice", "renew", "grace", "suspend", "resume"]
    outcome: Literal["done", "retry", "given_up"]
    attempt: int
    days_before: int | None
    error: str | None
