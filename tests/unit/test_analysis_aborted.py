"""A run that one of its own rules stopped: the verdict, and what is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from analysis_runs import (
    ERROR_GATE,
    P95_GATE,
    changed,
    health_lines,
    make_plan,
    no_telemetry,
    play,
)

from palier.analysis.analyse import analyse
from palier.analysis.documents import findings_as_json, findings_from_json, verdict_as_json
from palier.analysis.findings import Findings
from palier.analysis.judge import judge
from palier.errors import ExitCode

WHY = "abort rule errors (errors over 15 s > 50 %) was met at 40 s: 900 of 1,500 requests (60%) ..."
EVENT = {"at_s": 40.0, "kind": "abort", "name": "aborted", "rule": "errors", "why": WHY}
PLAN = make_plan(P95_GATE, ERROR_GATE)


def found(*events: dict[str, Any], lag_s: float = 0.0) -> Findings:
    played = play(np.random.default_rng(1))
    played = changed(played, played.intended_s > 40, "skipped_aborted")
    histograms = played.histograms()
    if lag_s:
        late = histograms["clock"] == "generator_lag"
        histograms.loc[late, "bucket"] = 9000
    return analyse(
        plan=PLAN,
        ledger=played.ledger(),
        histograms=histograms,
        health_lines=health_lines(seconds=42),
        telemetry=no_telemetry(),
        events=events,
        run="20261121T090000Z-lou-2-steady",
    )


def test_an_aborted_run_fails_and_its_first_reason_is_the_rule() -> None:
    findings = found(EVENT)
    verdict = judge(PLAN, findings, ())
    assert verdict.verdict == "FAIL"
    assert verdict.exit_code == ExitCode.GATE_FAILED
    assert verdict.reasons[0] == WHY
    assert verdict_as_json(verdict)["aborted"] == "errors"


def test_what_was_measured_until_then_is_judged_and_nothing_is_charged_for_the_rest() -> None:
    findings = found(EVENT)
    assert findings.ledger.closes
    assert findings.judged_to_s in (40.0, 41.0)
    assert findings.overall.error_ratio.value == 0.0
    assert not findings.interrupted
    verdict = judge(PLAN, findings, ())
    assert {target.verdict for target in verdict.targets} == {"pass"}


def test_an_abort_that_no_event_tells_of_still_fails_the_run() -> None:
    verdict = judge(PLAN, found(), ())
    assert verdict.verdict == "FAIL"
    assert verdict.aborted == "unknown"


def test_an_unfit_measurement_stays_invalid_and_says_that_it_was_aborted() -> None:
    verdict = judge(PLAN, found(EVENT, lag_s=0.1), ())
    assert verdict.verdict == "INVALID"
    assert WHY in verdict.reasons


def test_findings_of_an_aborted_run_survive_their_file() -> None:
    findings = found(EVENT)
    assert findings_from_json(findings_as_json(findings)) == findings
