"""The steps of a search on a real system: a stretch of load, a drain, a proof of health."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from palier.analysis.other_work import NO_EVIDENCE, other_work
from palier.capacity.decision import surely_missed
from palier.capacity.evidence import Stretch
from palier.capacity.search import Drain, Measure, ProveHealth
from palier.capacity.targets import SearchTarget, stretch_of
from palier.judging import findings_of
from palier.load.driver import drive
from palier.model.jsonvalue import Jsonable
from palier.model.plan import RunPlan, at_rate
from palier.run import Display, System
from palier.runfiles import RunFiles, read_run
from palier.searchfiles import SearchFiles
from palier.stack.cpus import CpuPlan
from palier.telemetry.backlog import Backlog
from palier.telemetry.sampler import Telemetry

SICK_ERROR: Final = 0.01
"""Probability that a proof of health fails a system that is well; it is tried several times."""


class Unfit(Exception):  # noqa: N818  no failure of ours: the stretch is no evidence, and why
    """The load generator did not do what it was asked, or others had the machine: the system is not
    to blame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A system under test with a load generator in front of it.

    Attributes:
        plan: Of the tier; each stretch replaces its rate and its length.
        targets: Gates of the search.
        system: What is driven.
        backlog: Knows how it is at rest.
        cpus: Who runs where.
        environment: Document of ``environment.json``, the same for all stretches.
        files: Of the search.
        display: Told how far the load is.
    """

    plan: RunPlan
    targets: tuple[SearchTarget, ...]
    system: System
    backlog: Backlog
    cpus: CpuPlan
    environment: Mapping[str, Jsonable]
    files: SearchFiles
    display: Display

    def measure(self, step: Measure) -> Stretch:
        """The evidence of one stretch.

        Raises:
            Unfit: The measurement is no evidence.
            KeyboardInterrupt: Somebody stopped it.
        """
        return self._stretch(step.rate_per_s, warmup_s=step.warmup_s, seconds=step.seconds)

    def drain(self, step: Drain) -> str:
        """What is left of the load at the end of the time; empty when nothing is."""
        return self.backlog.wait_until_gone(step.at_most_s)

    def prove_health(self, step: ProveHealth, *, warmup_s: float) -> str:
        """Why the system is not well; empty when it is.

        Raises:
            Unfit: The measurement is no evidence.
            KeyboardInterrupt: Somebody stopped it.
        """
        if self.system.stack is not None and (ended := self.system.stack.ended()):
            return ", ".join(f"{name} ended ({how})" for name, how in ended.items())
        stretch = self._stretch(step.rate_per_s, warmup_s=warmup_s, seconds=round(step.seconds))
        gates = tuple(target.gate for target in self.targets)
        missed = surely_missed(gates, stretch, error=SICK_ERROR / len(gates))
        if not missed:
            return ""
        names = ", ".join(gate.id for gate in missed)
        return f"at {step.rate_per_s:.4g} requests/s, where it passed, {names} missed"

    def _stretch(self, rate_per_s: float, *, warmup_s: float, seconds: int) -> Stretch:
        number, run_dir = self.files.new_probe()
        plan = at_rate(self.plan, rate_per_s, warmup_s=warmup_s, judged_s=seconds, draw=number)
        RunFiles(run_dir).write_environment(self.environment)
        self._drive(plan, run_dir, name=f"{self.files.name}-{run_dir.name}")
        run = read_run(run_dir)
        findings = findings_of(run)
        for check in findings.health:
            if not check.ok:
                raise Unfit(f"{check.name}: {check.measured}, limit {check.limit}")
        work = other_work(run.telemetry, from_s=warmup_s, to_s=warmup_s + seconds)
        if work is not None and work.is_above(NO_EVIDENCE):
            raise Unfit(f"work that is none of the search's used {work}")
        from_s = round(warmup_s)
        stretch = stretch_of(
            self.targets, run.ledger, run.histograms, from_s=from_s, to_s=from_s + seconds
        )
        return replace(stretch, run=run_dir.name)

    def _drive(self, plan: RunPlan, run_dir: Path, *, name: str) -> None:
        with ExitStack() as until_end:

            def watch(t0: float, loaders: tuple[int, ...]) -> None:
                telemetry = Telemetry(
                    self.system.stack, loader_pids=lambda: loaders, t0=t0, directory=run_dir
                )
                until_end.enter_context(telemetry)

            load = drive(
                plan,
                run_dir=run_dir,
                url=self.system.url,
                cpu_set=frozenset(self.cpus.generator),
                on_start=watch,
                on_progress=self.display.load,
                name=name,
            )
        if load.interrupted:
            raise KeyboardInterrupt
