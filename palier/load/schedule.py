"""The schedule: who arrives when and does what, decided before the run as a value.

The same plan gives the same schedule, byte for byte, on every machine and for any number of
workers: each quantity has its own stream of random numbers, seeded by name, and every time is a
whole number of microseconds.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from palier.model.journey import Journey
from palier.model.plan import RunPlan

MICROSECONDS = 1_000_000

PAUSE_SPREAD = 0.5
"""A pause is uniform within this share around its mean: bounded, so a session has a longest
length, and free of transcendental functions, so it is the same on every machine."""


@dataclass(frozen=True, slots=True)
class Session:
    """One visitor: a journey from an arrival on.

    Attributes:
        index: Position in arrival order, from 0.
        at_us: Arrival, offset from the start of the run.
        journey: Index into ``Schedule.journeys``.
        tenant: Index of the tenant the visitor belongs to.
        pauses_us: Pause before each *planned* step; the first is 0. Steps whose nominal offset
            lies outside the window are not planned, so this may be shorter than the journey.
    """

    index: int
    at_us: int
    journey: int
    tenant: int
    pauses_us: tuple[int, ...]

    def nominal_offsets_us(self) -> Iterator[int]:
        """Offset of each planned step if every answer came at once."""
        offset = self.at_us
        for pause in self.pauses_us:
            offset += pause
            yield offset


@dataclass(frozen=True)
class Schedule:
    """All sessions of a run in arrival order."""

    journeys: tuple[Journey, ...]
    sessions: tuple[Session, ...]
    duration_us: int

    def for_worker(self, worker: int, workers: int) -> tuple[Session, ...]:
        """The stripe of one worker: sessions k with ``k % workers == worker``."""
        return self.sessions[worker::workers]

    @cached_property
    def planned(self) -> dict[tuple[int, str], int]:
        """Planned requests by (second, operation)."""
        counts: Counter[tuple[int, str]] = Counter()
        for session in self.sessions:
            steps = self.journeys[session.journey].steps
            for step, offset in zip(steps, session.nominal_offsets_us(), strict=False):
                counts[offset // MICROSECONDS, step.operation] += 1
        return dict(counts)

    @cached_property
    def planned_by_operation(self) -> dict[str, int]:
        """Planned requests of the whole window by operation."""
        counts: Counter[str] = Counter()
        for (_, operation), count in self.planned.items():
            counts[operation] += count
        return dict(counts)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical text of the schedule, in hexadecimal."""
        digest = hashlib.sha256()
        for journey in self.journeys:
            operations = " ".join(step.operation for step in journey.steps)
            digest.update(f"{journey.id}: {operations}\n".encode())
        for session in self.sessions:
            pauses = " ".join(map(str, session.pauses_us))
            line = f"{session.at_us} {session.journey} {session.tenant} {pauses}\n"
            digest.update(line.encode())
        return digest.hexdigest()


def make_schedule(plan: RunPlan) -> Schedule:
    """Draw the schedule of a plan.

    Sessions arrive by a Poisson process (or evenly, when the profile says ``constant``) at
    ``plan.sessions_per_s``. The first sessions need their own length until as many are in
    progress as will be later: the start of the window is warm-up (``plan.warmup_s``).
    """
    seed = plan.seed
    journeys_rng = random.Random(f"{seed}/journeys")
    tenants_rng = random.Random(f"{seed}/tenants")
    pauses_rng = random.Random(f"{seed}/pauses")
    duration_us = round(plan.duration_s * MICROSECONDS)
    ends = _cumulative_weights(plan.journeys)
    sessions = []
    for index, at_us in enumerate(_arrivals_us(plan, duration_us)):
        journey = _pick(ends, journeys_rng.random())
        # Squaring favours low indices: the first tenth of the tenants, which the seed makes the
        # big ones, brings a third of the visitors.
        tenant = int(tenants_rng.random() ** 2 * plan.tier.data.tenants)
        steps = plan.journeys[journey].steps
        pauses = [
            round(step.think_s * MICROSECONDS * (1 + PAUSE_SPREAD * (2 * pauses_rng.random() - 1)))
            for step in steps
        ]
        sessions.append(
            Session(
                index=index,
                at_us=at_us,
                journey=journey,
                tenant=tenant,
                pauses_us=_inside(at_us, pauses, duration_us),
            )
        )
    return Schedule(journeys=plan.journeys, sessions=tuple(sessions), duration_us=duration_us)


def _arrivals_us(plan: RunPlan, duration_us: int) -> Iterator[int]:
    """Arrival offsets in rising order, inside the window."""
    rng = random.Random(f"{plan.seed}/arrivals")
    mean_gap_us = MICROSECONDS / plan.sessions_per_s
    at = 0.0
    while True:
        if plan.profile.arrivals == "poisson":
            at += -math.log(1.0 - rng.random()) * mean_gap_us
            offset = round(at)
        else:
            offset = round(at)
            at += mean_gap_us
        if offset >= duration_us:
            return
        yield offset


def _cumulative_weights(journeys: tuple[Journey, ...]) -> tuple[float, ...]:
    total = math.fsum(journey.weight for journey in journeys)
    ends = []
    running = 0.0
    for journey in journeys:
        running += journey.weight / total
        ends.append(running)
    return tuple(ends)


def _pick(ends: tuple[float, ...], draw: float) -> int:
    for index, end in enumerate(ends):
        if draw < end:
            return index
    return len(ends) - 1  # the weights' sum may round to just below 1


def _inside(at_us: int, pauses_us: list[int], duration_us: int) -> tuple[int, ...]:
    """The pauses of the steps whose nominal offset lies inside the window."""
    offset = at_us
    inside = []
    for pause in pauses_us:
        offset += pause
        if offset >= duration_us:
            break
        inside.append(pause)
    return tuple(inside)
