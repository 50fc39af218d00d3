"""What can be done in bulk, and how an operation is getting on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from reference_app.schools.values import NewSchool, NewStaffMember, NewStudent

ITEMS_MAX = 500
"""The groups of the design size (T-12): a change of plan for all of them is one operation."""

Kind = Literal["schools", "students", "staff", "plan"]
Status = Literal["pending", "processing", "completed", "failed"]
Refusal = Literal["not-found", "limit-reached", "no-running-subscription"]

_DETAILS: dict[Refusal, str] = {
    "not-found": "no such school or group, or it is somebody else's",
    "limit-reached": "the limit of the plan is reached",
    "no-running-subscription": "the group has no subscription, or it is suspended",
}


class Schools(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Schools to be created."""

    items: Annotated[Sequence[NewSchool], Meta(min_length=1, max_length=ITEMS_MAX)]


class Students(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Students to be enrolled."""

    items: Annotated[Sequence[NewStudent], Meta(min_length=1, max_length=ITEMS_MAX)]


class Staff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Staff to be hired."""

    items: Annotated[Sequence[NewStaffMember], Meta(min_length=1, max_length=ITEMS_MAX)]


class PlanForMany(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One plan for many groups."""

    group_ids: Annotated[Sequence[UUID], Meta(min_length=1, max_length=ITEMS_MAX)]
    plan: Annotated[str, Meta(min_length=1, max_length=100)]


class Failure(msgspec.Struct, frozen=True):
    """An item that was refused.

    Attributes:
        index: Its place in what was sent, from 0.
        problem: As the same thing done alone is refused.
    """

    index: int
    problem: Refusal
    detail: str


class BulkOperation(msgspec.Struct, frozen=True):
    """An operation; it is through when it is completed or failed.

    Attributes:
        total: Items asked for.
        done: Items that were done.
        failed: Items that were refused; ``failures`` says which.
        error: Why the operation as a whole failed; what was done before stays done.
    """

    id: UUID
    kind: Kind
    status: Status
    total: int
    done: int
    failed: int
    failures: Sequence[Failure]
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def operation_of(*columns: Any) -> BulkOperation:
    """An operation of the columns of its row, in the order of the fields."""
    operation = BulkOperation(*columns)
    failures = [
        Failure(found["index"], found["problem"], _DETAILS[found["problem"]])
        for found in columns[6]
    ]
    return msgspec.structs.replace(operation, failures=failures)
