"""What a run looks like while it runs."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from palier.load.histogram import bucket_middles_s
from palier.load.ledger import Key
from palier.load.outcome import OUTCOMES
from palier.load.recorder import LINE_EVERY_S
from palier.load.tail import Line

RECENT_S: Final = 5
"""Rates and percentiles on the screen are about the last seconds: long enough not to flicker."""

OVERDUE_S: Final = 1.5
"""Lines come twice a second. Until one is overdue, the picture is that of the last line: what was
offered and what was sent must be about the same seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a run.

    Attributes:
        at_s: Seconds since the start of the window; above ``duration_s`` while draining.
        duration_s: Planned window.
        offered_per_s: Planned requests a second, recently.
        achieved_per_s: Started requests a second, recently.
        p95_s: Response time, recently, from the intended start; None when nothing ended. Where
            requests timed out it is a lower bound.
        errors: Failed, timed out, abandoned and skipped requests so far.
        in_flight: Requests started and not ended.
        planned_so_far: Requests planned up to now.
        planned: Requests planned in the whole run.
    """

    at_s: float
    duration_s: float
    offered_per_s: float
    achieved_per_s: float
    p95_s: float | None
    errors: int
    in_flight: int
    planned_so_far: int
    planned: int


class ProgressMeter:
    """Watches lines go by.

    Args:
        planned: Planned requests, from ``Schedule.planned_counts``.
        duration_s: Planned window.
    """

    def __init__(self, planned: Mapping[Key, int], *, duration_s: float) -> None:
        per_second = np.zeros(int(duration_s) + 2, dtype=np.int64)
        for (second, _), count in planned.items():
            per_second[second] += count
        self._planned_upto = np.concatenate([[0], np.cumsum(per_second)])
        self._duration_s = duration_s
        self._recent: deque[Line] = deque()
        self._latest_s = 0.0
        self._errors = 0
        self._in_flight: dict[int, int] = {}

    def add(self, line: Line) -> None:
        """A loader has written a line."""
        self._recent.append(line)
        self._latest_s = max(self._latest_s, line["at_s"])
        self._in_flight[line["worker"]] = line["health"]["in_flight"]
        for _, _, counts in line["ledger"]:
            for name, count in counts.items():
                if name not in ("started", "succeeded", "skipped_user_busy"):
                    self._errors += count

    def at(self, at_s: float) -> Progress:
        """The picture ``at_s`` seconds after the start."""
        until_s = self._latest_s if at_s - self._latest_s < OVERDUE_S else at_s
        # A line is about the time since the one before it.
        while self._recent and self._recent[0]["at_s"] < until_s - RECENT_S + LINE_EVERY_S / 2:
            self._recent.popleft()
        over_s = max(1.0, min(until_s, RECENT_S))
        started = sum(
            counts.get("started", 0) for line in self._recent for _, _, counts in line["ledger"]
        )
        offered = self._planned_before(until_s) - self._planned_before(until_s - over_s)
        return Progress(
            at_s=at_s,
            duration_s=self._duration_s,
            offered_per_s=offered / over_s,
            achieved_per_s=started / over_s,
            p95_s=self._p95_s(),
            errors=self._errors,
            in_flight=sum(self._in_flight.values()),
            planned_so_far=self._planned_before(at_s),
            planned=int(self._planned_upto[-1]),
        )

    def _planned_before(self, at_s: float) -> int:
        whole = min(max(int(at_s), 0), len(self._planned_upto) - 1)
        return int(self._planned_upto[whole])

    def _p95_s(self) -> float | None:
        counts: Counter[int] = Counter()
        for line in self._recent:
            for _, _, outcome, clock, buckets in line["histograms"]:
                if clock == "response" and outcome in OUTCOMES and outcome != "failed":
                    for bucket, count in buckets.items():
                        counts[int(bucket)] += count
        if not counts:
            return None
        buckets = np.array(sorted(counts), dtype=np.int64)
        upto = np.cumsum([counts[int(bucket)] for bucket in buckets])
        at = int(np.searchsorted(upto, 0.95 * upto[-1]))
        return float(bucket_middles_s(buckets[at : at + 1])[0])
