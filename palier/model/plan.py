"""A run plan: everything a run will do, decided before anything is started."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from palier.errors import ConfigError
from palier.model.abort import AbortRule, in_force
from palier.model.curve import Curve
from palier.model.journey import Journey
from palier.model.profile import Loop, Profile
from palier.model.tier import System, Tier
from palier.model.variant import Variant

PLAN_SCHEMA = 2

SESSIONS_MIN = 1_000
"""Room for sessions in a small run; an idle one costs some kilobytes."""

SESSIONS_SPARE = 5
"""The bound on sessions is this many times what Little's law expects, so that a stall as long as
the request time-out still fits: else arrivals would be turned away that the system could serve."""

ASSUMED_RESPONSE_S = 0.3
"""Response time for reckoning the expected number of sessions (T-52, the tightest gate)."""

REQUEST_TIMEOUT_S = 10.0
"""After this a request counts as timed out. T-138 and T-151 call 10 s an emergency."""


LostWorkers = Literal["invalid", "degraded"]
"""What the loss of a worker makes of a run: unfit, or fit with a note while little is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """Everything the load engine and the analysis need; written to ``plan.json``.

    Attributes:
        tier: The tier as read, with its targets.
        profile: The profile as read.
        duration_s: Planned window in seconds; the denominator of every rate. The profile's shape
            is stretched to it.
        warmup_s: Start of the window that is kept and marked but not judged.
        seed: Seed of schedule and data.
        workers: Load generator processes; arrival k belongs to worker ``k % workers``.
        requests_per_s: Offered rate at level 1; of a closed load, what its users would ask for if
            every answer took no time, so the most they can.
        rate_derivation: The derivation of that rate, for people.
        sessions_per_s: ``requests_per_s`` / mean steps of a session, or of a loop.
        journeys: Journeys with weights; of a closed load its only one.
        variant: The tier's switches after ``--set``.
        scenario: Path of the locustfile, relative to the project.
        url: Somebody's own service; None brings up the tier's stack.
        request_timeout_s: Limit of one request, from its actual start.
        drain_s: How long requests in flight are waited for after the window.
        max_sessions: Sessions in progress at once per worker, at most.
        shortened: What the run can no longer prove because its duration was cut; may be empty.
        arrivals_us: Arrivals of a trace, in microseconds from t0; empty when they are drawn.
        remote_workers: How many of the workers run on other machines; they have the last indexes.
        lost_workers: What the loss of a worker makes of the run.
        aborts: When the run is stopped: the rules of system, tier and profile, unless they were
            switched off.
        draw: Which of the schedules of this seed is played. Runs on the same data, whose
            accounts follow from the seed, are independent of each other with different draws.
    """

    tier: Tier
    profile: Profile
    duration_s: float
    warmup_s: float
    seed: int
    workers: int
    requests_per_s: float
    rate_derivation: str
    sessions_per_s: float
    journeys: tuple[Journey, ...]
    variant: Variant
    scenario: str
    url: str | None
    request_timeout_s: float
    drain_s: float
    max_sessions: int
    shortened: str = ""
    arrivals_us: tuple[int, ...] = ()
    aborts: tuple[AbortRule, ...] = ()
    remote_workers: int = 0
    lost_workers: LostWorkers = "invalid"
    draw: int = 0

    @property
    def curve(self) -> Curve:
        """The level over the planned window."""
        return self.profile.curve.stretched(self.duration_s / self.profile.duration_s)

    @property
    def loop(self) -> Loop | None:
        """The loop of a closed load; None for an open one."""
        return self.profile.loop

    @property
    def is_steady(self) -> bool:
        """True when the same load is meant to be offered from the start to the end."""
        return not self.arrivals_us and self.curve.is_constant


def make_plan(
    *,
    system: System,
    tier: Tier,
    profile: Profile,
    duration_s: float | None,
    seed: int,
    workers: int,
    variant: Variant,
    url: str | None,
    trace_us: tuple[int, ...] = (),
    remote_workers: int = 0,
    lost_workers: LostWorkers = "invalid",
    may_abort: bool = True,
) -> RunPlan:
    """Decide what a run of ``tier`` does.

    The offered rate at level 1 is the tier's stated one or
    ``users x concurrency x pace_per_min / 60`` (docs/requirements/contradictions.md, section 5),
    times the profile's factor. Sessions arrive at that rate divided by the weighted mean number
    of steps, so that requests per second come out as offered. A trace and a loop have rates of
    their own.

    Args:
        remote_workers: How many of the workers run on other machines.
        lost_workers: What the loss of a worker makes of the run.
        trace_us: Instants of the profile's trace, from its first one; see ``palier.model.trace``.
        may_abort: False leaves the abort rules out.

    Raises:
        ConfigError: The profile is made for another system, or its trace or loop cannot be played.
    """
    _check_fits(profile, system)
    window_s = profile.duration_s if duration_s is None else duration_s
    journeys = system.journeys
    arrivals_us: tuple[int, ...] = ()
    if profile.loop is not None:
        where = f"{system.id} with profile {profile.id}"
        journeys = (profile.loop.journey_among(journeys, where=where),)
        load = _closed_load(profile.loop, journeys[0])
    elif profile.trace is not None:
        arrivals_us = _replayed(trace_us, speed=profile.trace.speed, window_s=window_s)
        load = _traced_load(arrivals_us, len(trace_us), profile.trace.path, window_s, journeys)
    else:
        load = _open_load(tier, profile, journeys)
    return RunPlan(
        tier=tier,
        profile=profile,
        duration_s=window_s,
        warmup_s=min(profile.warmup_s, window_s / 6),
        seed=seed,
        workers=workers,
        requests_per_s=load.requests_per_s,
        rate_derivation=load.derivation,
        sessions_per_s=load.sessions_per_s,
        journeys=journeys,
        variant=variant,
        scenario=system.scenario,
        url=url if url is not None else tier.url,
        request_timeout_s=REQUEST_TIMEOUT_S,
        drain_s=REQUEST_TIMEOUT_S,
        max_sessions=max(SESSIONS_MIN, math.ceil(load.most_sessions / load.shares(workers))),
        shortened=_shortened(profile, window_s),
        arrivals_us=arrivals_us,
        remote_workers=remote_workers,
        lost_workers=lost_workers,
        aborts=in_force(tier.aborts, profile.aborts) if may_abort else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    """What is offered, and how many sessions there must be room for."""

    requests_per_s: float
    sessions_per_s: float
    derivation: str
    most_sessions: float
    is_closed: bool = False

    def shares(self, workers: int) -> int:
        """Users of a loop come and go, so one worker may have more than its share of them."""
        return 1 if self.is_closed else workers


def at_rate(
    plan: RunPlan, requests_per_s: float, *, warmup_s: float, judged_s: float, draw: int
) -> RunPlan:
    """The same visitors, arriving at another rate, for the seconds of a probe.

    Args:
        plan: An open load whose level does not move.
        requests_per_s: What replaces its rate.
        warmup_s: Seconds before those that are judged.
        judged_s: Seconds that are judged.
        draw: Number of the schedule.
    """
    sessions_per_s = requests_per_s / mean_steps(plan.journeys)
    most_sessions = _room(sessions_per_s, plan.journeys)
    return replace(
        plan,
        duration_s=warmup_s + judged_s,
        warmup_s=warmup_s,
        requests_per_s=requests_per_s,
        rate_derivation="a probe of a search",
        sessions_per_s=sessions_per_s,
        max_sessions=max(SESSIONS_MIN, math.ceil(most_sessions / plan.workers)),
        shortened="",
        aborts=(),  # a probe may overload the system: that is what it asks about
        draw=draw,
    )


def _open_load(tier: Tier, profile: Profile, journeys: tuple[Journey, ...]) -> _Load:
    load = tier.load
    concurrency = profile.concurrency if profile.concurrency is not None else load.concurrency
    if load.requests_per_s is not None and profile.concurrency is None:
        base_per_s = load.requests_per_s
        derivation = f"stated: {load.requests_per_s:g} requests/s"
    else:
        base_per_s = load.users * concurrency * load.pace_per_min / 60
        derivation = (
            f"{load.users:,} users x {concurrency:.0%} active at once "
            f"x {load.pace_per_min:g} requests/min each"
        )
    if profile.rate_factor != 1.0:
        derivation += f" x {profile.rate_factor:g} (profile {profile.id})"
    requests_per_s = base_per_s * profile.rate_factor
    sessions_per_s = requests_per_s / mean_steps(journeys)
    return _Load(
        requests_per_s=requests_per_s,
        sessions_per_s=sessions_per_s,
        derivation=derivation,
        most_sessions=_room(sessions_per_s * profile.curve.peak, journeys),
    )


def _closed_load(loop: Loop, journey: Journey) -> _Load:
    """The most that users of a loop can ask for: all of their time is pauses."""
    again = journey.steps[loop.once :]
    loop_s = sum(step.think_s for step in again) + loop.pause_s
    if not again or loop_s <= 0:
        raise ConfigError(
            what=f"a loop over {journey.id} without "
            + ("steps that come again" if not again else "pauses would have no rate"),
            where="tiers.yaml, key loop",
            fix="lower once" if not again else "give it pause_s, or the journey think_s",
        )
    return _Load(
        requests_per_s=loop.users * len(again) / loop_s,
        sessions_per_s=loop.users / loop_s,
        derivation=f"at most: {loop.users:,} users x {len(again)} requests in {loop_s:g} s or more",
        most_sessions=loop.users,
        is_closed=True,
    )


def _traced_load(
    arrivals_us: tuple[int, ...],
    in_log: int,
    path: str,
    window_s: float,
    journeys: tuple[Journey, ...],
) -> _Load:
    sessions_per_s = len(arrivals_us) / window_s
    steps = mean_steps(journeys)
    derivation = f"{len(arrivals_us):,} of {in_log:,} arrivals of {path}"
    if steps != 1:
        derivation += f" x {steps:.3g} requests each"
    return _Load(
        requests_per_s=sessions_per_s * steps,
        sessions_per_s=sessions_per_s,
        derivation=f"{derivation} in {window_s:g} s",
        most_sessions=_room(_most_per_s(arrivals_us), journeys),
    )


def _replayed(trace_us: tuple[int, ...], *, speed: float, window_s: float) -> tuple[int, ...]:
    """The instants of a trace at its speed, as far as they lie in the window."""
    if not trace_us:
        raise ConfigError(
            what="the profile replays a trace, and none was read",
            where="tiers.yaml, key trace",
            fix="give its path, relative to the tiers file",
        )
    scaled = (round(at_us / speed) for at_us in trace_us) if speed != 1 else iter(trace_us)
    return tuple(at_us for at_us in scaled if at_us < window_s * 1e6)


def _most_per_s(arrivals_us: tuple[int, ...]) -> float:
    """Arrivals a second in the busiest ten seconds."""
    counts: dict[int, int] = {}
    for at_us in arrivals_us:
        ten = at_us // 10_000_000
        counts[ten] = counts.get(ten, 0) + 1
    return max(counts.values()) / 10


def _room(sessions_per_s: float, journeys: tuple[Journey, ...]) -> float:
    """Sessions to have room for. Little's law: arrival rate x time spent."""
    weights = sum(journey.weight for journey in journeys)
    mean_think_s = sum(j.weight * j.think_s for j in journeys) / weights
    spent_s = mean_think_s + mean_steps(journeys) * ASSUMED_RESPONSE_S
    return SESSIONS_SPARE * sessions_per_s * spent_s


def mean_steps(journeys: tuple[Journey, ...]) -> float:
    """Requests of a mean session."""
    weights = sum(journey.weight for journey in journeys)
    return sum(journey.weight * len(journey.steps) for journey in journeys) / weights


def _check_fits(profile: Profile, system: System) -> None:
    if profile.system is not None and profile.system != system.id:
        raise ConfigError(
            what=f"profile {profile.id} is about {profile.system}, not about {system.id}",
            where=f"--profile {profile.id}",
            fix=f"choose a tier of {profile.system}, or another profile",
        )


def _shortened(profile: Profile, window_s: float) -> str:
    """What is lost when less than the profile's own duration is played."""
    if window_s >= profile.duration_s:
        return ""
    cut = f"profile {profile.id} was cut from {profile.duration_s:g} s to {window_s:g} s: "
    lost = "it no longer shows slow drifts, leaks or anything rarer than the window"
    if profile.trace is not None:
        return f"{cut}only the start of the trace is replayed, at its own speed; {lost}"
    if not profile.curve.is_constant:
        faster = profile.duration_s / window_s
        return (
            f"{cut}its shape is scaled in time, so levels are the same and every change comes "
            f"{faster:.3g} times as fast; {lost}"
        )
    return cut + lost
