"""Whose turn is when: cycles of two hours, and a minute of the cycle for each user.

All instants are aware and in UTC, so no hour is skipped or doubled in spring and autumn.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

CYCLE = timedelta(hours=2)
SLOTS = 120
"""Minutes of a cycle, 0 to 119 (B-137)."""

FRESH_FOR = CYCLE / 2
"""A gîte that was synchronised this shortly before its turn is left out.

Not the whole cycle (B-132): a task ends some seconds after its turn, so at the next one it would
never be two hours old, and every gîte would be synchronised every four hours.
"""


def cycle_start(now: datetime) -> datetime:
    """The even hour ``now`` lies behind (B-132)."""
    return now.replace(hour=now.hour - now.hour % 2, minute=0, second=0, microsecond=0)


def slot_of(user_id: UUID) -> int:
    """The minute of the cycle at which a user's gîtes are synchronised (B-137)."""
    return sum(map(ord, str(user_id))) % SLOTS


def next_run(now: datetime, slot: int) -> datetime:
    """The first instant after ``now`` that is this minute of a cycle (B-138).

    Counted from the cycle that runs, also in its second hour: counted from the next even hour, a
    slot of 60 or more that is still to come would be skipped (B-139).
    """
    run = cycle_start(now) + timedelta(minutes=slot)
    return run if run > now else run + CYCLE


def is_due(last_synced_at: datetime | None, run: datetime) -> bool:
    """Whether a gîte takes its turn at ``run`` (B-132)."""
    return last_synced_at is None or last_synced_at <= run - FRESH_FOR
