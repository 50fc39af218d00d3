"""What the notes of a run's listeners come to."""

from __future__ import annotations

import math
from collections.abc import Iterable

from palier.analysis.facts import Fact
from palier.listeners.notes import Began, Lost, Note, Received

QUANTILE = 0.99


def listener_facts(notes: Iterable[Note], *, from_us: int, to_us: int) -> tuple[Fact, ...]:
    """How long plan changes took, and how large they were; nothing when there were none.

    A change that came late because its line had to be opened again is late all the same: nobody but
    the service ends a line.

    Args:
        notes: Of one run.
        from_us: Start of the judged window; of the commits, so that no late receipt is left out.
        to_us: Its end.
    """
    delays_s: list[float] = []
    largest = listeners = lost = 0
    for note in notes:
        if isinstance(note, Received) and from_us <= note.committed_us < to_us:
            delays_s.append(note.delay_s)
            largest = max(largest, note.size)
        elif isinstance(note, Began):
            listeners = note.listeners
        elif isinstance(note, Lost):
            lost += 1
    if not delays_s:
        return ()
    delays_s.sort()
    seen = f"{len(delays_s):,} receipts by {listeners:,} listeners"
    return (
        Fact(
            name="plan_change_propagation_p99",
            value=_quantile(delays_s, QUANTILE),
            unit="s",
            how=f"{seen}; half within {_quantile(delays_s, 0.5) * 1000:.1f} ms, the last after "
            f"{delays_s[-1] * 1000:.1f} ms; {lost:,} lines lost and opened again",
        ),
        Fact(
            name="notification_bytes_max",
            value=float(largest),
            unit="B",
            how=f"the largest of {len(delays_s):,} messages",
        ),
    )


def _quantile(ordered: list[float], quantile: float) -> float:
    """The smallest value that is not below that share of them: it was measured, not made up."""
    return ordered[max(0, math.ceil(quantile * len(ordered)) - 1)]
