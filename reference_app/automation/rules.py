"""What is due for a subscription on a day. Pure: no clock, no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

MARKS = (30, 15, 7, 3, 1)
"""Days before the end on which a group is told (B-42, T-22)."""

Status = Literal["active", "grace", "suspended"]
Action = Literal["notice", "renew", "grace", "suspend"]
Charged = Literal["succeeded", "declined", "pending", "nothing_due"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription as a pass sees it.

    Attributes:
        period: Counts from 1.
        ends_on: The first day that is not paid for.
        grace_until: Last day of grace.
        told: The nearest mark of this period that the group was told; None before the first.
        is_paid: A payment for the next period has succeeded.
        held: What did not work and waits for its next attempt, or for a person.
    """

    id: UUID
    group_id: UUID
    period: int
    status: Status
    ends_on: date
    auto_renew: bool
    grace_until: date | None
    told: int | None
    is_paid: bool
    held: frozenset[Action] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to be done for a subscription.

    Attributes:
        days_before: The mark of a notice.
    """

    subscription: Subscription
    action: Action
    days_before: int | None = None


def nearest_mark(days_left: int) -> int | None:
    """The mark that holds with so many days left; None before the first.

    A mark that was missed is made up for until the next one takes its place.
    """
    return min((mark for mark in MARKS if mark >= days_left), default=None)


def must_be_charged(subscription: Subscription, today: date) -> bool:
    """Whether the next step depends on what the group's means of payment says.

    In grace it is asked again, once more before a suspension too; a suspended group pays by hand.
    """
    return (
        subscription.ends_on <= today
        and subscription.auto_renew
        and not subscription.is_paid
        and subscription.status != "suspended"
        and "renew" not in subscription.held
    )


def next_step(
    subscription: Subscription, today: date, *, grace_days: int, charged: Charged | None
) -> Step | None:
    """The next thing to be done, or None.

    Args:
        charged: What asking for the money came to; None when it was not asked for.
    """
    found = _due(subscription, today, grace_days, charged)
    return None if found is None or found.action in subscription.held else found


def _due(
    subscription: Subscription, today: date, grace_days: int, charged: Charged | None
) -> Step | None:
    days_left = (subscription.ends_on - today).days
    if days_left > 0:
        return _notice(subscription, days_left)
    if subscription.is_paid or charged in ("succeeded", "nothing_due"):
        return Step(subscription, "renew")
    if "renew" in subscription.held:
        return None  # nobody is cut off over an error of ours
    if subscription.status == "active":
        # an answer that takes a while costs nobody anything on the day itself
        waits = charged == "pending" and days_left == 0
        return None if waits else Step(subscription, "grace")
    if subscription.status == "grace" and today > _last_day_of_grace(subscription, grace_days):
        return Step(subscription, "suspend")
    return None


def _notice(subscription: Subscription, days_left: int) -> Step | None:
    mark = nearest_mark(days_left)
    if subscription.status != "active" or mark is None:
        return None
    is_news = subscription.told is None or subscription.told > mark
    return Step(subscription, "notice", mark) if is_news else None


def _last_day_of_grace(subscription: Subscription, grace_days: int) -> date:
    return subscription.grace_until or subscription.ends_on + timedelta(days=grace_days)
