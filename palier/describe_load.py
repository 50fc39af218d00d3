"""The load of a run plan in words: how much, how it moves, who waits for whom."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from palier.load.expected import busiest_moment
from palier.model.curve import Wave
from palier.model.plan import RunPlan
from palier.model.profile import Loop


def offered_load(plan: RunPlan) -> Iterator[str]:
    """How much is asked for, where the number comes from, and by whom."""
    yield from _open_load(plan) if plan.loop is None else _closed_load(plan, plan.loop)
    listeners = plan.tier.load.listeners
    if listeners and plan.url is None:
        yield f"{listeners:,} listeners beside it: open sockets that hear of plan changes"


def _open_load(plan: RunPlan) -> Iterator[str]:
    base = "" if plan.is_steady or plan.arrivals_us else " at level 1"
    yield f"{plan.requests_per_s:,.4g} requests/s{base} = {plan.rate_derivation}"
    if plan.tier.load.note:
        yield f"note: {plan.tier.load.note}"
    steps = plan.requests_per_s / plan.sessions_per_s
    yield (
        f"{plan.sessions_per_s:,.4g} sessions/s{base} arriving {_arriving(plan)}, "
        f"{steps:.3g} requests in a mean session"
    )
    weights = sum(journey.weight for journey in plan.journeys)
    for journey in plan.journeys:
        names = " > ".join(step.operation for step in journey.steps)
        yield f"{journey.weight / weights:4.0%}  {journey.id}  {names}"


def _arriving(plan: RunPlan) -> str:
    if plan.profile.trace is not None:
        exactly = "when those of the log did"
        spread_s = plan.profile.trace.spread_s
        return f"{exactly}, spread over {spread_s:g} s" if spread_s else exactly
    return "at random (Poisson)" if plan.profile.arrivals == "poisson" else "evenly"


def _closed_load(plan: RunPlan, loop: Loop) -> Iterator[str]:
    [journey] = plan.journeys
    users = _users_at(plan, plan.curve.peak)
    yield f"closed: up to {users:,} users, each waiting for every answer before asking again"
    yield f"{plan.requests_per_s:,.4g} requests/s {plan.rate_derivation}"
    tenants = plan.tier.data.tenants
    if users > tenants:
        sharing = math.ceil(users / tenants)
        yield f"note: only {tenants:,} accounts exist, so up to {sharing} users share one"
    steps = [step.operation for step in journey.steps]
    pause = f" > pause of {loop.pause_s:g} s" if loop.pause_s else ""
    once = f"{' > '.join(steps[: loop.once])} once, then " if loop.once else ""
    yield f"{journey.id}: {once}{' > '.join(steps[loop.once :])}{pause}, again and again"


def levels(plan: RunPlan) -> Iterator[str]:
    """What the load does, one line for each stretch of its curve."""
    curve = plan.curve
    if plan.arrivals_us:
        yield f"{span(plan.arrivals_us[-1] / 1e6)} of the log are replayed, and nothing after them"
    elif isinstance(curve, Wave):
        lowest, highest = _load_at(plan, curve.low), _load_at(plan, curve.high)
        yield f"a sine of {span(curve.period_s)} between {lowest} and {highest}"
    elif not curve.is_constant or plan.loop is not None:
        end = (max(plan.duration_s, curve.points[-1][0]), curve.points[-1][1])
        for (from_s, low), (to_s, high) in pairwise((*curve.points, end)):
            if to_s > from_s:
                moves = "" if low == high else f" to {_load_at(plan, high)}"
                yield f"{span(from_s)} to {span(to_s)}: {_load_at(plan, low)}{moves}"
            elif low != high:
                yield f"at {span(to_s)}: jumps to {_load_at(plan, high)}"
    yield from _following(plan)


def _following(plan: RunPlan) -> Iterator[str]:
    """Later steps come later: what that makes of a load that moves."""
    thinking = any(journey.think_s for journey in plan.journeys)
    if plan.is_steady or plan.loop is not None or not thinking:
        return
    highest_per_s, at_s = busiest_moment(plan)
    yield (
        f"requests follow the arrivals of their sessions: about {highest_per_s:,.4g} requests/s "
        f"at most, at {span(at_s)}"
    )


def offered_in_short(plan: RunPlan) -> str:
    """``8.33 requests/s``, ``up to 25 requests/s``, ``the requests of up to 1,000 users``."""
    peak = plan.curve.peak
    if plan.loop is not None:
        return f"the requests of up to {_users_at(plan, peak):,} users"
    mean = "" if plan.is_steady else "on average " if plan.arrivals_us else "up to "
    return f"{mean}{plan.requests_per_s * peak:.3g} requests/s"


def _load_at(plan: RunPlan, level: float) -> str:
    if plan.loop is not None:
        return f"{_users_at(plan, level):,} users"
    return f"{plan.requests_per_s * level:,.4g} requests/s"


def _users_at(plan: RunPlan, level: float) -> int:
    assert plan.loop is not None  # an open load has visitors, not users
    return int(plan.loop.users * level + 0.5)


def closed_at_once(plan: RunPlan, response_s: float) -> Iterator[str]:
    """What users of a loop ask for when answers take time: they pause, or they wait."""
    users = _users_at(plan, plan.curve.peak)
    most_per_s = plan.requests_per_s * plan.curve.peak
    asked_per_s = users / (users / most_per_s + response_s)
    yield (
        f"if every answer takes {response_s * 1000:g} ms, {users:,} users ask for "
        f"{asked_per_s:,.3g} requests/s of the {most_per_s:,.3g} they could"
    )
    yield f"{asked_per_s * response_s:,.3g} requests in flight; the others pause"


def span(seconds: float) -> str:
    """``90 s``, ``10 min``, ``1 h 30 min``: seconds up to two minutes, then larger units."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
