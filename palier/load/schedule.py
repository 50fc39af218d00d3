"""The schedule: every request of a run, decided before the first one is sent.

A pure function of the plan. The same plan gives the same sessions, in the same order, with the
same digest, whatever the machine and the number of workers: times are whole microseconds, each
stream of chance has a generator of its own, and only ``random()`` of the standard library is
used, whose sequence Python promises to keep.

Why sessions are in progress when the window opens: docs/decisions/0001-arrival-model.md.
How a rate that moves and users of a closed load are planned: docs/decisions/0060-shapes-of-load.md.
"""

from __future__ import annotations

import hashlib
import json
import sys
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter
from typing import Any, Final

from palier.load.arrivals import arrivals_us, longest_us
from palier.load.chance import MICROSECONDS, Picker, stream, tenant_weights, think_us
from palier.load.expected import expected_requests
from palier.load.looping import users_of
from palier.load.session import Session, Stay
from palier.model.journey import Journey
from palier.model.plan import RunPlan

RATE_TOLERANCE: Final = 0.01
"""As much as a run may fall short before it is invalid (measurement rule 6)."""

REDRAWS: Final = 200
"""With a spread of 35 %, that of seven sessions, one draw in fifty is within the tolerance."""

REDRAWN_STEPS: Final = 400_000
"""Bounds the work to a second or so: a schedule of many steps is near its rate at once."""

_DIGEST_CHUNK: Final = 100_000
"""Integers that are hashed at once: under a megabyte, and few calls."""

_AT_US: Final = attrgetter("at_us")
_NO_PAUSE: Final = (0,)
"""Shared by all sessions of one step."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """All sessions of a run in the order of their first planned step.

    Attributes:
        window_us: Length of the planned window, in microseconds.
        sessions: Every session with at least one step inside it.
        steps: Operations of each journey by its id.
        digest: SHA-256 of all of it, in hex.
        again_from: Step at which the users of a closed load go on after the last one of their
            journey; None for visitors, who leave then.
    """

    window_us: int
    sessions: tuple[Session, ...]
    steps: Mapping[str, tuple[str, ...]]
    digest: str
    again_from: int | None = None

    def for_worker(self, worker: int, workers: int) -> tuple[Session, ...]:
        """The sessions worker ``worker`` of ``workers`` plays: every ``workers``-th."""
        return self.sessions[worker::workers]

    def operations(self, session: Session) -> tuple[str, ...]:
        """The operations of a session's planned steps."""
        names = self.steps[session.journey]
        if session.first_step == 0 and len(session.pauses_us) == len(names):
            return names
        first, last = session.first_step, session.first_step + len(session.pauses_us)
        if self.again_from is None or last <= len(names):
            return names[first:last]
        again = names[self.again_from :]
        rounds = -(-(last - len(names)) // len(again))
        return (names[first:] + again * rounds)[: last - first]

    def loop_of(self, session: Session) -> int | None:
        """Steps of one time around for a user of a closed load; None for a visitor."""
        if self.again_from is None:
            return None
        return len(self.steps[session.journey]) - self.again_from

    def planned_counts(self) -> dict[tuple[int, str], int]:
        """Planned requests by second and operation."""
        counts: Counter[tuple[int, str]] = Counter()
        for session in self.sessions:
            operations = self.operations(session)
            if len(operations) == 1:
                counts[session.at_us // MICROSECONDS, operations[0]] += 1
                continue
            for at_us, operation in zip(session.nominal_us(), operations, strict=True):
                counts[at_us // MICROSECONDS, operation] += 1
        return dict(counts)

    def offered_per_s(self, from_s: float = 0.0) -> float:
        """Planned requests a second from ``from_s`` to the end of the window."""
        from_us = from_s * MICROSECONDS
        planned = 0
        for session in self.sessions:
            if session.at_us >= from_us:
                planned += len(session.pauses_us)
            else:
                planned += sum(at_us >= from_us for at_us in session.nominal_us())
        return planned / (self.window_us / MICROSECONDS - from_s)


def make_schedule(plan: RunPlan) -> Schedule:
    """The sessions of a run.

    Open ones are drawn again, up to ``REDRAWS`` times, until the requests of the judged window
    are within ``RATE_TOLERANCE`` of the planned number; else the nearest is taken. Few sessions
    would otherwise miss it by a fifth, and the run would judge another load than it says. Users
    of a loop and the instants of a trace are not chance.
    """
    if plan.loop is not None:
        return _schedule(plan, users_of(plan), again_from=plan.loop.once)
    judged_s = plan.duration_s - plan.warmup_s
    if plan.is_steady:
        wanted = plan.requests_per_s * plan.curve.peak * judged_s
    else:
        expected = expected_requests(plan, from_s=plan.warmup_s, to_s=plan.duration_s)
        wanted = sum(expected.values())
    # Half a request is as near as whole ones can come.
    tolerance = max(RATE_TOLERANCE * wanted, 0.5)
    drawn_s = plan.duration_s + longest_us(plan) / MICROSECONDS
    work = plan.requests_per_s * plan.curve.peak * drawn_s
    attempts = max(1, min(REDRAWS, int(REDRAWN_STEPS / max(work, 1.0))))
    nearest: tuple[float, Schedule] | None = None
    for attempt in range(1 if plan.arrivals_us else attempts):
        drawn = _schedule(plan, _draw(plan, attempt))
        miss = abs(drawn.offered_per_s(plan.warmup_s) * judged_s - wanted)
        if nearest is None or miss < nearest[0]:
            nearest = miss, drawn
        if miss <= tolerance:
            break
    assert nearest is not None  # at least one attempt was made
    return nearest[1]


def _draw(plan: RunPlan, attempt: int) -> list[Stay]:
    """One draw, in the order of arrival.

    Arrivals are drawn from so long before t0 that nobody who arrived earlier could still be
    there; who is gone by t0 is dropped, who is not is in progress. The window therefore opens in
    the steady state of the level at t0: requests come at the planned rate and in the planned mix
    from the first second on.
    """
    window_us = round(plan.duration_s * MICROSECONDS)
    pick_journey = Picker([round(j.weight * MICROSECONDS) for j in plan.journeys])
    pick_tenant = Picker(
        tenant_weights(plan.tier.data.tenants, at_most=_busiest_share(plan)),
    )
    which = f"{plan.draw}/{attempt}" if plan.draw else f"{attempt}"
    arrivals, kinds, tenants, pauses = (
        stream(plan.seed, f"{name}/{which}")
        for name in ("arrivals", "journeys", "tenants", "pauses")
    )
    drawn: list[Stay] = []
    for at_us in arrivals_us(plan, arrivals):
        journey = plan.journeys[pick_journey(kinds)]
        tenant = pick_tenant(tenants)
        waits_us = [think_us(step.think_s, pauses) for step in journey.steps]
        session = _inside_window(at_us, waits_us, window_us, journey, tenant)
        if session is not None:
            drawn.append(session)
    return drawn


def _schedule(plan: RunPlan, drawn: list[Stay], *, again_from: int | None = None) -> Schedule:
    """Sessions in the order of their first planned step, numbered and sealed."""
    window_us = round(plan.duration_s * MICROSECONDS)
    # A stable sort: of two that start in the same microsecond the earlier arrival comes first.
    drawn.sort(key=_AT_US)
    sessions = tuple(Session(index, *stay) for index, stay in enumerate(drawn))
    steps = {j.id: tuple(step.operation for step in j.steps) for j in plan.journeys}
    return Schedule(
        window_us=window_us,
        sessions=sessions,
        steps=steps,
        digest=_digest(window_us, sessions, steps, again_from),
        again_from=again_from,
    )


def _busiest_share(plan: RunPlan) -> float:
    """Share of the load that one tenant may have: that of users who are all active all the time.

    Skewed without bounds, a big load would have one owner ask faster than a person can, and a
    limit of requests for each user would refuse what no user does (B-146).
    """
    load = plan.tier.load
    most_per_s = plan.requests_per_s * plan.curve.peak
    active = most_per_s * 60 / load.pace_per_min if load.pace_per_min > 0 else 1.0
    return load.users / (plan.tier.data.tenants * active)


def _inside_window(
    arrival_us: int, waits_us: list[int], window_us: int, journey: Journey, tenant: int
) -> Stay | None:
    """The steps of a visit that lie in [0, window); None when none does."""
    nominal = list(accumulate(waits_us, initial=arrival_us))
    del nominal[0]
    # Sorted, because no wait is negative.
    first, end = bisect_left(nominal, 0), bisect_left(nominal, window_us)
    if first == end:
        return None
    pauses_us = (0, *waits_us[first + 1 : end]) if end - first > 1 else _NO_PAUSE
    return Stay(nominal[first], journey.id, tenant, first, pauses_us)


def _digest(
    window_us: int,
    sessions: tuple[Session, ...],
    steps: Mapping[str, tuple[str, ...]],
    again_from: int | None,
) -> str:
    """SHA-256 of the schedule as bytes: JSON of window and journeys, then little-endian integers
    for each session, so that it can be recomputed in any language. A closed load adds where its
    journey goes on to the head, and when the user leaves to each session."""
    numbers = {journey: number for number, journey in enumerate(steps)}
    closed = [] if again_from is None else [again_from]
    head = json.dumps([window_us, list(steps.items()), *closed], separators=(",", ":"))
    digest = hashlib.sha256(head.encode())
    integers = array("q")
    for s in sessions:
        integers.extend(
            (s.index, s.at_us, numbers[s.journey], s.tenant, s.first_step, len(s.pauses_us))
        )
        integers.extend(s.pauses_us)
        if s.until_us is not None:
            integers.append(s.until_us)
        if len(integers) >= _DIGEST_CHUNK:
            _add(integers, digest)
    _add(integers, digest)
    return digest.hexdigest()


def _add(integers: array[int], digest: Any) -> None:
    """Move integers into a digest, little-endian."""
    if sys.byteorder == "big":
        integers.byteswap()
    digest.update(integers.tobytes())
    del integers[:]
