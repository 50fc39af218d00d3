"""From the files of a run directory to its verdict; no stack, no load, no figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from palier.analysis.analyse import analyse
from palier.analysis.findings import Findings
from palier.analysis.judge import judge
from palier.analysis.verdict import Verdict
from palier.model.plan import RunPlan
from palier.runfiles import RunInputs, read_run
from reports.inputs import ReportInputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """A run read from its files, judged."""

    plan: RunPlan
    findings: Findings
    verdict: Verdict


def findings_of(run: RunInputs) -> Findings:
    """What the files of a run say."""
    return analyse(
        plan=run.plan,
        ledger=run.ledger,
        histograms=run.histograms,
        health_lines=run.health_lines,
        telemetry=run.telemetry,
        events=run.events,
        run=run.run,
        missing=run.missing,
        schedule_digest=run.schedule_digest,
        certified=run.environment.get("certified"),
    )


def judge_files(run_dir: Path) -> tuple[Conclusion, ReportInputs]:
    """Judge a run from its files alone; writes nothing.

    Raises:
        RunFilesError: The directory is not one of a run, or a file is damaged.
    """
    run = read_run(run_dir)
    findings = findings_of(run)
    verdict = judge(run.plan, findings, run.facts, invariants=run.invariants)
    return Conclusion(plan=run.plan, findings=findings, verdict=verdict), ReportInputs(
        plan=run.plan,
        findings=findings,
        verdict=verdict,
        environment=run.environment,
        exemplars=run.exemplars,
        telemetry=run.telemetry,
        events=run.events,
    )
