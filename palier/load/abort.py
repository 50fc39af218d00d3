"""Watching lines go by for a state in which a run is to be stopped.

Pure: lines in, the broken rule out, and no clock but that of the lines. What is counted is what
became known in the window: requests that ended, requests that were given up, and, for a response
time, requests in flight that are older than the limit already. A system that answers nothing
leaves no sample, and is still seen.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from palier.load.histogram import bucket_bounds_us
from palier.load.outcome import OUTCOMES
from palier.load.tail import Line
from palier.model.abort import AbortRule
from palier.model.plan import RunPlan

FEWEST_BAD: Final = 5
"""Requests that must have missed the limit. In a window of few requests two can be more than the
5 % that p95 allows, and two are an accident."""

STALE_S: Final = 2.5
"""A loader that has reported nothing for so long is lost or stopped. What it has in flight then
says nothing about the system."""

_ROUNDING_S: Final = 0.25
"""Lines come a little after the half second they are about."""

_ENDED: Final = frozenset(OUTCOMES)
_WRONG: Final = frozenset(
    {"failed", "timed_out", "abandoned", "skipped_no_free_session", "skipped_end_of_run"}
)
"""Errors that happened by themselves: a step that could not follow one is the same event."""

_UNANSWERED: Final = frozenset({"timed_out", "abandoned", "skipped"})
"""Outcomes that are slower than any limit: nobody got an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A rule that stops the run.

    Attributes:
        rule: The rule.
        at_s: When its state had lasted long enough, in seconds from the start of the run.
        since_s: When it was seen first.
        bad: Requests of the last window that missed the limit, or went wrong.
        of: Requests of that window.
        waiting: Those of ``bad`` that are in flight and older than the limit.
    """

    rule: AbortRule
    at_s: float
    since_s: float
    bad: int
    of: int
    waiting: int = 0

    @property
    def sentence(self) -> str:
        """The rule and the numbers that broke it."""
        rule = self.rule
        if rule.percentile is None:
            missed = "got no right answer"
        else:
            missed = f"took longer than {rule.limit:g} {rule.unit}"
            if self.waiting:
                missed += f" or were still waiting after it ({self.waiting:,})"
        since = f", as since {self.since_s:.0f} s" if rule.for_s else ""
        return (
            f"abort rule {rule.id} ({rule.state}) was met at {self.at_s:.0f} s: {self.bad:,} of "
            f"{self.of:,} requests ({self.bad / self.of:.0%}) {missed}{since}"
        )


class AbortWatch:
    """The abort rules of a plan, fed with the lines of all loaders.

    Args:
        plan: The plan; its window is where rules are judged, the drain is not.
    """

    def __init__(self, plan: RunPlan) -> None:
        self._rules = [
            _Watched(rule, after_s=plan.warmup_s if rule.after_s is None else rule.after_s)
            for rule in plan.aborts
        ]
        self._in_flight = _InFlight()
        self._until_s = plan.duration_s
        self._latest_s = -math.inf

    def add(self, line: Line) -> None:
        """A loader has written a line."""
        self._latest_s = max(self._latest_s, line["at_s"])
        if self._rules:
            self._in_flight.add(line)
        for watched in self._rules:
            watched.add(line)

    def breach(self) -> Breach | None:
        """The first rule whose state has lasted long enough, as of the newest line."""
        if self._latest_s > self._until_s:
            return None
        found = [one.judge(self._latest_s, self._in_flight) for one in self._rules]
        return next((breach for breach in found if breach is not None), None)


class _Watched:
    """One rule with its window."""

    def __init__(self, rule: AbortRule, *, after_s: float) -> None:
        self._rule = rule
        self._after_s = after_s
        self._learned: deque[tuple[float, int, int]] = deque()
        """For each line: when, requests that are bad, requests in all."""
        self._since_s: float | None = None
        self._shown_s = -math.inf

    def add(self, line: Line) -> None:
        if self._rule.percentile is None:
            bad, of = self._errors(line)
        else:
            bad, of = self._slow(line)
        if of:
            self._learned.append((line["at_s"], bad, of))

    def judge(self, now_s: float, in_flight: _InFlight) -> Breach | None:
        rule = self._rule
        while self._learned and self._learned[0][0] <= now_s - rule.over_s + _ROUNDING_S:
            self._learned.popleft()
        if now_s + _ROUNDING_S < self._after_s + rule.over_s:
            return None
        waiting = 0
        if rule.percentile is not None:
            waiting = in_flight.older_than(
                rule.limit_s, now_s=now_s, after_s=self._after_s, operation=rule.operation
            )
        bad = waiting + sum(bad for _, bad, _ in self._learned)
        of = waiting + sum(of for _, _, of in self._learned)
        if not self._holds(bad, of):
            # Too little to tell is not the end of a bad state, unless it lasts.
            if of >= FEWEST_BAD or now_s - self._shown_s > rule.over_s:
                self._since_s = None
            return None
        self._shown_s = now_s
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s < rule.for_s - _ROUNDING_S:
            return None
        return Breach(rule=rule, at_s=now_s, since_s=self._since_s, bad=bad, of=of, waiting=waiting)

    def _holds(self, bad: int, of: int) -> bool:
        if bad < FEWEST_BAD:
            return False
        tolerated = round(self._rule.tolerated * of, 6)
        if self._rule.percentile is not None:
            # The value of rank ceil(p n) is beyond the limit.
            return bad > math.floor(tolerated)
        return bad > tolerated or (self._rule.comparator == ">=" and bad >= tolerated)

    def _errors(self, line: Line) -> tuple[int, int]:
        bad = right = 0
        for second, operation, counts in line["ledger"]:
            if second >= self._after_s and self._is_about(operation):
                bad += _sum(counts, _WRONG)
                right += counts.get("succeeded", 0)
        return bad, bad + right

    def _slow(self, line: Line) -> tuple[int, int]:
        """Of the requests whose answer somebody waited for; an error page is no fast answer."""
        bad = of = 0
        for second, operation, outcome, clock, buckets in line["histograms"]:
            if clock != "response" or outcome == "failed" or second < self._after_s:
                continue
            if self._is_about(operation):
                count = sum(buckets.values())
                of += count
                bad += count if outcome in _UNANSWERED else self._beyond(buckets)
        return bad, of

    def _beyond(self, buckets: Mapping[str, int]) -> int:
        limit_us = self._rule.limit_s * 1e6
        return sum(count for bucket, count in buckets.items() if self._misses(bucket, limit_us))

    def _misses(self, bucket: str | int, limit_us: float) -> bool:
        low_us, next_us = bucket_bounds_us(int(bucket))
        middle_us = (low_us + next_us - 1) / 2
        return middle_us >= limit_us if self._rule.comparator == ">=" else middle_us > limit_us

    def _is_about(self, operation: str) -> bool:
        return self._rule.operation in (None, operation)


class _InFlight:
    """How long requests have been in flight, at least.

    A request is as old as the line that told of its start. Which request an end belongs to is not
    told; it is taken from the oldest, so the ages of the rest are never overstated.
    """

    def __init__(self) -> None:
        self._started: defaultdict[tuple[int, str], deque[list[float]]] = defaultdict(deque)
        """By loader and operation: [when it was told, how many], oldest first."""
        self._heard_s: dict[int, float] = {}

    def add(self, line: Line) -> None:
        worker, at_s = line["worker"], line["at_s"]
        self._heard_s[worker] = at_s
        moved: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        for _, operation, counts in line["ledger"]:
            moved[operation][0] += counts.get("started", 0)
            moved[operation][1] += _sum(counts, _ENDED)
        for operation, (started, ended) in moved.items():
            cohorts = self._started[worker, operation]
            if started:
                cohorts.append([at_s, started])
            while ended and cohorts:
                oldest = cohorts[0]
                gone = min(ended, oldest[1])
                oldest[1] -= gone
                ended -= int(gone)
                if not oldest[1]:
                    cohorts.popleft()

    def older_than(
        self, age_s: float, *, now_s: float, after_s: float, operation: str | None
    ) -> int:
        """Requests that were told of after ``after_s`` and have been in flight for longer."""
        return sum(
            int(count)
            for (worker, name), cohorts in self._started.items()
            if operation in (None, name) and now_s - self._heard_s[worker] < STALE_S
            for told_s, count in cohorts
            if told_s > after_s and now_s - told_s > age_s
        )


def _sum(counts: Mapping[str, int], names: Iterable[str]) -> int:
    return sum(counts.get(name, 0) for name in names)
