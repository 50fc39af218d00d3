"""What must never be green, although the numbers of all requests together look well."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
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
from palier.analysis.findings import Findings
from palier.analysis.judge import judge
from palier.analysis.verdict import Verdict
from palier.model.target import Target


def findings_of(
    *parts: tuple[str, Played], seconds: int = 60, targets: tuple[Target, ...]
) -> Findings:
    """A run of several operations."""
    return analyse(
        plan=make_plan(*targets, duration_s=float(seconds)),
        ledger=pd.concat([played.ledger(name) for name, played in parts], ignore_index=True),
        histograms=pd.concat([played.histograms(name) for name, played in parts]),
        health_lines=health_lines(seconds=seconds),
        telemetry=no_telemetry(),
        events=(),
        run="20261121T090000Z-lou-2-steady",
    )


def verdict_of(
    *parts: tuple[str, Played],
    seconds: int = 60,
    targets: tuple[Target, ...] = (P95_GATE, ERROR_GATE),
) -> Verdict:
    plan = make_plan(*targets, duration_s=float(seconds))
    return judge(plan, findings_of(*parts, seconds=seconds, targets=targets), ())


def calm(seed: int = 1, **how: float) -> Played:
    return play(np.random.default_rng(seed), **{"rate": 100.0, **how})  # type: ignore[arg-type]


def test_two_operations_that_work_pass() -> None:
    assert verdict_of(("list", calm()), ("search", calm(2, rate=0.5))).verdict == "PASS"


def test_an_operation_that_never_works_does_not_pass_however_rare_it_is() -> None:
    rare = calm(2, rate=0.1)
    broken = changed(rare, np.ones(len(rare.intended_s), dtype=bool), "failed")
    verdict = verdict_of(("list", calm()), ("search", broken))
    assert {target.verdict for target in verdict.targets} == {"pass"}
    assert verdict.verdict == "INCONCLUSIVE"
    assert "requests of search succeeded" in verdict.reasons[0]


@pytest.mark.parametrize("outcome", ["failed", "abandoned", "timed_out"])
def test_a_system_that_has_stopped_answering_at_the_end_never_passes(outcome: str) -> None:
    """One of ten minutes' seconds: far too few requests for any gate to notice."""
    played = calm(rate=20.0, duration_s=600.0)
    dead = changed(played, played.intended_s >= 599, outcome)
    verdict = verdict_of(("list", dead), seconds=600)
    assert "fail" not in {target.verdict for target in verdict.targets}
    assert verdict.verdict == "INCONCLUSIVE"
    assert any("had stopped answering" in reason for reason in verdict.reasons)


def test_a_few_errors_before_the_last_answer_are_no_silence() -> None:
    played = calm(rate=20.0, duration_s=600.0)
    some = (played.intended_s >= 590) & (np.arange(len(played.intended_s)) % 50 == 0)
    assert verdict_of(("list", changed(played, some, "failed")), seconds=600).verdict == "PASS"


def test_a_slow_start_is_cut_and_a_wrong_one_is_not_forgotten() -> None:
    played = calm()
    slow = played.intended_s < 12
    starting = dataclasses.replace(played, ended_s=played.ended_s + slow * 0.2)
    assert verdict_of(("list", starting)).verdict == "PASS"
    wrong = slow & (np.arange(len(played.intended_s)) % 3 == 0)
    verdict = verdict_of(("list", changed(starting, wrong, "failed")))
    assert verdict.verdict == "INCONCLUSIVE"
    assert any("left out as warm-up" in reason for reason in verdict.reasons)


def test_p95_means_that_95_of_100_planned_requests_were_answered_right_in_time() -> None:
    """4 % failed and 4 % of the rest took too long: neither alone is 5 %, together they are."""
    rng = np.random.default_rng(1)
    intended = np.sort(rng.uniform(0, 60, 60_000))
    u = rng.random(60_000)
    service = np.where(u < 0.04, 0.4, 0.05)
    played = Played(
        intended_s=intended,
        started_s=intended,
        ended_s=intended + service,
        outcome=np.where(u > 0.96, "failed", "succeeded"),
    )
    verdict = verdict_of(("list", played), targets=(P95_GATE,))
    (target,) = verdict.targets
    assert target.measured is not None
    assert target.measured < 300
    assert target.verdict == "inconclusive"
    assert "92.1 % of the planned requests were answered right within the limit" in target.why


def test_goodput_counts_right_answers_in_time_of_all_that_was_planned() -> None:
    at = np.arange(600) / 10.0
    service = np.where(np.arange(600) % 10 == 0, 0.4, 0.05)
    played = Played(
        intended_s=at,
        started_s=at,
        ended_s=at + service,
        outcome=np.where(np.arange(600) % 10 == 5, "failed", "succeeded"),
    )
    findings = findings_of(("list", played), targets=(P95_GATE,))
    ((limit_s, right),) = findings.overall.right_within
    assert limit_s == 0.3
    assert right == pytest.approx(0.8)
    assert any("80 % within 0.3 s" in note for note in findings.notes)


def test_a_slowest_response_cannot_pass_while_a_request_failed() -> None:
    longest = dataclasses.replace(P95_GATE, metric="response_time_max", percentile=None, limit=5000)
    played = calm()
    one = np.arange(len(played.intended_s)) == 3_000
    assert verdict_of(("list", played), targets=(longest,)).targets[0].verdict == "pass"
    failed = verdict_of(("list", changed(played, one, "failed")), targets=(longest,))
    assert failed.targets[0].verdict == "inconclusive"
