"""What should have been done by now and is not (B-165, B-167)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from reference_app.upkeep.ages import months_before
from reference_app.upkeep.backup_log import Entry

GRACE = timedelta(days=1)
"""A backup that takes an hour longer than the last one is not late."""

INTERVAL = timedelta(days=7)
"""T-152"""

REHEARSAL_MONTHS = 1
"""T-155"""


def overdue(log: Sequence[Entry], now: datetime) -> tuple[str, ...]:
    """Sentences for whoever is to do something; none when all is well.

    Args:
        log: Every copy of every backup.
        now: In UTC.
    """
    problems = []
    made = max((entry.date for entry in log), default=None)
    if made is None or made < now - INTERVAL - GRACE:
        problems.append(f"the newest backup is {_when(made)}; one a week is due")
    tested = max((e.tested_at for e in log if e.ok and e.tested_at), default=None)
    if tested is None or tested < months_before(now, REHEARSAL_MONTHS) - GRACE:
        problems.append(f"the last good rehearsal is {_when(tested)}; one a month is due")
    last_test: dict[str, tuple[datetime, Entry]] = {}
    for entry in log:
        if entry.tested_at is not None:
            earlier = last_test.get(entry.storage)
            if earlier is None or earlier[0] < entry.tested_at:
                last_test[entry.storage] = (entry.tested_at, entry)
    problems += [
        f"{storage}: the backup that was tested last, {_when(entry.date)}, could not be used"
        for storage, (_, entry) in sorted(last_test.items())
        if not entry.ok
    ]
    return tuple(problems)


def _when(moment: datetime | None) -> str:
    return "missing" if moment is None else f"of {moment:%Y-%m-%d %H:%M} UTC"
