"""The schedule: every request of a run, decided before the first one is sent.

A pure function of the plan. The same plan gives the same sessions, in the same order, with the
same digest, whatever the machine and the number of workers: times are whole microseconds, each
stream of chance has a generator of its own, and only ``random()`` of the standard library is
used, whose sequence Python promises to keep.

Why sessions are in progress when the window opens: docs/decisions/0001-arrival-model.md.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from palier.load.chance import (
    MICROSECONDS,
    THINK_LIMIT,
    Picker,
    arrival_gaps_us,
    stream,
    tenant_weights,
    think_us,
)
from palier.model.journey import Journey
from palier.model.plan import RunPlan

RATE_TOLERANCE: Final = 0.01
"""As much as a run may fall short before it is invalid (measurement rule 6)."""

REDRAWS: Final = 200
"""With a spread of 35 %, that of seven sessions, one draw in fifty is within the tolerance."""

REDRAWN_STEPS: Final = 400_000
"""Bounds the work to a second or so: a schedule of many steps is near its rate at once."""


@dataclass(frozen=True, slots=True)
class Session:
    """One visitor's way through a journey, as far as it lies inside the window.

    Attributes:
        index: Place in the schedule, from 0; worker ``index % workers`` plays it.
        at_us: When its first planned step is wanted, in microseconds from t0.
        journey: Id of the journey.
        tenant: Whose data it works with, from 0; small numbers are picked more often.
        first_step: Steps of the journey before this one lie before t0; 0 for a session that
            arrives inside the window.
        pauses_us: Pause before each planned step, the first 0; a step is wanted that long after
            the one before it ended.
    """

    index: int
    at_us: int
    journey: str
    tenant: int
    first_step: int
    pauses_us: tuple[int, ...]

    def nominal_us(self) -> Iterator[int]:
        """When each planned step would be wanted if every request took no time."""
        at_us = self.at_us
        for pause_us in self.pauses_us:
            at_us += pause_us
            yield at_us


@dataclass(frozen=True, slots=True)
class Schedule:
    """All sessions of a run in the order of their first planned step.

    Attributes:
        window_us: Length of the planned window, in microseconds.
        sessions: Every session with at least one step inside it.
        steps: Operations of each journey by its id.
        digest: SHA-256 of all of it, in hex.
    """

    window_us: int
    sessions: tuple[Session, ...]
    steps: Mapping[str, tuple[str, ...]]
    digest: str

    def for_worker(self, worker: int, workers: int) -> tuple[Session, ...]:
        """The sessions worker ``worker`` of ``workers`` plays: every ``workers``-th."""
        return tuple(s for s in self.sessions if s.index % workers == worker)

    def operations(self, session: Session) -> tuple[str, ...]:
        """The operations of a session's planned steps."""
        last = session.first_step + len(session.pauses_us)
        return self.steps[session.journey][session.first_step : last]

    def planned_counts(self) -> dict[tuple[int, str], int]:
        """Planned requests by second and operation."""
        counts: Counter[tuple[int, str]] = Counter()
        for session in self.sessions:
            for at_us, operation in zip(
                session.nominal_us(), self.operations(session), strict=True
            ):
                counts[at_us // MICROSECONDS, operation] += 1
        return dict(counts)

    def offered_per_s(self, from_s: float = 0.0) -> float:
        """Planned requests a second from ``from_s`` to the end of the window."""
        planned = sum(
            at_us >= from_s * MICROSECONDS
            for session in self.sessions
            for at_us in session.nominal_us()
        )
        return planned / (self.window_us / MICROSECONDS - from_s)


def make_schedule(plan: RunPlan) -> Schedule:
    """Draw the sessions of a run.

    Drawn again, up to ``REDRAWS`` times, until the requests of the judged window are within
    ``RATE_TOLERANCE`` of the planned number; else the nearest is taken. Few sessions would
    otherwise miss it by a fifth, and the run would judge another load than it says.
    """
    judged_s = plan.duration_s - plan.warmup_s
    wanted = plan.requests_per_s * judged_s
    # Half a request is as near as whole ones can come.
    tolerance = max(RATE_TOLERANCE * wanted, 0.5)
    work = plan.requests_per_s * (plan.duration_s + _longest_us(plan) / MICROSECONDS)
    nearest: tuple[float, Schedule] | None = None
    for attempt in range(max(1, min(REDRAWS, int(REDRAWN_STEPS / max(work, 1.0))))):
        drawn = _draw(plan, attempt)
        miss = abs(drawn.offered_per_s(plan.warmup_s) * judged_s - wanted)
        if nearest is None or miss < nearest[0]:
            nearest = miss, drawn
        if miss <= tolerance:
            break
    assert nearest is not None  # at least one attempt was made
    return nearest[1]


def _draw(plan: RunPlan, attempt: int) -> Schedule:
    """One draw.

    Arrivals are drawn from so long before t0 that nobody who arrived earlier could still be
    there; who is gone by t0 is dropped, who is not is in progress. The window therefore opens in
    the steady state: requests come at the planned rate and in the planned mix from the first
    second on.
    """
    window_us = round(plan.duration_s * MICROSECONDS)
    pick_journey = Picker([round(j.weight * MICROSECONDS) for j in plan.journeys])
    pick_tenant = Picker(
        tenant_weights(plan.tier.data.tenants, at_most=_busiest_share(plan)),
    )
    arrivals, kinds, tenants, pauses = (
        stream(plan.seed, f"{name}/{attempt}")
        for name in ("arrivals", "journeys", "tenants", "pauses")
    )
    drawn: list[Session] = []
    at_us = -_longest_us(plan)
    for gap_us in arrival_gaps_us(plan.profile.arrivals, plan.sessions_per_s, arrivals):
        at_us += gap_us
        if at_us >= window_us:
            break
        journey = plan.journeys[pick_journey(kinds)]
        tenant = pick_tenant(tenants)
        waits_us = [think_us(step.think_s, pauses) for step in journey.steps]
        session = _inside_window(at_us, waits_us, window_us, journey, tenant)
        if session is not None:
            drawn.append(session)
    # A stable sort: of two that start in the same microsecond the earlier arrival comes first.
    drawn.sort(key=lambda session: session.at_us)
    sessions = tuple(replace(session, index=index) for index, session in enumerate(drawn))
    steps = {j.id: tuple(step.operation for step in j.steps) for j in plan.journeys}
    return Schedule(
        window_us=window_us,
        sessions=sessions,
        steps=steps,
        digest=_digest(window_us, sessions, steps),
    )


def _busiest_share(plan: RunPlan) -> float:
    """Share of the load that one tenant may have: that of users who are all active all the time.

    Skewed without bounds, a big load would have one owner ask faster than a person can, and a
    limit of requests for each user would refuse what no user does (B-146).
    """
    load = plan.tier.load
    active = plan.requests_per_s * 60 / load.pace_per_min if load.pace_per_min > 0 else 1.0
    return load.users / (plan.tier.data.tenants * active)


def _longest_us(plan: RunPlan) -> int:
    """Longest a session can take if every request takes no time."""
    return round(max(j.think_s for j in plan.journeys) * THINK_LIMIT * MICROSECONDS)


def _inside_window(
    arrival_us: int, waits_us: list[int], window_us: int, journey: Journey, tenant: int
) -> Session | None:
    """The steps of a visit that lie in [0, window); None when none does."""
    nominal: list[int] = []
    at_us = arrival_us
    for wait_us in waits_us:
        at_us += wait_us
        nominal.append(at_us)
    first = next((k for k, t in enumerate(nominal) if t >= 0), len(nominal))
    inside = [t for t in nominal[first:] if t < window_us]
    if not inside:
        return None
    return Session(
        index=0,  # known when all are sorted
        at_us=inside[0],
        journey=journey.id,
        tenant=tenant,
        first_step=first,
        pauses_us=(0, *(waits_us[first + 1 : first + len(inside)])),
    )


def _digest(
    window_us: int, sessions: tuple[Session, ...], steps: Mapping[str, tuple[str, ...]]
) -> str:
    """SHA-256 of the schedule as bytes: JSON of window and journeys, then little-endian integers
    for each session, so that it can be recomputed in any language."""
    numbers = {journey: number for number, journey in enumerate(steps)}
    head = json.dumps([window_us, list(steps.items())], separators=(",", ":"))
    digest = hashlib.sha256(head.encode())
    for s in sessions:
        count = len(s.pauses_us)
        digest.update(
            struct.pack(
                f"<6q{count}q",
                s.index,
                s.at_us,
                numbers[s.journey],
                s.tenant,
                s.first_step,
                count,
                *s.pauses_us,
            )
        )
    return digest.hexdigest()
