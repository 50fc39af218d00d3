"""How much one tenant of a schedule asks for: a service may refuse who asks too often."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Final

from palier.load.chance import MICROSECONDS
from palier.load.schedule import Schedule

OWNERS_LIMIT_PER_MIN: Final = 100
"""B-146: what the reference application allows one owner."""

ROOM: Final = 0.8
"""Of the limit. While the system stands still requests wait, and then they come together."""

_MINUTE_US: Final = 60 * MICROSECONDS


def busiest_tenant_per_min(schedule: Schedule) -> int:
    """Most requests that one tenant plans in any sixty seconds; 0 without requests."""
    times_us: dict[int, list[int]] = defaultdict(list)
    for session in schedule.sessions:
        times_us[session.tenant].extend(session.nominal_us())
    return max((_most_in_a_minute(sorted(times)) for times in times_us.values()), default=0)


def limits_owners(schedule: Schedule) -> bool:
    """True when no tenant of the schedule comes near the limit of one owner.

    Tenants are drawn with skew, and in a short run of a large tier the first of them stands for
    many people. Refusing those would measure the model of the load, not the system.
    """
    return busiest_tenant_per_min(schedule) <= ROOM * OWNERS_LIMIT_PER_MIN


def _most_in_a_minute(times_us: list[int]) -> int:
    most = 0
    window: deque[int] = deque()
    for at_us in times_us:
        window.append(at_us)
        while window[0] <= at_us - _MINUTE_US:
            window.popleft()
        most = max(most, len(window))
    return most
