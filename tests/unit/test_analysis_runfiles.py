"""The run directory: read whole, read partial, refused when damaged."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from analysis_runs import ERROR_GATE, P95_GATE, make_plan, play

from palier.analysis.analyse import analyse
from palier.analysis.facts import Fact
from palier.analysis.judge import judge
from palier.errors import RunFilesError
from palier.judging import judge_files as judge_run
from palier.load.archive import write_histograms, write_ledger
from palier.load.recorder import Recorder, Sent
from palier.load.schedule import make_schedule
from palier.model.plan import RunPlan
from palier.runfiles import (
    RunFiles,
    RunInputs,
    read_findings,
    read_run,
    read_verdict,
    write_findings,
    write_verdict,
)
from palier.telemetry.samples import Sample, write_samples

FACT = Fact(name="database_size", value=1.5e8, unit="bytes", how="pg_database_size")


def lines(path: Path, *records: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def loader_line(second: int, *, final: bool) -> dict[str, object]:
    return {
        "schema": 1,
        "worker": 0,
        "seq": second,
        "at_s": second + 1.0,
        "final": final,
        "ledger": [],
        "histograms": [],
        "exemplars": [],
        "health": {"loop_delay_max_ms": 1.0, "cpu_s": 0.1, "in_flight": 1, "sessions": 3},
    }


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run of 60 s as `palier run` leaves it."""
    path = tmp_path / "20261121T090000Z-lou-2-steady"
    files = RunFiles(path)
    files.write_plan(make_plan(P95_GATE, ERROR_GATE), schedule_digest="ab12")
    files.write_observations([FACT])
    files.write_environment({"commit": "123abc"})
    played = play(np.random.default_rng(1))
    write_ledger(files.ledger, played.ledger())
    write_histograms(files.histograms, played.histograms())
    write_samples(files.telemetry, [Sample(1.0, "app", "cpu_cores", 0.5)])
    lines(files.load / "worker-0.jsonl", *(loader_line(i, final=i == 59) for i in range(60)))
    lines(files.events, {"at_s": 0.0, "kind": "phase", "name": "load"})
    lines(files.exemplars, {"operation": "list", "outcome": "succeeded"})
    return path


def judge_files(inputs: RunInputs) -> str:
    findings = analyse(
        plan=inputs.plan,
        ledger=inputs.ledger,
        histograms=inputs.histograms,
        health_lines=inputs.health_lines,
        telemetry=inputs.telemetry,
        events=inputs.events,
        run=inputs.run,
        missing=inputs.missing,
    )
    assert len(findings.notes) >= len(inputs.missing)
    return judge(inputs.plan, findings, inputs.facts).verdict


def test_a_run_is_read_whole_and_judged_from_its_files_alone(run_dir: Path) -> None:
    inputs = read_run(run_dir)
    assert inputs.run == "20261121T090000Z-lou-2-steady"
    assert inputs.plan == make_plan(P95_GATE, ERROR_GATE)
    assert inputs.schedule_digest == "ab12"
    assert inputs.facts == (FACT,)
    assert inputs.environment["commit"] == "123abc"
    assert len(inputs.health_lines) == 60
    assert len(inputs.telemetry) == 1
    assert inputs.missing == ()
    assert judge_files(inputs) == "PASS"


def test_what_is_merely_absent_is_said(run_dir: Path) -> None:
    files = RunFiles(run_dir)
    for path in (files.telemetry, files.observations, files.environment, files.exemplars):
        path.unlink()
    inputs = read_run(run_dir)
    assert len(inputs.missing) == 4
    assert inputs.telemetry.empty
    assert inputs.facts == ()
    assert judge_files(inputs) == "PASS"


def test_without_the_lines_of_the_loaders_a_run_is_invalid(run_dir: Path) -> None:
    (RunFiles(run_dir).load / "worker-0.jsonl").unlink()
    assert judge_files(read_run(run_dir)) == "INVALID"


def test_a_last_line_cut_short_is_left_out_and_said(run_dir: Path) -> None:
    path = RunFiles(run_dir).load / "worker-0.jsonl"
    path.write_text(path.read_text()[:-40], encoding="utf-8")
    inputs = read_run(run_dir)
    assert len(inputs.health_lines) == 59
    assert inputs.missing == ("the last line of worker-0.jsonl is cut short",)
    assert judge_files(inputs) == "INVALID"


def test_a_damaged_line_in_the_middle_is_refused_with_its_number(run_dir: Path) -> None:
    path = RunFiles(run_dir).events
    path.write_text('{"kind": "phase"}\n{"kind"\n{"kind": "phase"}\n', encoding="utf-8")
    with pytest.raises(RunFilesError, match="line 2"):
        read_run(run_dir)


def test_a_line_of_a_loader_without_its_health_is_refused(run_dir: Path) -> None:
    path = RunFiles(run_dir).load / "worker-0.jsonl"
    lines(path, {"worker": 0, "seq": 0, "at_s": 1.0, "final": True, "health": {"cpu_s": 0.1}})
    with pytest.raises(RunFilesError, match="loop_delay_max_ms"):
        read_run(run_dir)


def loader_lines(plan: RunPlan, *, until_s: int) -> list[dict[str, object]]:
    """What one loader writes of the plan's own schedule until it is killed."""
    recorder = Recorder(worker=0)
    written: list[dict[str, object]] = []
    for second in range(until_s):
        for (planned, operation), count in make_schedule(plan).planned_counts().items():
            if planned != second:
                continue
            for _ in range(count):
                at_us = second * 1_000_000
                recorder.start(operation=operation, planned_second=second)
                recorder.end(
                    Sent(
                        operation=operation,
                        planned_second=second,
                        intended_us=at_us,
                        started_us=at_us + 200,
                        ended_us=at_us + 40_000,
                        outcome="succeeded",
                        session_wait_us=0,
                        session=0,
                    )
                )
        vitals = {"loop_delay_max_ms": 1.0, "cpu_s": 0.1, "sessions": 3}
        written.append(recorder.line(at_s=second + 1.0, final=False, health=vitals))
    return written


def test_a_run_killed_before_its_archive_is_put_together_from_its_loaders(run_dir: Path) -> None:
    files = RunFiles(run_dir)
    plan = make_plan(P95_GATE, ERROR_GATE, rate=10)
    files.write_plan(plan)
    files.ledger.unlink()
    files.histograms.unlink()
    lines(files.load / "worker-0.jsonl", *loader_lines(plan, until_s=20))
    inputs = read_run(run_dir)
    assert "until 20 s" in inputs.missing[0]
    planned = make_schedule(plan).planned_counts()
    assert inputs.ledger["planned"].sum() == sum(planned.values())
    reported = sum(count for (second, _), count in planned.items() if second < 20)
    assert inputs.ledger["succeeded"].sum() == reported
    assert judge_files(inputs) == "INVALID"


def test_a_run_killed_before_anything_was_written_has_nothing_to_tell(run_dir: Path) -> None:
    files = RunFiles(run_dir)
    for path in (files.ledger, files.histograms, files.load / "worker-0.jsonl"):
        path.unlink()
    with pytest.raises(RunFilesError) as refusal:
        read_run(run_dir)
    assert "no ledger.parquet and no histograms.parquet" in refusal.value.what
    assert "no loader had written anything" in refusal.value.what


def test_a_directory_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFilesError, match=r"no plan\.json"):
        read_run(tmp_path)
    with pytest.raises(RunFilesError):
        read_run(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 99}', "\x00"])
def test_a_damaged_plan_is_refused(run_dir: Path, text: str) -> None:
    RunFiles(run_dir).plan.write_text(text, encoding="utf-8")
    with pytest.raises(RunFilesError):
        read_run(run_dir)


@pytest.mark.parametrize("name", ["ledger.parquet", "histograms.parquet", "telemetry.parquet"])
def test_a_damaged_table_is_refused(run_dir: Path, name: str) -> None:
    (run_dir / name).write_bytes(b"PAR1 and then nothing")
    with pytest.raises(RunFilesError):
        read_run(run_dir)


@pytest.mark.parametrize("name", ["observations.json", "environment.json"])
def test_a_damaged_document_is_refused(run_dir: Path, name: str) -> None:
    (run_dir / name).write_text("[1", encoding="utf-8")
    with pytest.raises(RunFilesError, match=name):
        read_run(run_dir)


def test_findings_and_verdict_are_written_whole_and_read_back(run_dir: Path) -> None:
    inputs = read_run(run_dir)
    findings = analyse(
        plan=inputs.plan,
        ledger=inputs.ledger,
        histograms=inputs.histograms,
        health_lines=inputs.health_lines,
        telemetry=inputs.telemetry,
        events=inputs.events,
        run=inputs.run,
    )
    verdict = judge(inputs.plan, findings, inputs.facts)
    write_findings(run_dir, findings)
    write_verdict(run_dir, verdict)
    assert read_findings(run_dir) == findings
    assert read_verdict(run_dir) == verdict
    assert not list(run_dir.glob("*.part"))
    document = json.loads((run_dir / "verdict.json").read_text(encoding="utf-8"))
    assert document["schema"] == 1


def test_the_name_of_a_run_is_that_of_its_directory_however_it_is_given(run_dir: Path) -> None:
    roundabout = run_dir / "load" / ".."
    assert RunFiles(roundabout).name == run_dir.name
    assert dataclasses.astuple(RunFiles(run_dir)) == (run_dir,)


def test_a_ledger_under_a_plan_of_another_schedule_is_judged_unfit(run_dir: Path) -> None:
    """The way of `palier gate`: the digest of plan.json is held against the plan itself."""
    conclusion, _ = judge_run(run_dir)
    assert conclusion.verdict.verdict == "INVALID"
    assert any("schedule ab12, but the plan gives" in one for one in conclusion.verdict.reasons)
