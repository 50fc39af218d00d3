"""Subscriptions of school groups: which of them end soon, are in grace, are suspended.

A run's day is the anchor. On it there is something to do for the automation of every kind (B-40 to
B-43), and each day after it: of 25 groups that follow one another, twelve stand where the table
below puts them, the others somewhere in their period. The examples of D-03 are never among the
twelve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from seed.clock import Clock
from seed.owners import MINUTES_A_DAY

CYCLE_DAYS: Final = {"monthly": 30, "quarterly": 91, "yearly": 365}

GRACE_DAYS: Final = 7
"""As the application's default (B-41)."""

STAGED_OF: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a subscription stands on the anchor.

    Attributes:
        ends_in_days: From the anchor to the first day that is not paid for.
        renews: Whether it renews itself.
    """

    ends_in_days: int
    status: Literal["active", "grace", "suspended"] = "active"
    renews: bool = True


_STAGED: Final = {
    3: Standing(ends_in_days=30),
    4: Standing(ends_in_days=15),
    5: Standing(ends_in_days=7),
    6: Standing(ends_in_days=3),
    7: Standing(ends_in_days=1),
    8: Standing(ends_in_days=0),
    9: Standing(ends_in_days=0, renews=False),
    10: Standing(ends_in_days=-3, status="grace", renews=False),
    11: Standing(ends_in_days=-GRACE_DAYS - 1, status="grace", renews=False),
    12: Standing(ends_in_days=-20, status="suspended", renews=False),
    13: Standing(ends_in_days=2),
    14: Standing(ends_in_days=16),
}
"""By the group's number modulo ``STAGED_OF``: a notice of each kind is due today, one renews today,
one begins its grace, one is in it, one is to be suspended, one is, and two are told tomorrow."""


def standing(group: int, cycle: str, running_days: int) -> Standing:
    """Where the subscription of a group stands.

    Args:
        group: Number of the group.
        cycle: Key of ``CYCLE_DAYS``.
        running_days: Days since its period began, for those that stand nowhere in particular.
    """
    return _STAGED.get(group % STAGED_OF) or Standing(ends_in_days=CYCLE_DAYS[cycle] - running_days)


def subscription_values(clock: Clock, cycle: str, stands: Standing) -> dict[str, object]:
    """Columns that follow from where it stands."""
    ends = stands.ends_in_days
    began = ends - CYCLE_DAYS[cycle]
    suspended = stands.status == "suspended"
    return {
        "status": stands.status,
        "starts_on": clock.day(began),
        "ends_on": clock.day(ends),
        "updated_at": clock.minute(min(began, -1) * MINUTES_A_DAY),
        "auto_renew": "t" if stands.renews else "f",
        "grace_until": clock.day(ends + GRACE_DAYS) if stands.status == "grace" else None,
        "suspended_at": (
            clock.minute((ends + GRACE_DAYS + 1) * MINUTES_A_DAY) if suspended else None
        ),
    }
