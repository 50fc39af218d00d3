"""A run plan: everything a run will do, decided before anything is started."""

from __future__ import annotations

import math
from dataclasses import dataclass

from palier.model.journey import Journey
from palier.model.profile import Profile
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """Everything the load engine and the analysis need; written to ``plan.json``.

    Attributes:
        tier: The tier as read, with its targets.
        profile: The profile as read.
        duration_s: Planned window in seconds; the denominator of every rate.
        warmup_s: Start of the window that is kept and marked but not judged.
        seed: Seed of schedule and data.
        workers: Load generator processes; arrival k belongs to worker ``k % workers``.
        requests_per_s: Offered rate in steady state.
        rate_derivation: The derivation of that rate, for people.
        sessions_per_s: ``requests_per_s`` / mean steps of a session.
        journeys: Journeys with weights.
        variant: The tier's switches after ``--set``.
        scenario: Path of the locustfile, relative to the project.
        url: Somebody's own service; None brings up the tier's stack.
        request_timeout_s: Limit of one request, from its actual start.
        drain_s: How long requests in flight are waited for after the window.
        max_sessions: Sessions in progress at once per worker, at most.
        shortened: What the run can no longer prove because its duration was cut; may be empty.
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
) -> RunPlan:
    """Decide what a run of ``tier`` does.

    The offered rate is the tier's stated one or
    ``users x concurrency x pace_per_min / 60`` (docs/requirements/contradictions.md, section 5),
    times the profile's factor. Sessions arrive at that rate divided by the weighted mean number
    of steps, so that requests per second come out as offered.
    """
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

    weights = sum(journey.weight for journey in system.journeys)
    mean_steps = sum(j.weight * len(j.steps) for j in system.journeys) / weights
    mean_think_s = sum(j.weight * j.think_s for j in system.journeys) / weights
    sessions_per_s = requests_per_s / mean_steps
    # Little's law: arrival rate x time spent.
    expected_sessions = sessions_per_s * (mean_think_s + mean_steps * ASSUMED_RESPONSE_S)
    window_s = profile.duration_s if duration_s is None else duration_s
    shortened = ""
    if duration_s is not None and duration_s < profile.duration_s:
        shortened = (
            f"profile {profile.id} was cut from {profile.duration_s:g} s to {duration_s:g} s: "
            "it no longer shows slow drifts, leaks or anything rarer than the window"
        )
    return RunPlan(
        tier=tier,
        profile=profile,
        duration_s=window_s,
        warmup_s=min(profile.warmup_s, window_s / 6),
        seed=seed,
        workers=workers,
        requests_per_s=requests_per_s,
        rate_derivation=derivation,
        sessions_per_s=sessions_per_s,
        journeys=system.journeys,
        variant=variant,
        scenario=system.scenario,
        url=url if url is not None else tier.url,
        request_timeout_s=REQUEST_TIMEOUT_S,
        drain_s=REQUEST_TIMEOUT_S,
        max_sessions=max(SESSIONS_MIN, math.ceil(SESSIONS_SPARE * expected_sessions / workers)),
        shortened=shortened,
    )
