"""School groups and what they use."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

Cycle = Literal["monthly", "quarterly", "yearly"]
Status = Literal["active", "grace", "suspended"]
Name = Annotated[str, Meta(min_length=1, max_length=200)]


class Group(msgspec.Struct, frozen=True):
    """A tenant and its subscription, whose fields are null as long as there is none."""

    id: UUID
    name: str
    plan: str | None
    plan_name: str | None
    status: Status | None
    cycle: Cycle | None
    starts_on: date | None
    ends_on: date | None
    created_at: datetime


class NewGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group to be taken on.

    Attributes:
        plan: A plan by its slug.
        cycle: How long a period of its subscription is; the first begins today.
    """

    name: Name
    plan: Annotated[str, Meta(min_length=1, max_length=100)]
    cycle: Cycle = "yearly"


class GroupChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed about a group."""

    name: Name | UnsetType = UNSET


class GroupUsage(msgspec.Struct, frozen=True):
    """What a group uses of its plan, at this moment (B-05)."""

    school_group_id: UUID
    name: str
    plan: str
    status: Status
    schools: int
    max_schools: int
    students: int
    max_students: int
    staff: int
    max_staff: int
    storage_bytes: int
    max_storage_gb: int
