"""The truth table of the verdict, for every combination of what can go wrong."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from palier.analysis.compare import compare
from palier.analysis.findings import (
    Estimate,
    Findings,
    HealthCheck,
    LedgerTotals,
    OperationFinding,
    Percentiles,
    Steadiness,
)
from palier.analysis.invariants import Invariant, InvariantState
from palier.analysis.judge import decide
from palier.analysis.verdict import TargetState, TargetVerdict, Verdict
from palier.errors import ExitCode

STATES: tuple[TargetState, ...] = ("pass", "fail", "inconclusive", "not_measured")
ROLES = ("gate", "goal", "info")
NOTHING = Estimate(value=None, low=None, high=None, samples=0, refused="none")


def target(state: TargetState, role: str, number: int) -> TargetVerdict:
    return TargetVerdict(
        id=f"T-{number}",
        role=role,
        kind="slo",
        title="API latency",
        metric="response_time",
        operation=None,
        percentile=0.95,
        comparator="<",
        limit=300.0,
        limit_high=None,
        unit="ms",
        source="002",
        measured=41.0,
        low=38.0,
        high=44.0,
        samples=1_000,
        verdict=state,
        why="response time p95 of all requests is 41 ms (38-44), limit < 300 ms",
    )


def findings(
    *, fit: tuple[bool, ...], steady: bool | None, tested: bool, interrupted: bool, succeeded: int
) -> Findings:
    ledger = LedgerTotals(
        planned=succeeded,
        started=succeeded,
        skipped=0,
        succeeded=succeeded,
        failed=0,
        timed_out=0,
        abandoned=0,
    )
    clocks = [
        Percentiles(clock=clock, mean_s=None, max_s=None, points=())
        for clock in ("response", "service", "lag")  # type: ignore[misc]
    ]
    return Findings(
        run="a-run",
        interrupted=interrupted,
        window_s=60.0,
        judged_from_s=5.0,
        judged_to_s=60.0,
        offered_per_s=1.0,
        achieved_per_s=1.0,
        throughput_per_s=1.0,
        ledger=ledger,
        overall=OperationFinding(
            operation="all",
            ledger=ledger,
            response=clocks[0],
            service=clocks[1],
            error_ratio=NOTHING,
            goodput_per_s=1.0,
        ),
        operations=(),
        lag=clocks[2],
        seconds=(),
        health=tuple(
            HealthCheck(name=f"check {i}", ok=ok, measured="1", limit="2", why="because")
            for i, ok in enumerate(fit)
        ),
        notes=(),
        steadiness=Steadiness(steady=steady, why="seen") if tested else None,
    )


runs = st.builds(
    findings,
    fit=st.lists(st.sampled_from([True, True, True, False]), max_size=4).map(tuple),
    steady=st.sampled_from([True, True, False, None]),
    tested=st.sampled_from([True, True, False]),
    interrupted=st.booleans(),
    succeeded=st.sampled_from([0, 1_000]),
)
targets = st.lists(
    st.builds(
        target,
        st.sampled_from(STATES),
        st.sampled_from(ROLES),
        st.integers(min_value=1, max_value=219),
    ),
    max_size=6,
)


def invariant(state: InvariantState) -> Invariant:
    return Invariant(
        id="no-overlapping-stays",
        holds_when="No two stays share a night",
        how="looked",
        state=state,
        checked=10,
        violations=1 if state == "violated" else 0,
        examples=("gîte 1",) if state == "violated" else (),
        why="the database was gone" if state == "not_checked" else "",
    )


invariants = st.lists(
    st.builds(
        invariant, st.sampled_from(["held", "held", "violated", "not_checked", "not_applicable"])
    ),
    max_size=4,
)


@given(runs, targets, invariants)
def test_the_verdict_is_that_of_the_truth_table(
    run: Findings, judged: list[TargetVerdict], looked_for: list[Invariant]
) -> None:
    verdict, reasons = decide(run, judged, looked_for)
    states = {one.state for one in looked_for}
    gates = [one.verdict for one in judged if one.role == "gate"]
    fit = bool(run.health) and all(check.ok for check in run.health)
    whole = not run.interrupted and run.overall.ledger.succeeded > 0
    steady = run.steadiness is not None and run.steadiness.steady is True
    right = "not_checked" not in states
    if "violated" in states:
        expected = "FAIL"
        assert "invariant no-overlapping-stays is broken" in reasons[0]
    elif not fit:
        expected = "INVALID"
    elif "fail" in gates:
        expected = "FAIL"
    elif whole and steady and right and gates and set(gates) == {"pass"}:
        expected = "PASS"
    else:
        expected = "INCONCLUSIVE"
    assert verdict == expected
    assert reasons
    assert all(reasons)


@given(runs, targets)
def test_goals_and_information_never_change_the_verdict(
    run: Findings, judged: list[TargetVerdict]
) -> None:
    gates = [one for one in judged if one.role == "gate"]
    assert decide(run, judged) == decide(run, gates)


@given(runs, targets)
def test_only_a_pass_of_a_whole_run_ends_with_zero(
    run: Findings, judged: list[TargetVerdict]
) -> None:
    state, reasons = decide(run, judged)
    verdict = Verdict(
        run=run.run,
        verdict=state,
        reasons=reasons,
        ledger=run.ledger,
        targets=tuple(judged),
        interrupted=run.interrupted,
    )
    assert (verdict.exit_code is ExitCode.PASS) == (state == "PASS")
    assert (verdict.exit_code is ExitCode.INTERRUPTED) == run.interrupted


limits = st.floats(min_value=-1e6, max_value=1e6)
ends = st.one_of(st.none(), limits)


@given(limits, ends, ends, limits, st.sampled_from(["<", "<=", ">", ">="]))
def test_a_wider_interval_never_turns_doubt_into_a_decision(
    value: float, below: float | None, above: float | None, limit: float, comparator: str
) -> None:
    low = None if below is None else min(below, value)
    high = None if above is None else max(above, value)
    narrow = Estimate(value=value, low=low, high=high, samples=10)
    wide = Estimate(
        value=value,
        low=None if low is None else low - 1,
        high=None if high is None else high + 1,
        samples=10,
    )
    before = compare(narrow, comparator, limit)  # type: ignore[arg-type]
    after = compare(wide, comparator, limit)  # type: ignore[arg-type]
    assert after in (before, "inconclusive")


@given(limits, limits, limits, limits)
def test_opposite_comparators_never_both_hold(
    value: float, width: float, height: float, limit: float
) -> None:
    estimate = Estimate(value=value, low=value - abs(width), high=value + abs(height), samples=10)
    assert {compare(estimate, "<", limit), compare(estimate, ">=", limit)} in (
        {"pass", "fail"},
        {"inconclusive"},
    )
