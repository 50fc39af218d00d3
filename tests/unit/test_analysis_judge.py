"""Targets one by one: against intervals, in their units, and the traps of comparing numbers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from analysis_runs import (
    ERROR_GATE,
    P95_GATE,
    Played,
    changed,
    health_lines,
    make_plan,
    no_telemetry,
    play,
)

from palier.analysis.analyse import analyse
from palier.analysis.compare import compare, times_longer_for_percentile, times_longer_for_ratio
from palier.analysis.facts import Fact, facts_by_name, plan_limit_facts
from palier.analysis.findings import Estimate, Findings
from palier.analysis.judge import judge
from palier.analysis.judge_target import judge_target
from palier.analysis.metrics import METRICS, Evidence
from palier.analysis.units import UnitError, convert
from palier.analysis.verdict import TargetVerdict, Verdict
from palier.errors import ConfigError, ExitCode
from palier.model.metric import METRICS as STATED_METRICS
from palier.model.plan import RunPlan
from palier.model.target import Comparator, Target
from palier.model.tier import Plan


def estimate(value: float | None, low: float | None, high: float | None, **more: Any) -> Estimate:
    return Estimate(value=value, low=low, high=high, samples=1_000, **more)


def found(played: Played, plan: RunPlan) -> Findings:
    return analyse(
        plan=plan,
        ledger=played.ledger(),
        histograms=played.histograms(),
        health_lines=health_lines(seconds=int(plan.duration_s)),
        telemetry=no_telemetry(),
        events=(),
        run="20261121T090000Z-lou-2-steady",
    )


def judged(
    target: Target, played: Played | None = None, *facts: Fact, **plan: Any
) -> TargetVerdict:
    run = make_plan(target, **plan)
    played = played or play(np.random.default_rng(1))
    return judge_target(
        target, Evidence(plan=run, findings=found(played, run), facts=facts_by_name(facts))
    )


def run_verdict(played: Played, *facts: Fact, **plan: Any) -> Verdict:
    run = make_plan(P95_GATE, ERROR_GATE, **plan)
    return judge(run, found(played, run), facts)


def target(**changes: Any) -> Target:
    return dataclasses.replace(P95_GATE, **changes)


def fact_target(
    metric: str, comparator: Comparator, limit: float, unit: str, **more: Any
) -> Target:
    return target(
        metric=metric, comparator=comparator, limit=limit, unit=unit, percentile=None, **more
    )


@pytest.mark.parametrize(
    ("comparator", "low", "high", "state"),
    [
        ("<", 250, 299.9, "pass"),
        ("<", 250, 300, "inconclusive"),
        ("<", 290, 310, "inconclusive"),
        ("<", 300, 310, "fail"),
        ("<", None, None, "inconclusive"),
        ("<", 250, None, "inconclusive"),
        ("<", 301, None, "fail"),
        ("<=", 250, 300, "pass"),
        ("<=", 300, 310, "inconclusive"),
        ("<=", 300.1, 310, "fail"),
        (">", 300, 310, "inconclusive"),
        (">", 300.1, None, "pass"),
        (">", 250, 300, "fail"),
        (">=", 300, 310, "pass"),
        (">=", 290, 299.9, "fail"),
        (">=", 290, 310, "inconclusive"),
        (">=", None, 310, "inconclusive"),
    ],
)
def test_a_target_is_met_or_missed_by_the_whole_interval(
    comparator: Comparator, low: float | None, high: float | None, state: str
) -> None:
    middle = (low or high or 300) + 0.05
    assert compare(estimate(middle, low, high), comparator, 300) == state


def test_equality_is_about_the_value_itself() -> None:
    assert compare(estimate(8, 8, 8), "=", 8) == "pass"
    assert compare(estimate(7, 7, 7), "=", 8) == "fail"
    assert compare(estimate(0, 0, 0.01), "=", 0) == "pass"
    assert compare(estimate(7, 7, None, censored=True), "=", 8) == "inconclusive"
    assert compare(estimate(9, 9, None, censored=True), "=", 8) == "fail"


def test_a_range_has_two_ends_and_about_is_a_fifth_to_either_side() -> None:
    assert compare(estimate(7, 6, 8), "range", 5, 10) == "pass"
    assert compare(estimate(7, 4, 8), "range", 5, 10) == "inconclusive"
    assert compare(estimate(12, 11, 13), "range", 5, 10) == "fail"
    assert compare(estimate(3.1, 2.9, 3.3), "approx", 3) == "pass"
    assert compare(estimate(4, 3.8, 4.2), "approx", 3) == "fail"
    assert compare(estimate(3.5, 3.2, 3.8), "approx", 3) == "inconclusive"


def test_a_number_that_is_no_number_never_passes() -> None:
    nan = float("nan")
    for comparator in ("<", "<=", ">", ">=", "=", "range", "approx"):
        assert compare(estimate(nan, nan, nan), comparator, 3, 4) != "pass"  # type: ignore[arg-type]
        assert compare(estimate(None, None, None), comparator, 3, 4) == "inconclusive"  # type: ignore[arg-type]


def test_the_needed_sample_grows_with_the_square_of_how_near_the_limit_is() -> None:
    near = estimate(0.296, 0.285, 0.309, effective=900.0)
    times = times_longer_for_percentile(near, 0.300, 0.95)
    assert times == pytest.approx((0.013 / 0.004) ** 2)
    assert times_longer_for_percentile(estimate(0.3, 0.2, 0.4), 0.3, 0.95) is None
    topless = estimate(0.05, 0.04, None, effective=36.0)
    assert times_longer_for_percentile(topless, 0.3, 0.95) == pytest.approx(73 / 36, rel=0.02)


def test_the_needed_sample_of_a_ratio_really_decides() -> None:
    """No error in 223 requests shows less than 1.64 %; below 1 % takes 368."""
    zero = estimate(0.0, 0.0, 0.0164, effective=223.0)
    times = times_longer_for_ratio(zero, 0.01)
    assert times is not None
    assert 368 <= 223 * times <= 1.15 * 368
    assert times_longer_for_ratio(estimate(0.02, 0.01, 0.03, effective=100.0), 0.01) is None


def test_units_are_converted_and_strangers_refused() -> None:
    assert convert(0.3, "s", "ms") == pytest.approx(300)
    assert convert(0.005, "ratio", "%") == pytest.approx(0.5)
    assert convert(500e6, "bytes", "MB") == pytest.approx(500)
    assert convert(8, "GB", "MB") == pytest.approx(8_000)
    assert convert(10, "requests/s", "requests/min") == pytest.approx(600)
    assert convert(1, "requests/s", "requests/month") == pytest.approx(2_592_000)
    assert convert(7, "users", "users") == 7
    with pytest.raises(UnitError, match="did you mean 'ms'"):
        convert(1, "s", "mss")
    with pytest.raises(UnitError, match="cannot be compared"):
        convert(1, "s", "MB")
    with pytest.raises(UnitError, match="unknown"):
        convert(1, "furlong", "furlong")


def test_every_metric_a_tier_can_name_is_measured_in_every_unit_it_can_be_stated_in() -> None:
    assert set(METRICS) == set(STATED_METRICS)
    named = (
        *(("users", 1.0, "users"), ("units", 1.0, "units"), ("page_rows_max", 50.0, "rows")),
        *(("tier1_index_count", 8.0, "indexes"), ("database_size", 1e9, "bytes")),
        *(("database_connections_peak", 20.0, "connections"), ("database_cpu", 0.4, "ratio")),
        *(("memory_used", 0.5, "ratio"), ("slowest_statement_mean", 12.0, "ms")),
        *(("limit_database_size", 8.0, "GB"), ("limit_database_connections", 200.0, "connections")),
        *(("limit_monthly_requests", 5e6, "requests/month"), ("second_load_hit", 0.9, "ratio")),
        *(("sync_retries_max", 1.0, "retries"), ("plan_change_propagation_p99", 0.2, "s")),
        *(("notification_bytes_max", 300.0, "B"), ("tenants", 500.0, "tenants")),
        *(("module_assignments", 5e4, "rows"), ("bulk_operation_max", 0.4, "s")),
        *(("webhook_attempts_max", 3.0, "attempts"), ("events_projected", 2e6, "events/month")),
    )
    facts = [Fact(name=name, value=value, unit=unit, how="made up") for name, value, unit in named]
    played = play(np.random.default_rng(1))
    for name, stated in STATED_METRICS.items():
        for unit in stated.units:
            verdict = judged(target(metric=name, comparator="<", unit=unit), played, *facts)
            assert verdict.verdict in ("pass", "fail", "inconclusive"), name
            assert verdict.measured is not None


@pytest.mark.covers("T-52")
def test_the_sentence_of_a_gate_has_number_interval_and_limit() -> None:
    verdict = judged(P95_GATE)
    assert verdict.verdict == "pass"
    assert verdict.measured == pytest.approx(91, abs=4)
    assert verdict.why.startswith("response time p95 of all requests is 9")
    assert "ms (8" in verdict.why
    assert verdict.why.endswith("limit < 300 ms")


def test_a_target_of_one_operation_is_judged_on_it() -> None:
    assert judged(target(operation="list")).why.startswith("response time p95 of list is")
    absent = judged(target(operation="sign_in"))
    assert absent.verdict == "not_measured"
    assert "sign_in" in absent.why
    assert "list" in absent.why


def test_a_response_time_without_a_stated_percentile_is_judged_at_p95_and_says_so() -> None:
    verdict = judged(target(percentile=None))
    assert verdict.verdict == "pass"
    assert "names no percentile" in verdict.why


def test_a_percentile_that_only_a_target_asks_for_is_computed() -> None:
    assert judged(target(percentile=0.8)).why.startswith("response time p80 ")


def test_a_refused_percentile_says_how_long_a_run_would_have_to_be() -> None:
    verdict = judged(P95_GATE, play(np.random.default_rng(1), rate=1), rate=1)
    assert verdict.verdict == "inconclusive"
    assert verdict.measured is None
    assert "at least 200 requests" in verdict.why
    assert "--duration" in verdict.why


def test_an_undecided_target_says_how_many_requests_would_decide() -> None:
    verdict = judged(P95_GATE, play(np.random.default_rng(1), median_s=0.13))
    assert verdict.verdict == "inconclusive"
    assert "would decide (--duration " in verdict.why


@pytest.mark.covers("T-67")
def test_an_error_ratio_is_judged_in_percent() -> None:
    played = play(np.random.default_rng(1))
    assert judged(ERROR_GATE, played).verdict == "pass"
    some = changed(played, np.arange(len(played.intended_s)) % 20 == 0, "failed")
    verdict = judged(ERROR_GATE, some)
    assert verdict.verdict == "fail"
    assert verdict.measured == pytest.approx(5, abs=0.3)


@pytest.mark.covers("T-68")
def test_each_request_means_the_slowest_one() -> None:
    each = target(metric="response_time_max", percentile=None, limit=500)
    assert judged(each).verdict == "pass"
    frozen = play(np.random.default_rng(1), freezes=[(20, 2)])
    assert judged(each, frozen).verdict == "fail"


def test_a_slowest_response_that_never_came_is_at_least_what_was_waited() -> None:
    each = target(metric="response_time_max", percentile=None, limit=500)
    played = play(np.random.default_rng(1))
    lost = np.arange(len(played.intended_s)) == 3_000
    early = judged(each, changed(played, lost, "abandoned"))
    assert early.verdict == "inconclusive"
    assert early.why.startswith("slowest response of all requests is >=")
    waited = dataclasses.replace(played, ended_s=played.ended_s + lost * 9.0)
    assert judged(each, changed(waited, lost, "timed_out")).verdict == "fail"


def test_fast_failures_cannot_pass_a_response_time() -> None:
    """Half the requests fail at once; the other half is fast because of it."""
    played = play(np.random.default_rng(1))
    half = changed(played, np.arange(len(played.intended_s)) % 2 == 0, "failed")
    verdict = judged(P95_GATE, half)
    assert verdict.verdict == "inconclusive"
    assert "no right answer" in verdict.why


@pytest.mark.covers("T-105", "T-112")
def test_an_alarm_passes_while_it_is_not_raised() -> None:
    alarm = fact_target("database_size", ">", 450, "MB", kind="critical")
    calm = judged(alarm, None, Fact(name="database_size", value=2e8, unit="bytes", how="seen"))
    raised = judged(alarm, None, Fact(name="database_size", value=5e8, unit="bytes", how="seen"))
    assert (calm.verdict, calm.measured, calm.comparator) == ("pass", 200, "<=")
    assert (raised.verdict, raised.measured) == ("fail", 500)


def test_a_fact_has_no_sampling_error() -> None:
    rows = fact_target("page_rows_max", "<=", 50, "rows")
    verdict = judged(rows, None, Fact(name="page_rows_max", value=50, unit="rows", how="seen"))
    assert (verdict.verdict, verdict.low, verdict.high) == ("pass", 50, 50)


def test_a_missing_fact_is_not_measured() -> None:
    verdict = judged(fact_target("page_rows_max", "<=", 50, "rows"))
    assert verdict.verdict == "not_measured"
    assert "did not observe" in verdict.why


@pytest.mark.covers("T-122", "T-125")
def test_a_share_of_the_plan_needs_the_plan_and_the_fact() -> None:
    share = fact_target("database_size_of_plan", ">", 75, "%", kind="alert")
    size = Fact(name="database_size", value=4e9, unit="bytes", how="seen")
    provider = Plan(
        id="pro",
        title="Pro",
        price_per_month=25,
        currency="EUR",
        limits=(("storage_gb", 8.0), ("connections", 200.0), ("bandwidth_gb", 500.0)),
        source="004",
    )
    assert judged(share, None, size).verdict == "not_measured"
    assert judged(share, None, *plan_limit_facts(provider)).verdict == "not_measured"
    verdict = judged(share, None, size, *plan_limit_facts(provider))
    assert (verdict.verdict, verdict.measured) == ("pass", 50)


def test_a_run_that_offered_less_does_not_fail_a_capacity() -> None:
    """100 requests/s were offered and answered: that says nothing about 1,000."""
    capacity = fact_target("throughput", ">=", 1_000, "requests/s", kind="capacity")
    verdict = judged(capacity)
    assert verdict.verdict == "not_measured"
    assert "offered" in verdict.why
    at_once = fact_target("offered_users_at_once", ">=", 7_000, "users", kind="capacity")
    assert judged(at_once).verdict == "not_measured"


def test_a_system_that_did_not_keep_up_fails_a_capacity() -> None:
    played = play(np.random.default_rng(1))
    half = changed(played, np.arange(len(played.intended_s)) % 2 == 0, "timed_out")
    capacity = fact_target("throughput", ">=", 80, "requests/s", kind="capacity")
    assert judged(capacity, half).verdict == "fail"
    assert judged(capacity, played).verdict == "pass"


def test_more_than_a_capacity_range_is_not_a_failure() -> None:
    capacity = fact_target(
        "throughput", "range", 500, "requests/min", limit_high=1_000, kind="capacity"
    )
    verdict = judged(capacity)
    assert verdict.verdict == "pass"
    assert "more than the stated range" in verdict.why


def test_a_number_nobody_can_measure_says_why() -> None:
    uptime = target(metric=None, not_measured="A run of minutes cannot prove months.")
    assert judged(uptime).why == "A run of minutes cannot prove months."
    stated = target(limit=None)
    assert judged(stated).verdict == "not_measured"


def test_an_unknown_metric_or_unit_is_an_error_of_the_file() -> None:
    plan = make_plan(rate=10)
    evidence = Evidence(
        plan=plan, findings=found(play(np.random.default_rng(1), rate=10), plan), facts={}
    )
    odd = target()
    object.__setattr__(odd, "metric", "speed")  # the reader of the file refuses it already
    with pytest.raises(ConfigError, match="unknown metric 'speed'"):
        judge_target(odd, evidence)
    with pytest.raises(ConfigError, match="does not fit"):
        judge_target(target(unit="MB"), evidence)


def test_a_calm_run_passes_and_names_the_tightest_gate() -> None:
    verdict = run_verdict(play(np.random.default_rng(1)))
    assert verdict.verdict == "PASS"
    assert verdict.exit_code is ExitCode.PASS
    assert verdict.reasons[0].startswith("T-52 response time p95 of all requests is")
    assert "headroom" in verdict.reasons[0]


def test_a_pass_with_a_lost_worker_says_that_it_is_a_degraded_one() -> None:
    run = make_plan(P95_GATE, ERROR_GATE)
    findings = found(play(np.random.default_rng(1)), run)
    allowed = [
        dataclasses.replace(check, measured="degraded: loader 1 stopped reporting at 20 s")
        if check.name == "loaders"
        else check
        for check in findings.health
    ]

    verdict = judge(run, dataclasses.replace(findings, health=tuple(allowed)), ())

    assert verdict.verdict == "PASS"
    assert verdict.reasons[-1] == "loaders: degraded: loader 1 stopped reporting at 20 s"


def test_a_slow_run_fails_and_says_the_number_first() -> None:
    verdict = run_verdict(play(np.random.default_rng(1), median_s=0.5))
    assert verdict.verdict == "FAIL"
    assert verdict.exit_code is ExitCode.GATE_FAILED
    assert verdict.reasons[0].startswith("T-52 response time p95 of all requests is 1,1")


def test_a_stall_is_charged_to_every_request_that_should_have_been_sent_during_it() -> None:
    """The example of docs/method.md: 200 requests/s, nothing answers for 3 s.

    A tool that times from the sending of a closed loop would have recorded a handful of slow
    requests; p95 and p99 here are those of the log of intended starts and ends.
    """
    played = play(
        np.random.default_rng(1), duration_s=30, rate=200, median_s=0.005, freezes=[(12, 3)]
    )
    plan = make_plan(P95_GATE, ERROR_GATE, duration_s=30, rate=200)
    points = dict(found(played, plan).overall.response.points)
    judged_part = played.intended_s >= 5
    log = (played.ended_s - played.intended_s)[judged_part]
    for fraction in (0.95, 0.99):
        assert points[fraction].value == pytest.approx(np.quantile(log, fraction), rel=0.02)
    assert points[0.95].value is not None
    assert points[0.95].value > 1.5
    assert judge(plan, found(played, plan), ()).verdict != "PASS"


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("rate", [20.0, 200.0])
@pytest.mark.parametrize("for_ever", [True, False])
def test_a_freeze_of_the_last_five_seconds_never_passes(
    seed: int, rate: float, for_ever: bool
) -> None:
    """Abandoned when the drain ends, or answered late in it: slow either way, never dropped."""
    length_s = 1_000.0 if for_ever else 5.0
    played = play(np.random.default_rng(seed), duration_s=30, rate=rate, freezes=[(25.0, length_s)])
    verdict = run_verdict(played, duration_s=30, rate=rate)
    assert verdict.verdict != "PASS"
    if for_ever:
        assert verdict.ledger.abandoned > 0
        assert verdict.verdict == "FAIL"


@pytest.mark.parametrize("at_s", [8.0, 15.0, 25.0])
def test_a_system_killed_in_the_middle_fails(at_s: float) -> None:
    played = play(np.random.default_rng(1), duration_s=30, rate=50)
    verdict = run_verdict(
        changed(played, played.intended_s > at_s, "failed"), duration_s=30, rate=50
    )
    assert verdict.verdict == "FAIL"
    assert verdict.reasons[0].startswith("T-67")


def test_an_interrupted_run_never_passes() -> None:
    played = play(np.random.default_rng(1))
    stopped = changed(played, played.intended_s > 45, "skipped_interrupted")
    verdict = run_verdict(stopped)
    assert verdict.verdict == "INCONCLUSIVE"
    assert verdict.exit_code is ExitCode.INTERRUPTED
    assert "interrupted after 45 s of 60 s" in verdict.reasons[0]


def test_a_drifting_run_never_passes() -> None:
    rng = np.random.default_rng(1)
    played = play(rng, median_s=0.02)
    slower = played.intended_s / 60
    drifting = dataclasses.replace(
        played, ended_s=played.ended_s + (played.ended_s - played.started_s) * slower * 1.5
    )
    verdict = run_verdict(drifting)
    assert verdict.verdict == "INCONCLUSIVE"
    assert "not steady" in verdict.reasons[0]


def test_a_run_without_requests_is_invalid() -> None:
    nothing = Played(
        intended_s=np.array([]),
        started_s=np.array([]),
        ended_s=np.array([]),
        outcome=np.array([], dtype="U24"),
    )
    verdict = run_verdict(nothing)
    assert verdict.verdict == "INVALID"
    assert "no request was planned" in verdict.reasons[0]
    assert verdict.exit_code is ExitCode.UNDECIDED


def test_other_targets_can_be_judged_on_the_same_findings() -> None:
    plan = make_plan(P95_GATE, rate=50)
    findings = found(play(np.random.default_rng(1), rate=50), plan)
    strict = dataclasses.replace(P95_GATE, id="T-01", limit=10)
    assert judge(plan, findings, (), targets=[strict]).verdict == "FAIL"
    assert judge(plan, findings, (), targets=[]).verdict == "INCONCLUSIVE"
