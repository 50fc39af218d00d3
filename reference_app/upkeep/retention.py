"""Which backups are kept (B-166): daily 7 days, weekly 1 month, monthly 12 months, yearly for ever.

Of each day, week, month and year the newest backup stands for it: the state at its end. A week is
that of ISO 8601, whose last evening is the Sunday on which the sources back up (T-152).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reference_app.upkeep.ages import months_before


@dataclass(frozen=True, slots=True)
class Rule:
    """One class of copies.

    Attributes:
        period: What a backup would stand for.
        since: Oldest instant that is kept, seen from now.
    """

    period: Callable[[datetime], Hashable]
    since: Callable[[datetime], datetime]


RULES = (
    Rule(lambda at: at.date(), lambda now: now - timedelta(days=7)),
    Rule(lambda at: at.isocalendar()[:2], lambda now: months_before(now, 1)),
    Rule(lambda at: (at.year, at.month), lambda now: months_before(now, 12)),
    Rule(lambda at: at.year, lambda _: datetime.min.replace(tzinfo=UTC)),
)


def kept(instants: Iterable[datetime], now: datetime) -> frozenset[datetime]:
    """The backups that stay, by when they were made.

    Deleting the others and asking again later gives the same as asking later alone. A backup from
    the future stays and stands for nothing: a clock was wrong, and a person has to look at it.

    Args:
        instants: When each backup was made, in UTC.
        now: In UTC.
    """
    every = frozenset(instants)
    past = sorted(at for at in every if at <= now)
    stay = set(every.difference(past))
    for rule in RULES:
        newest = {rule.period(at): at for at in past}  # the last one wins
        stay.update(at for at in newest.values() if at >= rule.since(now))
    return frozenset(stay)
