"""The metrics a target can name, and how each is read from what was found.

``METRICS`` maps the name in ``tiers.yaml`` to a function. Metrics of the load come from the
findings and have intervals; the others come from facts (``observations.json``), have no sampling
error, and are not measured when the fact is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from palier.analysis.facts import Fact
from palier.analysis.findings import Estimate, Findings, OperationFinding
from palier.analysis.percentile import name as percentile_name
from palier.analysis.units import convert
from palier.model.plan import RunPlan
from palier.model.target import Target

DEFAULT_PERCENTILE: Final = 0.95
"""For response times whose source names no percentile: the one all stated targets but one use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a metric can be read from."""

    plan: RunPlan
    findings: Findings
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A metric with its unit.

    Attributes:
        estimate: The number in ``unit``; facts have ``low == value == high``.
        unit: A unit of ``palier.analysis.units``.
        name: What was measured, for sentences: ``"response time p95 of all requests"``.
        note: What the reader has to know about it; may be empty.
    """

    estimate: Estimate
    unit: str
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMeasured:
    """Why there is no number."""

    why: str


Metric = Callable[[Target, Evidence], Measurement | NotMeasured]


def exact(value: float, *, samples: int = 1) -> Estimate:
    """A number without sampling error."""
    return Estimate(value=value, low=value, high=value, samples=samples)


def response_time(target: Target, evidence: Evidence) -> Measurement | NotMeasured:
    """A percentile of the response time; without one in the target, p95."""
    operation = _operation(target, evidence)
    if isinstance(operation, NotMeasured):
        return operation
    fraction = target.percentile if target.percentile is not None else DEFAULT_PERCENTILE
    for at, estimate in operation.response.points:
        if abs(at - fraction) < 1e-9:
            return Measurement(
                estimate=estimate,
                unit="s",
                name=f"response time {percentile_name(fraction)} of {_who(target)}",
                note=(
                    ""
                    if target.percentile is not None
                    else f"the source names no percentile; {percentile_name(fraction)} is judged"
                ),
            )
    return NotMeasured(why=f"{percentile_name(fraction)} was not computed for this run")


def response_time_max(target: Target, evidence: Evidence) -> Measurement | NotMeasured:
    """The slowest request of the judged window: a statement about each request of this run.

    Requests that never ended make it a lower bound.
    """
    operation = _operation(target, evidence)
    if isinstance(operation, NotMeasured):
        return operation
    slowest, ledger = operation.response.max_s, operation.ledger
    if slowest is None:
        return NotMeasured(why=f"no response of {_who(target)} was measured")
    open_ended = ledger.timed_out + ledger.abandoned + charged_skips(operation) > 0
    return Measurement(
        estimate=Estimate(
            value=slowest,
            low=slowest,
            high=None if open_ended else slowest,
            samples=ledger.started,
            censored=open_ended,
        ),
        unit="s",
        name=f"slowest response of {_who(target)}",
    )


def charged_skips(operation: OperationFinding) -> int:
    """Skips that are responses of at least the wait."""
    reasons = dict(operation.ledger.skipped_reasons)
    return reasons.get("no_free_session", 0) + reasons.get("end_of_run", 0)


def error_ratio(target: Target, evidence: Evidence) -> Measurement | NotMeasured:
    """Share of planned requests without the right answer."""
    operation = _operation(target, evidence)
    if isinstance(operation, NotMeasured):
        return operation
    return Measurement(
        estimate=operation.error_ratio, unit="ratio", name=f"error ratio of {_who(target)}"
    )


def throughput(target: Target, evidence: Evidence) -> Measurement | NotMeasured:
    """Right answers per second of the judged window.

    The schedule decides how much is offered, so its randomness is no uncertainty of the system:
    the number is the offered rate times the share of right answers, with that share's interval.
    """
    operation = _operation(target, evidence)
    if isinstance(operation, NotMeasured):
        return operation
    findings, ratio = evidence.findings, operation.error_ratio
    window_s = findings.judged_to_s - findings.judged_from_s
    if ratio.value is None or window_s <= 0:
        return NotMeasured(why=ratio.refused or "the judged window is empty")
    offered_per_s = ratio.samples / window_s

    def served(errors: float | None) -> float | None:
        return None if errors is None else offered_per_s * (1 - errors)

    return Measurement(
        estimate=Estimate(
            value=served(ratio.value),
            low=served(ratio.high),
            high=served(ratio.low),
            samples=ratio.samples,
            effective=ratio.effective,
        ),
        unit="requests/s",
        name=f"throughput of {_who(target)}",
        note=f"{offered_per_s:,.3g} requests/s were offered: a run shows no more than it offers",
    )


def offered_users_at_once(_target: Target, evidence: Evidence) -> Measurement | NotMeasured:
    """Users whose requests the run sent: those of a closed load, or the offered rate over the pace
    of one active user; of a load that moves, at its peak."""
    plan = evidence.plan
    if plan.loop is not None:
        return Measurement(
            estimate=exact(
                float(round(plan.loop.users * plan.curve.peak)),
                samples=evidence.findings.ledger.planned,
            ),
            unit="users",
            name="users at once",
            note="users of a closed load, each waiting for its answers",
        )
    pace_per_min = evidence.plan.tier.load.pace_per_min
    if pace_per_min <= 0:
        return NotMeasured(why="the tier states no pace of an active user")
    users = round(plan.requests_per_s * plan.curve.peak * 60 / pace_per_min, 6)
    return Measurement(
        estimate=exact(users, samples=evidence.findings.ledger.planned),
        unit="users",
        name="users at once",
        note=plan.rate_derivation + ("" if plan.is_steady else ", at the peak"),
    )


def users(_target: Target, evidence: Evidence) -> Measurement | NotMeasured:
    """Registered users of the tier that was run."""
    observed = evidence.facts.get("users")
    if observed is not None:
        return _of_fact(observed, "the user base")
    return Measurement(
        estimate=exact(float(evidence.plan.tier.load.users)),
        unit="users",
        name="the user base",
        note="users of the tier the load stands for",
    )


def units(_target: Target, evidence: Evidence) -> Measurement | NotMeasured:
    """Rental units (gîtes) in the data."""
    observed = evidence.facts.get("units")
    if observed is not None:
        return _of_fact(observed, "the stock of units")
    data = evidence.plan.tier.data
    return Measurement(
        estimate=exact(data.tenants * data.units_per_tenant),
        unit="units",
        name="the stock of units",
        note="as planned for the tier's data",
    )


def monthly_requests_projected(_target: Target, evidence: Evidence) -> Measurement | NotMeasured:
    """Requests of 30 days if the offered rate were the mean of them: an upper estimate (X-33)."""
    return Measurement(
        estimate=exact(evidence.findings.offered_per_s, samples=evidence.findings.ledger.planned),
        unit="requests/s",
        name="the offered rate, kept up as a mean for 30 days,",
    )


def _fact(name: str, words: str) -> Metric:
    """A metric that is one observed fact."""

    def metric(_target: Target, evidence: Evidence) -> Measurement | NotMeasured:
        observed = evidence.facts.get(name)
        if observed is None:
            return NotMeasured(why=f"this run did not observe {words}")
        return _of_fact(observed, words)

    metric.__doc__ = f"Observed: {words}."
    return metric


def _share_of_plan(name: str, base: Metric, limit: str, words: str) -> Metric:
    """A metric that is a share of what the provider's plan allows."""

    def metric(target: Target, evidence: Evidence) -> Measurement | NotMeasured:
        observed = evidence.facts.get(name)
        if observed is not None:
            return _of_fact(observed, words)
        allowed = evidence.facts.get(limit)
        if allowed is None or allowed.value <= 0:
            return NotMeasured(why=f"the tier's plan states no limit for {words}")
        measured = base(target, evidence)
        if isinstance(measured, NotMeasured) or measured.estimate.value is None:
            return measured
        share = convert(measured.estimate.value, measured.unit, allowed.unit) / allowed.value
        return Measurement(
            estimate=exact(share, samples=measured.estimate.samples),
            unit="ratio",
            name=words,
            note=f"{allowed.how}: {allowed.value:,.10g} {allowed.unit}",
        )

    metric.__doc__ = f"Share of the plan's limit: {words}."
    return metric


def _of_fact(fact: Fact, words: str) -> Measurement:
    return Measurement(estimate=exact(fact.value), unit=fact.unit, name=words, note=fact.how)


def _operation(target: Target, evidence: Evidence) -> OperationFinding | NotMeasured:
    if target.operation is None:
        return evidence.findings.overall
    for operation in evidence.findings.operations:
        if operation.operation == target.operation:
            return operation
    names = ", ".join(operation.operation for operation in evidence.findings.operations)
    return NotMeasured(
        why=f"operation {target.operation!r} was not part of this run; it had: {names or 'none'}"
    )


def _who(target: Target) -> str:
    return "all requests" if target.operation is None else target.operation


_database_size = _fact("database_size", "the size of the database")
_database_connections = _fact("database_connections_peak", "the peak of the database's connections")

METRICS: Final[Mapping[str, Metric]] = {
    "response_time": response_time,
    "response_time_max": response_time_max,
    "error_ratio": error_ratio,
    "throughput": throughput,
    "offered_users_at_once": offered_users_at_once,
    "users": users,
    "units": units,
    "tenants": _fact("tenants", "the number of school groups"),
    "module_assignments": _fact("module_assignments", "the number of assigned modules"),
    "bulk_operation_max": _fact("bulk_operation_max", "a bulk operation"),
    "webhook_attempts_max": _fact("webhook_attempts_max", "a delivery of a webhook"),
    "events_projected": _fact("events_projected", "an event that groups are told of"),
    "page_rows_max": _fact("page_rows_max", "the longest page"),
    "second_load_hit": _fact("second_load_hit", "a second load that a cache could answer"),
    "sync_retries_max": _fact("sync_retries_max", "a task of synchronisation"),
    "plan_change_propagation_p99": _fact(
        "plan_change_propagation_p99", "a plan change that reached a listener"
    ),
    "notification_bytes_max": _fact("notification_bytes_max", "a message to a listener"),
    "tier1_index_count": _fact("tier1_index_count", "the tier 1 set of indexes in place"),
    "database_size": _database_size,
    "database_size_of_plan": _share_of_plan(
        "database_size_of_plan",
        _database_size,
        "limit_database_size",
        "the share of the plan's storage",
    ),
    "database_connections_peak": _database_connections,
    "database_connections_of_plan": _share_of_plan(
        "database_connections_of_plan",
        _database_connections,
        "limit_database_connections",
        "the share of the plan's connections",
    ),
    "monthly_requests_projected": monthly_requests_projected,
    "monthly_requests_of_plan": _share_of_plan(
        "monthly_requests_of_plan",
        monthly_requests_projected,
        "limit_monthly_requests",
        "the share of the plan's monthly requests",
    ),
    "database_cpu": _fact("database_cpu", "the processor time of the database"),
    "memory_used": _fact("memory_used", "the memory in use"),
    "slowest_statement_mean": _fact(
        "slowest_statement_mean", "the mean time of the slowest statement"
    ),
}
"""Name in ``tiers.yaml``: how it is measured."""
