"""The flow of a run in one screen: plan in, verdict out; effects only in the middle.

Everything right of the load is ``palier.judging``, a function of the files of the run directory
and nothing else; `palier report` and `palier gate` are that function again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from palier.analysis.facts import Fact, plan_limit_facts
from palier.analysis.invariants import not_ours
from palier.describe_load import offered_in_short
from palier.environment import describe_environment
from palier.invariants.baseline import Baseline, take_baseline
from palier.invariants.look import look
from palier.listeners.accounts import listener_accounts
from palier.listeners.facts import listener_facts
from palier.listeners.notes import NOTES_FILE, read_notes
from palier.listeners.process import ListenerProcess
from palier.load.busiest import limits_owners
from palier.load.driver import drive
from palier.load.progress import Progress
from palier.load.schedule import make_schedule
from palier.model.jsonvalue import Jsonable, to_jsonable
from palier.model.plan import RunPlan
from palier.model.tier import Plan
from palier.preflight import look_ahead, refuse, warnings
from palier.runfiles import RunFiles, write_findings, write_verdict
from palier.selftest.limits import certified, limits_as_json
from palier.stack.cpus import CpuPlan, plan_cpus, usable_cores
from palier.stack.elsewhere import check_reachable
from palier.stack.topology import Stack, bring_up
from palier.stack.workers import OUTSIDE_WORLD
from palier.telemetry.sampler import Telemetry
from seed.dataset import expected_rows, seed_database
from seed.progress import Progress as SeedProgress

if TYPE_CHECKING:
    from palier.judging import Conclusion
    from reports.inputs import ReportPaths

DATA_FACTS = (
    ("gîtes", "units", "gites"),
    ("tenants", "tenants", "school_groups"),
    ("rows", "module_assignments", "school_modules"),
)
"""Facts about the data: unit, name, and the table whose rows are counted."""


REQUESTS_AT_ONCE = 1024
"""Granian's own limit for one process, which stays beside the sockets of listeners."""


class Display(Protocol):
    """Where a run says what it is doing."""

    def say(self, text: str) -> None: ...
    def load(self, progress: Progress) -> None: ...
    def seed(self, progress: SeedProgress) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What is being measured.

    Attributes:
        url: Where the load goes.
        stack: Its parts; None for somebody's own service.
        facts: What is known of its data.
        described: For ``environment.json``.
    """

    url: str
    stack: Stack | None
    facts: tuple[Fact, ...]
    described: dict[str, Jsonable]


def run_tier(
    plan: RunPlan,
    *,
    provider_plan: Plan | None,
    run_dir: Path,
    display: Display,
    bind: tuple[str, int] = ("127.0.0.1", 0),
) -> tuple[Conclusion, ReportPaths]:
    """Bring up, seed, drive, judge, report.

    Args:
        plan: What to do.
        provider_plan: Plan of the tier's database provider, for the "share of plan" targets.
        run_dir: Empty directory of the run.
        display: Told what is going on.
        bind: Where workers of other machines find us.

    Raises:
        PalierError: The stack, the seed, the load or the disk failed, or this machine cannot do
            what is planned.
    """
    files = RunFiles(run_dir)
    schedule = make_schedule(plan)
    files.write_plan(plan, schedule_digest=schedule.digest)
    cpus = plan_cpus(usable_cores())
    checks = look_ahead(plan, run_dir=run_dir, cpus=cpus)
    refuse(checks)
    for warning in warnings(checks):
        display.say(warning)
    settings = {} if limits_owners(schedule) else {"APP_RATE_LIMIT_PER_MIN": "off"}
    if plan.tier.load.listeners:
        # To the server an open socket is a request in progress, of which it allows so many.
        at_once = REQUESTS_AT_ONCE + plan.tier.load.listeners
        settings["GRANIAN_BACKPRESSURE"] = str(at_once)
    with system_under_test(
        plan, run_dir=run_dir, cpus=cpus, app_settings=settings, display=display
    ) as system:
        certificate = certified()
        described = system.described | {
            "cpus": to_jsonable(cpus),
            "preflight": to_jsonable(checks),
            "certified": None if certificate is None else limits_as_json(certificate),
        }
        files.write_environment(describe_environment(Path(), described))
        baseline = None if system.stack is None else take_baseline(system.stack.admin_url)
        measured = measure(
            plan, system=system, run_dir=run_dir, cpus=cpus, display=display, bind=bind
        )
        display.say("comparing the data with what was written")
        told = look_at_data(plan, system=system, baseline=baseline, files=files)
    limits = () if provider_plan is None else plan_limit_facts(provider_plan)
    files.write_observations((*limits, *system.facts, *measured, *told))
    display.say("judging, and drawing the report")
    return conclude(run_dir)


def conclude(run_dir: Path) -> tuple[Conclusion, ReportPaths]:
    """Judge a run from its files and write findings, verdict and reports anew.

    Raises:
        RunFilesError: The directory is not one of a run, or a file is damaged.
        PalierError: A file cannot be written.
    """
    # Imported late: statistics and figures take seconds, and a run that fails needs neither.
    from palier.judging import judge_files
    from reports.write import write_reports

    conclusion, inputs = judge_files(run_dir)
    write_findings(run_dir, conclusion.findings)
    write_verdict(run_dir, conclusion.verdict)
    return conclusion, write_reports(run_dir, inputs)


def measure(
    plan: RunPlan,
    *,
    system: System,
    run_dir: Path,
    cpus: CpuPlan,
    display: Display,
    bind: tuple[str, int] = ("127.0.0.1", 0),
) -> tuple[Fact, ...]:
    """Send the load and watch; the files of the run directory are the result.

    Returns:
        Facts observed beside the load.
    """
    watching: list[Telemetry] = []
    with listeners_of(plan, system, run_dir, cpus, display) as listeners, ExitStack() as until_end:
        display.say(f"sending {offered_in_short(plan)} for {plan.duration_s:g} s")

        def watch(t0: float, loaders: Iterable[int]) -> None:
            pids = (*loaders, *listeners)
            telemetry = Telemetry(system.stack, loader_pids=lambda: pids, t0=t0, directory=run_dir)
            watching.append(until_end.enter_context(telemetry))

        def wait_for_remote(port: int) -> None:
            if plan.remote_workers:
                display.say(
                    f"waiting for {plan.remote_workers} workers: on each of the other machines, "
                    f"`palier worker --master ADDRESS-OF-THIS-MACHINE:{port}`"
                )

        load = drive(
            plan,
            run_dir=run_dir,
            url=system.url,
            cpu_set=frozenset(cpus.generator),
            bind=bind,
            on_listening=wait_for_remote,
            on_start=watch,
            on_progress=display.load,
        )
    observed = [
        Fact(name=name, value=value, unit="rows", how="largest seen by the scenario in an answer")
        for name, value in load.observations.items()
    ]
    observed += [
        Fact(name=name, value=yes / asked, unit="ratio", how=f"{yes:,} of {asked:,} answers")
        for name, (yes, asked) in load.tallies.items()
    ]
    if listeners:
        observed += changes_heard(plan, run_dir, t0=load.t0)
    for telemetry in watching:
        observed += telemetry.facts(
            from_s=plan.warmup_s, to_s=plan.duration_s, system_cores=len(cpus.system)
        )
    return tuple(observed)


@contextmanager
def listeners_of(
    plan: RunPlan, system: System, run_dir: Path, cpus: CpuPlan, display: Display
) -> Iterator[tuple[int, ...]]:
    """The tier's listeners, open; their processes. None beside a service that is not ours."""
    count = plan.tier.load.listeners
    if not count or system.stack is None:
        yield ()
        return
    display.say(f"opening {count:,} listeners")
    with ListenerProcess(
        system.url,
        accounts=listener_accounts(groups=plan.tier.data.tenants, seed=plan.seed),
        count=count,
        folder=run_dir / "load",
        cpu_set=frozenset(cpus.generator),
    ) as process:
        yield (process.pid,)


def changes_heard(plan: RunPlan, run_dir: Path, *, t0: float) -> tuple[Fact, ...]:
    """What the listeners saw of the changes that were committed in the judged window.

    Args:
        plan: What was done.
        run_dir: Has their notes.
        t0: Start of the window, an instant of ``time.monotonic``.
    """
    epoch_s = time.time() - time.monotonic() + t0
    return listener_facts(
        read_notes(run_dir / "load" / NOTES_FILE),
        from_us=round((epoch_s + plan.warmup_s) * 1e6),
        to_us=round((epoch_s + plan.duration_s) * 1e6),
    )


def look_at_data(
    plan: RunPlan, *, system: System, baseline: Baseline | None, files: RunFiles
) -> tuple[Fact, ...]:
    """Write down which invariants hold, now that the load and its telemetry have ended.

    Returns:
        Facts that the data tells.
    """
    if system.stack is None or baseline is None:
        files.write_invariants(not_ours("the service is not ours to look into"))
        return ()
    looked = look(
        system.stack.admin_url,
        plan,
        baseline=baseline,
        load=files.load,
        receivers=system.stack.addresses.get(OUTSIDE_WORLD),
    )
    files.write_invariants(looked.invariants)
    return looked.facts


@contextmanager
def system_under_test(
    plan: RunPlan,
    *,
    run_dir: Path,
    cpus: CpuPlan,
    app_settings: Mapping[str, str],
    display: Display,
) -> Iterator[System]:
    """The tier's own stack with its data, or somebody's service as it is."""
    if plan.url is not None:
        check_reachable(plan.url)
        yield System(url=plan.url, stack=None, facts=(), described={"url": plan.url})
        return
    facts: list[Fact] = []
    dataset: dict[str, Jsonable] = {}

    def seeder(admin_url: str, after_data: Callable[[], None]) -> None:
        result = seed_database(
            admin_url, plan.tier, plan.seed, after_data=after_data, on_progress=display.seed
        )
        display.say(f"{result.rows:,} rows, checksum {result.checksum[:12]}")
        rows = expected_rows(plan.tier, plan.seed)  # verified by the seed
        dataset.update(seed=plan.seed, checksum=result.checksum, rows=to_jsonable(rows))
        facts.extend(
            Fact(name=name, value=float(rows[table]), unit=unit, how=f"rows of table {table}")
            for unit, name, table in DATA_FACTS
            if table in rows
        )

    with bring_up(
        spec=plan.tier.required_stack(),
        variant=plan.variant,
        seeder=seeder,
        state_dir=run_dir / "stack",
        seed=plan.seed,
        app_settings=app_settings,
        cpus=cpus.system,
        tell=display.say,
    ) as stack:
        yield System(
            url=stack.url,
            stack=stack,
            facts=tuple(facts),
            described={"dataset": dataset, "stack": to_jsonable(stack.describe())},
        )
