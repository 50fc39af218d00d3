"""From the files of a run to its findings: a function of values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from palier.analysis.findings import (
    Aborted,
    Findings,
    LedgerTotals,
    OperationFinding,
    Percentiles,
    SecondPoint,
)
from palier.analysis.health import Measured, check_health
from palier.analysis.notes import make_notes
from palier.analysis.percentile import percentile
from palier.analysis.perseconds import quantile_by_second, share_by_second
from palier.analysis.ratio import NOT_CHARGED, OWN_ERRORS, STOPPED, error_ratio
from palier.analysis.sample import STARTED, Sample, make_sample
from palier.analysis.stages import judge_stages
from palier.analysis.steadiness import judge_steadiness, moves_by_plan
from palier.analysis.units import UNITS, convert
from palier.analysis.window import Window, find_window, planned_window
from palier.load.histogram import bucket_middles_s
from palier.load.schedule import make_schedule
from palier.model.plan import RunPlan

ReportedClock = Literal["response", "service", "lag"]
"""``generator_lag`` is looked at by the fitness check only."""

FRACTIONS: Final = (0.5, 0.9, 0.95, 0.99, 0.999)
"""Percentiles of every report; targets add theirs."""

FEWEST_FOR_P95_OF_A_SECOND: Final = 20
"""Below it the p95 of one second is its maximum, which the figures show anyway."""

COUNTS: Final = (
    "planned",
    "started",
    "skipped",
    "succeeded",
    "failed",
    "timed_out",
    "abandoned",
)


def analyse(
    *,
    plan: RunPlan,
    ledger: pd.DataFrame,
    histograms: pd.DataFrame,
    health_lines: pd.DataFrame,
    telemetry: pd.DataFrame,
    events: Sequence[Mapping[str, Any]],
    run: str,
    missing: Sequence[str] = (),
    schedule_digest: str | None = None,
    certified: Mapping[str, Any] | None = None,
) -> Findings:
    """Everything the verdict and the reports need about a run.

    Args:
        plan: What was to be done.
        ledger: ``ledger.parquet``: one row for each planned second and operation.
        histograms: ``histograms.parquet``: second, operation, outcome, clock, bucket, count.
        health_lines: One row for each line of a loader (``palier.analysis.health``).
        telemetry: ``telemetry.parquet``: at_s, source, name, value; may be empty.
        events: ``events.jsonl``; may be empty.
        run: Name of the run directory.
        missing: Sentences about files that are absent or cut short; they become notes.
        schedule_digest: Of the schedule that was played. When given, the schedule is drawn again
            from the plan, and the ledger has to be about it.
        certified: Limits of this machine as `palier selftest` found them, if it did.
    """
    stopped = was_interrupted(ledger, events)
    aborted = was_aborted(ledger, events)
    whole = not stopped and aborted is None
    end_s = plan.duration_s if whole else _end_of_load_s(ledger)
    responses = make_sample(histograms, clock="response")
    seconds = math.ceil(plan.duration_s)
    medians_s = quantile_by_second(responses, 0.5, seconds=seconds, worst=True)
    if plan.is_steady:
        window = find_window(medians_s, warmup_s=plan.warmup_s, end_s=end_s)
    else:
        window = planned_window(warmup_s=plan.warmup_s, end_s=end_s)

    judged = ledger.loc[(ledger["second"] >= window.from_s) & (ledger["second"] < window.to_s)]
    fractions, limits_s = _fractions(plan), _limits_s(plan)
    overall = _operation("all", judged, histograms, window, fractions, limits_s, operation=None)
    operations = tuple(
        _operation(
            name,
            judged.loc[judged["operation"] == name],
            histograms,
            window,
            fractions,
            limits_s,
            operation=name,
        )
        for name in judged["operation"].astype(str).unique()
    )
    totals = ledger_totals(ledger)
    if plan.is_steady:
        judged_seconds = slice(int(window.from_s), math.ceil(window.to_s))
        steadiness = judge_steadiness(
            medians_s[judged_seconds],
            _slow_shares(responses, overall, seconds)[judged_seconds],
            settled=window.settled,
            warmup_found_s=window.from_s,
        )
    else:
        steadiness = moves_by_plan(warmup_found_s=window.from_s)
    measured = Measured(
        plan=plan,
        ledger=ledger,
        totals=totals,
        histograms=histograms,
        health=health_lines,
        from_s=window.from_s,
        to_s=window.to_s,
        schedule_digest=schedule_digest,
        schedule=None if schedule_digest is None else make_schedule(plan),
        events=events,
        certified=certified,
    )
    lag = make_sample(histograms, clock="lag", from_s=window.from_s, exact=STARTED, censored=())
    return Findings(
        run=run,
        interrupted=stopped,
        window_s=plan.duration_s,
        judged_from_s=window.from_s,
        judged_to_s=window.to_s,
        offered_per_s=totals.planned / plan.duration_s,
        achieved_per_s=totals.started / plan.duration_s,
        throughput_per_s=totals.succeeded / plan.duration_s,
        ledger=totals,
        overall=overall,
        operations=operations,
        lag=_percentiles("lag", lag, fractions),
        seconds=_seconds(ledger, histograms, responses, seconds),
        health=check_health(measured),
        notes=(
            *(f"{text[:1].upper()}{text[1:]}." for text in missing),
            *make_notes(
                plan=plan,
                window=window,
                overall=overall,
                responses=responses,
                telemetry=telemetry,
            ),
        ),
        errors_left_out=_errors_left_out(ledger, plan, window),
        steadiness=steadiness,
        stages=judge_stages(plan, window, histograms, medians_s),
        aborted=aborted,
    )


def was_interrupted(ledger: pd.DataFrame, events: Sequence[Mapping[str, Any]]) -> bool:
    """True when steps were left out because somebody stopped the run, or an event says so."""
    return bool(ledger["skipped_interrupted"].sum() > 0) or any(
        "interrupted" in (event.get("kind"), event.get("name")) for event in events
    )


def was_aborted(ledger: pd.DataFrame, events: Sequence[Mapping[str, Any]]) -> Aborted | None:
    """The abort rule that stopped the run; unnamed when only the ledger tells of one."""
    for event in events:
        if event.get("kind") == "abort":
            return Aborted(
                rule=str(event.get("rule", "unknown")),
                at_s=float(event.get("at_s", 0.0)),
                why=str(event.get("why", "an abort rule stopped the run")),
            )
    if ledger["skipped_aborted"].sum() > 0:
        why = "an abort rule stopped the run; no event says which"
        return Aborted(rule="unknown", at_s=_end_of_load_s(ledger), why=why)
    return None


def ledger_totals(ledger: pd.DataFrame) -> LedgerTotals:
    """Sums of the rows; reasons of skips that occurred, most frequent first."""
    reasons = sorted(
        (
            (-int(ledger[column].sum()), column.removeprefix("skipped_"))
            for column in ledger.columns
            if column.startswith("skipped_")
        ),
    )
    return LedgerTotals(
        **{name: int(ledger[name].sum()) for name in COUNTS},
        skipped_reasons=tuple((reason, -minus) for minus, reason in reasons if minus),
    )


def _end_of_load_s(ledger: pd.DataFrame) -> float:
    """End of the last second in which anything but being stopped happened."""
    driven = ledger.loc[ledger["planned"] > ledger[list(STOPPED)].sum(axis=1), "second"]
    return float(driven.max()) + 1 if len(driven) else 0.0


def _fractions(plan: RunPlan) -> tuple[float, ...]:
    asked = {target.percentile for target in plan.tier.targets if target.percentile is not None}
    return tuple(sorted({*FRACTIONS, *asked}))


def _limits_s(plan: RunPlan) -> tuple[float, ...]:
    limits_s = (
        convert(target.limit, target.unit, "s")
        for target in plan.tier.targets
        if target.metric == "response_time"
        and target.limit is not None
        and target.unit in UNITS
        and UNITS[target.unit].dimension == "time"
    )
    return tuple(sorted(set(limits_s)))


def _errors_left_out(ledger: pd.DataFrame, plan: RunPlan, window: Window) -> int:
    second = ledger["second"]
    cut = ledger.loc[(second >= math.ceil(plan.warmup_s)) & (second < window.from_s)]
    return int(cut[list(OWN_ERRORS)].to_numpy().sum())


def _operation(
    name: str,
    judged: pd.DataFrame,
    histograms: pd.DataFrame,
    window: Window,
    fractions: Sequence[float],
    limits_s: Sequence[float],
    *,
    operation: str | None,
) -> OperationFinding:
    def clock(which: ReportedClock) -> Percentiles:
        sample = make_sample(histograms, clock=which, operation=operation, from_s=window.from_s)
        return _percentiles(which, sample, fractions)

    totals = ledger_totals(judged)
    length_s = window.length_s
    return OperationFinding(
        operation=name,
        ledger=totals,
        response=clock("response"),
        service=clock("service"),
        error_ratio=error_ratio(judged),
        goodput_per_s=totals.succeeded / length_s if length_s > 0 else 0.0,
        right_within=_right_within(judged, histograms, window, limits_s, operation=operation),
    )


def _right_within(
    judged: pd.DataFrame,
    histograms: pd.DataFrame,
    window: Window,
    limits_s: Sequence[float],
    *,
    operation: str | None,
) -> tuple[tuple[float, float], ...]:
    """Right answers within each limit over what was planned; whatever else happened is neither."""
    planned = int(judged["planned"].sum()) - int(judged[list(NOT_CHARGED)].to_numpy().sum())
    if planned <= 0:
        return ()
    right = make_sample(
        histograms, clock="response", operation=operation, from_s=window.from_s, censored=()
    )
    durations_s = bucket_middles_s(right.bucket)
    # Steps that slipped over the start of the window count here and are not planned in it.
    return tuple(
        (limit_s, min(1.0, int(right.count[durations_s <= limit_s].sum()) / planned))
        for limit_s in limits_s
    )


def _percentiles(clock: ReportedClock, sample: Sample, fractions: Sequence[float]) -> Percentiles:
    """Mean and maximum take censored requests at what was waited, so they are lower bounds."""
    durations_s = bucket_middles_s(sample.bucket)
    some = sample.size > 0
    return Percentiles(
        clock=clock,
        mean_s=float(durations_s @ sample.count) / sample.size if some else None,
        max_s=float(durations_s.max()) if some else None,
        points=tuple((fraction, percentile(sample, fraction)) for fraction in fractions),
    )


def _slow_shares(responses: Sample, overall: OperationFinding, seconds: int) -> NDArray[np.float64]:
    """Share of each second's requests above the judged window's 90th percentile."""
    p90 = dict(overall.response.points)[0.9].value
    if p90 is None:
        return np.full(seconds, np.nan)
    return share_by_second(responses, p90, seconds=seconds)


def _seconds(
    ledger: pd.DataFrame, histograms: pd.DataFrame, responses: Sample, seconds: int
) -> tuple[SecondPoint, ...]:
    by_second = ledger.groupby("second")
    counts = {
        name: by_second[name].sum().reindex(range(seconds), fill_value=0).to_numpy(np.int64)
        for name in COUNTS
    }
    services = make_sample(histograms, clock="service")
    fewest = FEWEST_FOR_P95_OF_A_SECOND
    p50 = quantile_by_second(responses, 0.5, seconds=seconds)
    p95 = quantile_by_second(responses, 0.95, seconds=seconds, fewest=fewest)
    most = quantile_by_second(responses, 1.0, seconds=seconds)
    service_p95 = quantile_by_second(services, 0.95, seconds=seconds, fewest=fewest)
    return tuple(
        SecondPoint(
            second=second,
            **{name: int(values[second]) for name, values in counts.items()},
            response_p50_s=_number(p50[second]),
            response_p95_s=_number(p95[second]),
            response_max_s=_number(most[second]),
            service_p95_s=_number(service_p95[second]),
        )
        for second in range(seconds)
    )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
