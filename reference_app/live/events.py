"""What is told of a plan change."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from reference_app.identity.principal import Role

CHANNEL = "plan_changed"

Kind = Literal["plan", "status", "content"]


class PlanEvent(msgspec.Struct, frozen=True, kw_only=True, rename={"kind": "type"}):
    """One event as the database writes it (``schema/351_live.sql``).

    Attributes:
        number: Its place among all events, in the order of commits.
        kind: Another plan, another status of the subscription, or other contents of a plan.
        school_group_id: Whose; None when it is for all groups on the plan.
        plan_id: The plan that the group has now, or whose contents changed.
        plan: Its slug.
        plan_name: Its name, for people (B-210).
        old_plan: Slug of the plan the group had; None for a first plan and for contents.
        status: Status of the subscription; None for contents.
        at: A moment before the commit.
    """

    number: int
    kind: Kind
    school_group_id: UUID | None
    plan_id: UUID
    plan: str
    plan_name: str
    old_plan: str | None
    status: str | None
    at: str


class Told(msgspec.Struct, frozen=True, kw_only=True, rename={"kind": "type"}):
    """A :class:`PlanEvent` as a client sees it: without ids, which it has no use for."""

    number: int
    kind: Kind
    plan: str
    plan_name: str
    old_plan: str | None
    status: str | None
    at: str


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """First message of a socket: all that comes is after number ``last``."""

    last: int


class Alive(msgspec.Struct, frozen=True, tag="alive"):
    """Nothing happened for a while, and the line still holds; all up to ``last`` was told."""

    last: int


AUDIENCE: tuple[Role, ...] = ("group_admin",)
"""Who has a plan to hear about."""

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(PlanEvent)
_MANY = msgspec.json.Decoder(tuple[PlanEvent, ...])


def read_event(payload: str) -> PlanEvent:
    """An event as its row has it."""
    return _DECODER.decode(payload)


def read_events(payloads: str) -> tuple[PlanEvent, ...]:
    """Events from a JSON array of them."""
    return _MANY.decode(payloads)


def told(event: PlanEvent) -> Told:
    """What clients are told of an event."""
    return Told(
        number=event.number,
        kind=event.kind,
        plan=event.plan,
        plan_name=event.plan_name,
        old_plan=event.old_plan,
        status=event.status,
        at=event.at,
    )


def message(said: Told | Hello | Alive) -> str:
    """The text of a message."""
    return _ENCODER.encode(said).decode()
