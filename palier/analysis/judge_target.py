"""One target against what was measured: pass, fail, inconclusive or not_measured, with why."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

from palier.analysis.compare import (
    compare,
    times_longer_for_percentile,
    times_longer_for_ratio,
)
from palier.analysis.findings import Estimate, Findings, OperationFinding
from palier.analysis.metrics import (
    DEFAULT_PERCENTILE,
    METRICS,
    Evidence,
    Measurement,
    NotMeasured,
)
from palier.analysis.notes import BURSTY
from palier.analysis.percentile import name as percentile_name
from palier.analysis.percentile import requests_needed
from palier.analysis.units import UnitError, convert
from palier.analysis.verdict import TargetState, TargetVerdict
from palier.analysis.wording import duration, limit_text, measured_text, number, share, stated
from palier.errors import ConfigError
from palier.model.target import Comparator, Target

AVOIDED: Final[Mapping[Comparator, Comparator]] = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
"""What must hold so that an alarm stated with the left comparator is not raised."""

OFFERED: Final = ("throughput", "offered_users_at_once", "users", "units")
"""Metrics that a run shows only up to what it offered: less is no failure of the system."""

LONGER_FOR_EPISODES: Final = 10.0
"""A run that saw one stall needs to see several before it can say how many requests they hit."""

KEPT_UP: Final = 0.01
"""With at most this share of errors the system kept up with what was offered."""


def judge_target(target: Target, evidence: Evidence) -> TargetVerdict:
    """The verdict on one target; its numbers are in the target's unit.

    An alarm ("storage > 450 MB: migrate") describes a state to avoid, so it passes while it is
    not raised; the verdict carries the comparator that must hold (``<=``).

    Raises:
        ConfigError: Unknown metric, or a unit that is unknown or does not fit the metric.
    """
    if target.metric is None:
        return _unmeasured(target, target.not_measured or "no metric of ours is this number")
    if target.limit is None:
        return _unmeasured(target, "the source gives no single number to compare with")
    metric = METRICS.get(target.metric)
    if metric is None:
        raise ConfigError(
            what=f"unknown metric {target.metric!r}",
            where=f"target {target.id}",
            fix="use one of: " + ", ".join(METRICS),
        )
    measurement = metric(target, evidence)
    if isinstance(measurement, NotMeasured):
        return _unmeasured(target, measurement.why)
    estimate = _in_unit(target, measurement)
    if estimate.value is None:
        return _refused(target, estimate, evidence.findings)
    comparator = _required(target)
    state: TargetState = compare(estimate, comparator, target.limit, target.limit_high)
    verdict = _verdict(target, estimate, state, comparator)
    text = f"{measurement.name} is {measured_text(verdict, censored=estimate.censored)}, "
    text += limit_text(verdict)
    verdict, extra = _second_thoughts(verdict, target, estimate, evidence)
    if verdict.verdict == "inconclusive" and not extra:
        extra = _what_decides(target, estimate, evidence.findings)
    notes = [text, *([extra] if extra else []), *([measurement.note] if measurement.note else [])]
    return dataclasses.replace(verdict, why="; ".join(notes))


def sentence(target: TargetVerdict) -> str:
    """``"T-52 response time p95 of all requests is 41 ms (38-44), limit < 300 ms"``."""
    if target.verdict == "not_measured":
        return f"{target.id} {target.title} was not measured: {target.why}"
    return f"{target.id} {target.why}"


def _required(target: Target) -> Comparator:
    return (
        AVOIDED.get(target.comparator, target.comparator)
        if target.is_alarm
        else (target.comparator)
    )


def _in_unit(target: Target, measurement: Measurement) -> Estimate:
    estimate = measurement.estimate

    def converted(value: float | None) -> float | None:
        return None if value is None else convert(value, measurement.unit, target.unit)

    try:
        convert(0.0, measurement.unit, target.unit)
        return dataclasses.replace(
            estimate,
            value=converted(estimate.value),
            low=converted(estimate.low),
            high=converted(estimate.high),
        )
    except UnitError as error:
        raise ConfigError(
            what=f"unit {target.unit!r} does not fit metric {target.metric}: {error}",
            where=f"target {target.id}",
            fix=f"state the limit in a unit like {measurement.unit!r}",
        ) from error


def _second_thoughts(
    verdict: TargetVerdict, target: Target, estimate: Estimate, evidence: Evidence
) -> tuple[TargetVerdict, str]:
    """Where comparing the number alone would mislead."""
    if verdict.verdict == "pass" and target.metric in ("response_time", "response_time_max"):
        return _errors_hide_slowness(verdict, target, evidence.findings)
    asks_for_more = verdict.comparator in (">", ">=", "range") and not target.is_alarm
    if target.metric in OFFERED and asks_for_more:
        return _no_more_than_offered(verdict, target, estimate, evidence.findings)
    return verdict, ""


def _errors_hide_slowness(
    verdict: TargetVerdict, target: Target, findings: Findings
) -> tuple[TargetVerdict, str]:
    """Response times of successes say little when too few of the planned requests are among them.

    "p95 < 300 ms" promises that 95 of 100 requests are answered right within 300 ms, so that
    share of the planned ones has to be reached, too; a maximum promises it of every request.
    """
    operation = _operation(target, findings)
    errors = None if operation is None else operation.error_ratio.value
    if operation is None or errors is None:
        return verdict, ""
    fraction = target.percentile if target.percentile is not None else DEFAULT_PERCENTILE
    if target.metric == "response_time_max":
        fraction = 1.0
    assert target.limit is not None  # without a limit nothing is compared
    limit_s = convert(target.limit, target.unit, "s")
    right = dict(operation.right_within).get(limit_s, 1 - errors)
    if min(right, 1 - errors) >= fraction:
        return verdict, ""
    reached = f"{right * 100:.3g} % of the planned requests were answered right within the limit"
    return (
        dataclasses.replace(verdict, verdict="inconclusive"),
        f"{share(errors)} of the requests got no right answer, so it cannot be said that "
        f"{fraction * 100:.10g} % were answered within the limit"
        + (f": {reached}" if limit_s in dict(operation.right_within) else ""),
    )


def _no_more_than_offered(
    verdict: TargetVerdict, target: Target, estimate: Estimate, findings: Findings
) -> tuple[TargetVerdict, str]:
    assert target.limit is not None  # without a limit nothing is compared
    if _known(estimate) >= target.limit:
        beyond = verdict.verdict == "fail" and target.kind == "capacity"
        if not beyond:
            return verdict, ""
        return dataclasses.replace(verdict, verdict="pass"), "more than the stated range"
    errors = findings.overall.error_ratio.value
    kept_up = target.metric != "throughput" or (errors is not None and errors <= KEPT_UP)
    if verdict.verdict == "pass" or not kept_up:
        return verdict, ""
    return (
        dataclasses.replace(verdict, verdict="not_measured"),
        "the run offered no more, so it cannot show whether the system holds "
        f"{stated(target.limit)} {target.unit}; use a larger tier or profile",
    )


def _what_decides(target: Target, estimate: Estimate, findings: Findings) -> str:
    """How long a run would decide, if the number is what it seems."""
    assert target.limit is not None
    if target.metric == "error_ratio":
        in_ratio = dataclasses.replace(
            estimate, value=convert(_known(estimate), target.unit, "ratio")
        )
        times = times_longer_for_ratio(in_ratio, convert(target.limit, target.unit, "ratio"))
    elif target.metric == "response_time":
        fraction = target.percentile if target.percentile is not None else DEFAULT_PERCENTILE
        times = times_longer_for_percentile(estimate, target.limit, fraction)
    else:
        return "the evidence does not decide"
    if times is None:
        return "the evidence does not decide, and a longer run would hardly help"
    if estimate.effective and estimate.samples / estimate.effective >= BURSTY:
        # Of something that happened once, no formula knows how often it happens.
        times = max(times, LONGER_FOR_EPISODES)
    length_s = times * (findings.judged_to_s - findings.judged_from_s)
    length_s += findings.judged_from_s
    return (
        f"undecided with {estimate.samples:,} requests"
        f"{_worth(estimate)}; about {times * estimate.samples:,.0f} would decide "
        f"(--duration {_argument(length_s)} at this rate)"
    )


def _worth(estimate: Estimate) -> str:
    if estimate.effective is None or estimate.effective >= 0.5 * estimate.samples:
        return ""
    return f" (worth {number(estimate.effective)} independent ones)"


def _argument(seconds: float) -> str:
    return duration(seconds).replace(" min", "m").replace(" ", "")


def _known(estimate: Estimate) -> float:
    assert estimate.value is not None  # refused estimates are answered before
    return estimate.value


def _operation(target: Target, findings: Findings) -> OperationFinding | None:
    if target.operation is None:
        return findings.overall
    found = [one for one in findings.operations if one.operation == target.operation]
    return found[0] if found else None


def _refused(target: Target, estimate: Estimate, findings: Findings) -> TargetVerdict:
    why = estimate.refused or "no number could be computed"
    length_s = findings.judged_to_s - findings.judged_from_s
    if target.metric == "response_time" and estimate.samples > 0 and length_s > 0:
        fraction = target.percentile if target.percentile is not None else DEFAULT_PERCENTILE
        needed_s = requests_needed(fraction) / estimate.samples * length_s
        needed_s = 1.1 * needed_s + findings.judged_from_s
        who = "all requests" if target.operation is None else target.operation
        why = (
            f"response time {percentile_name(fraction)} of {who} is not reported: {why}, "
            f"there are {estimate.samples:,} "
            f"(--duration {_argument(needed_s)} gives enough at this rate)"
        )
    return _verdict(target, estimate, "inconclusive", _required(target), why=why)


def _unmeasured(target: Target, why: str) -> TargetVerdict:
    nothing = Estimate(value=None, low=None, high=None, samples=0)
    return _verdict(target, nothing, "not_measured", _required(target), why=why)


def _verdict(
    target: Target,
    estimate: Estimate,
    state: TargetState,
    comparator: Comparator,
    why: str = "",
) -> TargetVerdict:
    return TargetVerdict(
        id=target.id,
        role=target.role,
        kind=target.kind,
        title=target.title,
        metric=target.metric,
        operation=target.operation,
        percentile=target.percentile,
        comparator=comparator,
        limit=target.limit,
        limit_high=target.limit_high,
        unit=target.unit,
        source=target.source,
        measured=estimate.value,
        low=estimate.low,
        high=estimate.high,
        samples=estimate.samples,
        verdict=state,
        why=why,
    )
