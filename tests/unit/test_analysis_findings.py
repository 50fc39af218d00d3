"""From tables to findings: what is counted where, and what the reader is told."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

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
from palier.analysis.documents import (
    TARGET_KEYS,
    findings_as_json,
    findings_from_json,
    verdict_as_json,
    verdict_from_json,
)
from palier.analysis.facts import Fact, observations_as_json, observations_from_json
from palier.analysis.findings import Findings
from palier.analysis.judge import judge
from palier.errors import RunFilesError


def findings(*parts: Played, telemetry: pd.DataFrame | None = None, **plan: Any) -> Findings:
    """Findings of a run whose operations are the given parts, named op0, op1 ..."""
    run = make_plan(P95_GATE, ERROR_GATE, **plan)
    names = [f"op{i}" for i in range(len(parts))]
    return analyse(
        plan=run,
        ledger=pd.concat([p.ledger(n) for p, n in zip(parts, names, strict=True)]),
        histograms=pd.concat([p.histograms(n) for p, n in zip(parts, names, strict=True)]),
        health_lines=health_lines(seconds=int(run.duration_s)),
        telemetry=no_telemetry() if telemetry is None else telemetry,
        events=(),
        run="a-run",
    )


def test_operations_add_up_to_all_requests() -> None:
    one, two = play(np.random.default_rng(1)), play(np.random.default_rng(2), rate=30)
    found = findings(one, two)
    assert [operation.operation for operation in found.operations] == ["op0", "op1"]
    for name in ("planned", "started", "succeeded"):
        parts = sum(getattr(operation.ledger, name) for operation in found.operations)
        assert getattr(found.overall.ledger, name) == parts
    samples = [dict(o.response.points)[0.5].samples for o in found.operations]
    assert dict(found.overall.response.points)[0.5].samples == sum(samples)


def test_rates_are_per_planned_window_and_the_ledger_is_that_of_the_whole_run() -> None:
    played = play(np.random.default_rng(1))
    n = len(played.intended_s)
    found = findings(played)
    assert found.ledger.planned == n
    assert found.throughput_per_s == pytest.approx(n / 60)
    assert found.overall.ledger.planned < n
    assert found.overall.goodput_per_s == pytest.approx(found.overall.ledger.succeeded / 55)


def test_the_warm_up_is_kept_and_not_judged() -> None:
    played = play(np.random.default_rng(1))
    slow_start = np.where(played.intended_s < 5, 2.0, 0.0)
    found = findings(dataclasses.replace(played, ended_s=played.ended_s + slow_start))
    assert found.judged_from_s == 5
    assert found.seconds[2].response_p50_s is not None
    assert found.seconds[2].response_p50_s > 2
    assert found.overall.response.max_s is not None
    assert found.overall.response.max_s < 2


def test_a_step_delayed_beyond_the_window_is_judged_with_it() -> None:
    """Planned in second 58, intended at 61 s because the step before took so long."""
    calm = play(np.random.default_rng(1))
    late = Played(
        intended_s=np.full(50, 61.0),
        started_s=np.full(50, 61.0),
        ended_s=np.full(50, 65.0),
        outcome=np.full(50, "succeeded"),
    )
    ledger = calm.ledger()
    for name in ("planned", "started", "succeeded"):
        ledger.loc[ledger["second"] == 58, name] += 50
    plan = make_plan(P95_GATE)
    found = analyse(
        plan=plan,
        ledger=ledger,
        histograms=pd.concat([calm.histograms(), late.histograms()]),
        health_lines=health_lines(),
        telemetry=no_telemetry(),
        events=(),
        run="a-run",
    )
    assert [check.name for check in found.health if not check.ok] == []
    assert found.overall.response.max_s == pytest.approx(4.0, rel=1e-3)


def test_failed_requests_are_errors_and_not_response_times() -> None:
    played = play(np.random.default_rng(1))
    failed = np.arange(len(played.intended_s)) % 3 == 0
    quick = dataclasses.replace(
        played, ended_s=np.where(failed, played.started_s + 0.0001, played.ended_s)
    )
    found = findings(changed(quick, failed, "failed"))
    assert found.overall.error_ratio.value == pytest.approx(1 / 3, abs=0.01)
    p50 = dict(found.overall.response.points)[0.5]
    assert p50.value == pytest.approx(0.04, rel=0.05)
    assert any("no right answer" in note for note in found.notes)


def test_a_charged_skip_is_a_response_of_at_least_the_wait_and_no_service_time() -> None:
    played = play(np.random.default_rng(1))
    skipped = np.arange(len(played.intended_s)) % 5 == 0
    waited = dataclasses.replace(
        played, ended_s=np.where(skipped, played.intended_s + 10, played.ended_s)
    )
    found = findings(changed(waited, skipped, "skipped_no_free_session"))
    response, service = (dict(c.points) for c in (found.overall.response, found.overall.service))
    assert response[0.95].censored
    assert response[0.95].value == pytest.approx(10, rel=1e-3)
    assert response[0.95].high is None
    assert not service[0.95].censored
    assert found.overall.ledger.skipped_reasons[0][0] == "no_free_session"


def test_response_contains_the_wait_that_service_leaves_out() -> None:
    played = play(np.random.default_rng(1))
    queued = dataclasses.replace(
        played,
        started_s=played.started_s + 0.5,
        ended_s=played.ended_s + 0.5,
        session_wait_s=0.5,
    )
    found = findings(queued)
    response = dict(found.overall.response.points)[0.5].value
    service = dict(found.overall.service.points)[0.5].value
    assert response is not None
    assert service is not None
    assert response - service == pytest.approx(0.5, abs=0.01)
    assert dict(found.lag.points)[0.5].value == pytest.approx(0.5, abs=0.01)


def test_seconds_carry_the_ledger_and_p95_only_where_there_is_one() -> None:
    found = findings(play(np.random.default_rng(1), rate=40))
    assert len(found.seconds) == 60
    assert sum(point.planned for point in found.seconds) == found.ledger.planned
    assert found.seconds[30].response_p95_s is not None
    sparse = findings(play(np.random.default_rng(1), rate=3))
    assert all(point.response_p95_s is None for point in sparse.seconds)
    assert any(point.response_max_s is not None for point in sparse.seconds)


def test_a_longer_warm_up_is_said() -> None:
    played = play(np.random.default_rng(1))
    slow = 1 + 4 * np.clip((14 - played.intended_s) / 14, 0, None)
    found = findings(
        dataclasses.replace(
            played, ended_s=played.started_s + (played.ended_s - played.started_s) * slow
        )
    )
    assert 7 <= found.judged_from_s <= 14
    assert found.notes[0].startswith("The warm-up was longer than planned")


def test_a_burst_of_slow_requests_is_located() -> None:
    found = findings(play(np.random.default_rng(1), freezes=[(30, 3)]))
    (note,) = [note for note in found.notes if "bursts" in note]
    assert "seconds 30-3" in note


def test_the_users_of_the_processor_are_named() -> None:
    telemetry = pd.DataFrame(
        {
            "at_s": [10.0, 20.0, 10.0, 2.0],
            "source": ["app", "app", "postgres", "app"],
            "name": "cpu_cores",
            "value": [0.4, 0.6, 0.25, 9.0],
        }
    )
    notes = findings(play(np.random.default_rng(1)), telemetry=telemetry).notes
    assert "Processor cores in use on average: app 0.50, postgres 0.25." in notes


def test_work_that_is_none_of_the_runs_is_named_when_it_takes_much() -> None:
    def notes(others: float) -> str:
        telemetry = pd.DataFrame(
            {
                "at_s": [10.0, 10.0, 10.0],
                "source": ["app", "others", "machine"],
                "name": ["cpu_cores", "cpu_cores", "cores"],
                "value": [0.4, others, 2.0],
            }
        )
        return " ".join(findings(play(np.random.default_rng(1)), telemetry=telemetry).notes)

    assert "used 1.30 of 2 cores" in notes(1.3)
    assert "quiet machine" not in notes(0.2)


def test_an_interrupted_run_is_judged_until_it_was_interrupted() -> None:
    played = play(np.random.default_rng(1))
    found = findings(changed(played, played.intended_s >= 40, "skipped_interrupted"))
    assert found.interrupted
    assert found.judged_to_s == 40
    assert found.overall.error_ratio.value == 0
    assert found.window_s == 60


def test_an_event_tells_of_an_interruption_that_left_nothing_out() -> None:
    plan = make_plan(P95_GATE)
    played = play(np.random.default_rng(1))
    found = analyse(
        plan=plan,
        ledger=played.ledger(),
        histograms=played.histograms(),
        health_lines=health_lines(),
        telemetry=no_telemetry(),
        events=[{"at_s": 61.0, "kind": "phase", "name": "interrupted"}],
        run="a-run",
    )
    assert found.interrupted


def test_findings_and_verdict_survive_the_way_through_their_files() -> None:
    plan = make_plan(P95_GATE, ERROR_GATE)
    found = findings(play(np.random.default_rng(1), freezes=[(50, 100)]))
    verdict = judge(plan, found, ())
    assert findings_from_json(json.loads(json.dumps(findings_as_json(found)))) == found
    assert verdict_from_json(json.loads(json.dumps(verdict_as_json(verdict)))) == verdict


def test_the_keys_of_the_verdict_are_those_of_the_contract() -> None:
    plan = make_plan(P95_GATE, ERROR_GATE)
    document = verdict_as_json(judge(plan, findings(play(np.random.default_rng(1))), ()))
    contract = ["schema", "run", "verdict", "reasons", "ledger", "targets"]
    assert list(document)[: len(contract)] == contract
    assert document["schema"] == 1
    ledger, targets = document["ledger"], document["targets"]
    assert isinstance(ledger, dict)
    assert isinstance(targets, list)
    assert list(ledger)[:7] == [
        "planned",
        "started",
        "skipped",
        "succeeded",
        "failed",
        "timed_out",
        "abandoned",
    ]
    assert isinstance(targets[0], dict)
    assert tuple(targets[0])[: len(TARGET_KEYS)] == TARGET_KEYS


@pytest.mark.parametrize("document", [{}, {"schema": 99}, [], None, {"schema": 1, "run": "r"}])
def test_a_document_of_another_shape_is_refused(document: object) -> None:
    with pytest.raises(RunFilesError):
        verdict_from_json(document)
    with pytest.raises(RunFilesError):
        findings_from_json(document)


def test_observations_survive_the_way_through_their_file() -> None:
    facts = (Fact(name="database_size", value=1.5e8, unit="bytes", how="pg_database_size"),)
    document = json.loads(json.dumps(observations_as_json(facts)))
    assert document["schema"] == 1
    assert observations_from_json(document, where="observations.json") == facts


def test_a_very_short_run_has_nothing_to_judge_and_breaks_nothing() -> None:
    played = play(np.random.default_rng(1), duration_s=1, rate=10)
    found = findings(played, duration_s=1.0, warmup_s=1 / 6)
    assert math.isfinite(found.throughput_per_s)
    assert found.overall.ledger.planned == 0
    assert judge(make_plan(P95_GATE), found, ()).verdict == "INCONCLUSIVE"
