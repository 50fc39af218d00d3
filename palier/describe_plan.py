"""A run plan in words: what a run would do and what it could show. Pure: plan in, text out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Final

from palier.describe_load import closed_at_once, levels, offered_load, span
from palier.load.expected import expected_requests
from palier.model.plan import RunPlan
from palier.model.target import Target
from palier.model.variant import Variant

BEYOND: Final = 10
"""``palier.analysis.percentile.BEYOND``, without loading numpy; a test keeps them equal."""

_ERROR_TAIL: Final = -math.log(0.025)
"""3.69: n requests without an error show, at 95 % two-sided, a ratio below 3.69 / n."""

_FRACTIONS: Final = (0.5, 0.9, 0.95, 0.99, 0.999)

_ASSUMED_RESPONSE_S: Final = 0.3
"""Where no gate limits the response time."""

_DATA_WORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "liveownerunit": ("owners", "gîtes", "reservations"),
    "epilot": ("school groups", "schools", "rows"),
    "francaisfluide": ("learners", "units", "rows"),
}


def describe_plan(
    plan: RunPlan,
    schedule_counts: Mapping[str, int] | None = None,
    rows: Mapping[str, int] | None = None,
    no_data: str | None = None,
) -> str:
    """What a run of ``plan`` does, section by section.

    Args:
        plan: The plan.
        schedule_counts: Planned requests by operation, from the schedule; None estimates them.
        rows: Rows by table, from the seed; None gives the means of the tier.
        no_data: Why the tier's data cannot be made; None when it can.
    """
    expected = schedule_counts if schedule_counts is not None else expected_counts(plan)
    sections = (
        ("run", _run(plan)),
        ("load", offered_load(plan)),
        ("phases", _phases(plan)),
        ("at once", _at_once(plan)),
        ("requests", _requests(plan, expected, exact=schedule_counts is not None)),
        ("system", _system(plan)),
        ("data", _data(plan, rows, no_data)),
        ("evidence", _evidence(plan, sum(expected.values()))),
        ("targets", _targets(plan)),
        ("aborts", _aborts(plan)),
    )
    lines = [f"{plan.tier.id}  {plan.tier.title}"]
    for name, content in sections:
        labels = [name]
        for line in content:
            lines.append(f"{labels.pop() if labels else '':<10}{line}".rstrip())
    return "\n".join(lines) + "\n"


def expected_counts(plan: RunPlan) -> dict[str, float]:
    """Mean number of planned requests by operation.

    The schedule opens in the steady state, so where the load does not move each step comes at its
    session rate for the whole window.
    """
    if plan.loop is not None or not plan.is_steady:
        return expected_requests(plan, from_s=0.0, to_s=plan.duration_s)
    weights = sum(journey.weight for journey in plan.journeys)
    counts: dict[str, float] = {}
    for journey in plan.journeys:
        sessions = _highest_per_s(plan) * journey.weight / weights * plan.duration_s
        for step in journey.steps:
            counts[step.operation] = counts.get(step.operation, 0.0) + sessions
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """Means by Little's law: number in progress = rate x time in progress."""

    sessions: float
    in_flight: float
    session_s: float
    response_s: float


def expected_concurrency(plan: RunPlan) -> Concurrency:
    """Sessions and requests in progress when every answer takes the tightest gate's limit; of a
    load that moves, at its peak."""
    response_s = _gate_limit_s(plan)
    if response_s is None:
        response_s = _ASSUMED_RESPONSE_S
    weights = sum(journey.weight for journey in plan.journeys)
    session_s = sum(
        journey.weight / weights * (journey.think_s + len(journey.steps) * response_s)
        for journey in plan.journeys
    )
    return Concurrency(
        sessions=_highest_per_s(plan) * session_s,
        in_flight=plan.requests_per_s * plan.curve.peak * response_s,
        session_s=session_s,
        response_s=response_s,
    )


def requests_needed(fraction: float) -> int:
    """Fewest judged requests for which a percentile is reported."""
    return math.ceil(round(BEYOND / (1 - fraction), 6))


def requests_for_error_limit(ratio: float) -> int:
    """Fewest requests that can show, with none failing, an error ratio below ``ratio``."""
    return math.ceil(_ERROR_TAIL / ratio)


def will_be_judged(target: Target, plan: RunPlan) -> bool:
    """False when no metric measures the target, or its operation is in no journey."""
    if target.metric is None:
        return False
    operations = {step.operation for one in plan.journeys for step in one.steps}
    return target.operation is None or target.operation in operations


def _highest_per_s(plan: RunPlan) -> float:
    """Sessions a second at the highest level."""
    return plan.sessions_per_s * plan.curve.peak


def _run(plan: RunPlan) -> Iterator[str]:
    yield f"profile {plan.profile.id}: {plan.profile.title}"
    if plan.profile.note:
        yield f"note: {plan.profile.note}"
    yield f"seed {plan.seed}, {plan.workers} loader process{'es' if plan.workers > 1 else ''}"
    if plan.shortened:
        yield f"note: {plan.shortened}"


def _phases(plan: RunPlan) -> Iterator[str]:
    end = plan.duration_s
    yield from levels(plan)
    if plan.warmup_s > 0:
        yield f"0 s to {span(plan.warmup_s)}: warm-up, measured and kept but not judged"
    yield f"{span(plan.warmup_s)} to {span(end)}: judged"
    yield f"then up to {span(plan.drain_s)} for answers still under way"
    yield f"a request is given up after {span(plan.request_timeout_s)}"


def _at_once(plan: RunPlan) -> Iterator[str]:
    expected = expected_concurrency(plan)
    if plan.loop is not None:
        yield from closed_at_once(plan, expected.response_s)
        return
    peak = "" if plan.curve.is_constant else " at the peak"
    limit = "the tightest gate" if _gate_limit_s(plan) is not None else "assumed"
    yield (f"if every answer takes {expected.response_s * 1000:g} ms ({limit}), by Little's law:")
    yield (
        f"{expected.sessions:,.3g} sessions{peak} "
        f"({_highest_per_s(plan):,.3g}/s x {expected.session_s:.3g} s each)"
    )
    yield (
        f"{expected.in_flight:,.3g} requests in flight{peak} "
        f"({plan.requests_per_s * plan.curve.peak:,.3g}/s x {expected.response_s:g} s)"
    )


def _requests(plan: RunPlan, counts: Mapping[str, float], *, exact: bool) -> Iterator[str]:
    source = f"in the schedule of seed {plan.seed}" if exact else "expected on average"
    if plan.loop is not None:
        source += ", if no answer took time"
    yield f"{sum(counts.values()):,.0f} in {span(plan.duration_s)}, {source}"
    width = max(map(len, counts), default=0)
    for operation, count in counts.items():
        yield f"  {operation:<{width}}  {count:>9,.0f}"


def _system(plan: RunPlan) -> Iterator[str]:
    if plan.url is not None:
        yield f"your service at {plan.url}; nothing is brought up and nothing is seeded"
        return
    stack = plan.tier.stack
    if stack is not None:
        pool = (
            f"{stack.pool_size} connections each" if plan.variant.pooling != "none" else "no pool"
        )
        yield f"{stack.app_processes} application process(es), {pool}"
        settings = ", ".join(f"{name}={value}" for name, value in stack.postgres_settings)
        yield f"PostgreSQL {settings}".rstrip()
        if plan.variant.pooling == "pgbouncer":
            yield f"PgBouncer with {stack.pooler_connections} connections to each server"
        if plan.variant.sync != "inline":
            yield f"{stack.sync_workers} sync worker(s)"
    for one in fields(Variant):
        value = getattr(plan.variant, one.name)
        shown = value if isinstance(value, str) else str(value).lower()
        changed = "" if value == getattr(plan.tier.variant, one.name) else "  (set for this run)"
        yield f"  {one.name:<13} {shown}{changed}"


def _data(plan: RunPlan, rows: Mapping[str, int] | None, no_data: str | None) -> Iterator[str]:
    data = plan.tier.data
    tenants, units, reservations = _DATA_WORDS.get(
        plan.tier.system, ("tenants", "units", "reservations")
    )
    if plan.url is not None:
        yield f"that of your service; sessions are spread over {data.tenants:,} tenants"
        return
    if rows is not None:
        width = max(map(len, rows), default=0)
        for table, count in rows.items():
            yield f"{table:<{width}}  {count:>12,} rows"
        return
    parts = [f"{data.tenants:,} {tenants}"]
    if data.units_per_tenant:
        parts.append(f"{data.tenants * data.units_per_tenant:,.0f} {units}")
    if data.reservations_per_unit and data.units_per_tenant:
        mean = data.tenants * data.units_per_tenant * data.reservations_per_unit
        parts.append(f"about {mean:,.0f} {reservations}")
    yield ", ".join(parts)
    if no_data is not None:
        yield f"not to be run as it is: {no_data}"


def _evidence(plan: RunPlan, total: float) -> Iterator[str]:
    judged = total * _judged_share(plan)
    yield f"about {judged:,.0f} requests are judged"
    fractions = sorted({*_FRACTIONS, *(t.percentile for t in plan.tier.targets if t.percentile)})
    enough = [f for f in fractions if requests_needed(f) <= judged]
    yield "percentiles: " + (", ".join(map(_percentile, enough)) or "none")
    for fraction in fractions:
        if fraction not in enough:
            needed = requests_needed(fraction)
            longer = _longer(plan, needed, total)
            yield f"  {_percentile(fraction)} needs {needed:,} requests, {longer}"
    if judged >= 1:
        yield f"errors: with none failing, a limit of {100 * _ERROR_TAIL / judged:.2g} % or more"
    for target in _undecided_error_limits(plan, judged):
        needed = requests_for_error_limit((target.limit or 0.0) / 100)
        limit = f"{target.id} ({target.limit:g} %)"
        yield f"  {limit} needs {needed:,} requests, {_longer(plan, needed, total)}"
    yield "requests that fail or are slow in bursts need more"


def _undecided_error_limits(plan: RunPlan, judged: float) -> Iterator[Target]:
    for target in plan.tier.targets:
        if target.metric != "error_ratio" or target.role == "info" or not target.limit:
            continue
        if requests_for_error_limit(target.limit / 100) > judged:
            yield target


def _judged_share(plan: RunPlan) -> float:
    """Share of the requests that lie behind the warm-up."""
    if plan.is_steady:
        return (plan.duration_s - plan.warmup_s) / plan.duration_s
    judged = expected_requests(plan, from_s=plan.warmup_s, to_s=plan.duration_s)
    return sum(judged.values()) / sum(expected_counts(plan).values())


def _longer(plan: RunPlan, needed: int, total: float) -> str:
    per_s = plan.requests_per_s if plan.is_steady else total / plan.duration_s
    duration_s = needed / per_s + plan.warmup_s
    return f"about --duration {math.ceil(duration_s)}s"


def _targets(plan: RunPlan) -> Iterator[str]:
    judged = [target for target in plan.tier.targets if will_be_judged(target, plan)]
    gates = [target for target in plan.tier.targets if target.role == "gate"]
    goals = sum(target.role == "goal" for target in judged)
    others = len(plan.tier.targets) - len(judged)
    yield (
        f"{len(judged)} judged ({len(gates)} gates, {goals} goals, the rest for information), "
        f"{others} not measured"
    )
    for gate in gates:
        missing = "" if will_be_judged(gate, plan) else "  (not measured by these journeys)"
        yield f"  gate {gate.id:<6} {gate.title} {requirement(gate)}{missing}"


def _aborts(plan: RunPlan) -> Iterator[str]:
    """When the run is stopped before its end; nothing for a plan without such rules."""
    switched_off = not plan.aborts and (plan.tier.aborts or plan.profile.aborts)
    if switched_off:
        yield "switched off: the run goes on to its end, whatever is measured"
    operations = {step.operation for one in plan.journeys for step in one.steps}
    for rule in plan.aborts:
        after_s = plan.warmup_s if rule.after_s is None else rule.after_s
        title = f"{rule.title}: " if rule.title else ""
        missing = "" if rule.operation in (None, *operations) else "  (not in these journeys)"
        yield f"  {rule.id}: {title}{rule.state}, from {span(after_s)} on{missing}"


def requirement(target: Target) -> str:
    """``p95 < 300 ms``; of an alarm, the state that must not be reached."""
    parts = [
        "of " + target.operation if target.operation else "",
        _percentile(target.percentile) if target.percentile else "",
        "not" if target.is_alarm else "",
    ]
    if target.limit is None or (target.unit == "-" and target.stated):
        parts.append(target.stated)
    elif target.comparator == "range":
        parts.append(f"{target.limit:g} to {target.limit_high:g} {target.unit}")
    else:
        parts.append(f"{target.comparator} {target.limit:g} {target.unit}")
    return " ".join(part for part in parts if part)


def _gate_limit_s(plan: RunPlan) -> float | None:
    """The tightest response-time limit among the gates on all requests, in seconds."""
    limits = [
        target.limit / (1000 if target.unit == "ms" else 1)
        for target in plan.tier.targets
        if target.role == "gate"
        and target.metric == "response_time"
        and target.operation is None
        and target.limit is not None
    ]
    return min(limits, default=None)


def _percentile(fraction: float) -> str:
    return f"p{fraction * 100:.10g}"
