"""One function a command: options in, text out, exit code back. No rules of their own."""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import os
import shutil
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from palier import doctor as examination
from palier.analysis.documents import verdict_as_json
from palier.describe import describe_plan, describe_tiers, tiers_as_json
from palier.errors import ConfigError, ExitCode
from palier.load.schedule import make_schedule
from palier.model.catalogue import Catalogue
from palier.model.duration import parse_duration
from palier.model.jsonvalue import Jsonable, to_jsonable
from palier.model.parse import load_catalogue
from palier.model.plan import RunPlan, make_plan
from palier.model.plan_json import plan_as_json
from palier.model.tier import Plan, StackSpec, Tier
from palier.model.variant import override
from palier.run import Conclusion, conclude, judge_files, run_tier
from palier.stack.cleanup import down_all, list_stacks
from palier.stack.registry import StackRecord
from palier.stack.topology import up_detached
from reports.inputs import ReportPaths
from reports.progress import ProgressDisplay
from reports.terminal import summary_text
from seed.dataset import expected_rows, seed_database, verify_database

DEFAULT_WIDTH = 100


def version() -> str:
    """Version of the installed package."""
    return importlib.metadata.version("palier")


def doctor(options: Namespace) -> ExitCode:
    checks = examination.examine()
    if options.json:
        _print_json({"schema": 1, "checks": [to_jsonable(check) for check in checks]})
    else:
        _print(examination.render(checks))
    return examination.exit_code(checks)


def tiers(options: Namespace) -> ExitCode:
    catalogue = load_catalogue(options.tiers)
    if options.json:
        _print_json(tiers_as_json(catalogue))
    else:
        _print(describe_tiers(catalogue))
    return ExitCode.PASS


def show(options: Namespace) -> ExitCode:
    plan = _plan(load_catalogue(options.tiers), options)
    schedule = make_schedule(plan)
    if options.json:
        _print_json(plan_as_json(plan, schedule_digest=schedule.digest))
    else:
        counts: Counter[str] = Counter()
        for (_, operation), count in schedule.planned_counts().items():
            counts[operation] += count
        rows = None if plan.url is not None else expected_rows(plan.tier, plan.seed)
        _print(describe_plan(plan, counts, rows=rows))
    return ExitCode.PASS


def run(options: Namespace) -> ExitCode:
    catalogue = load_catalogue(options.tiers)
    plan = _plan(catalogue, options)
    run_dir = _new_run_dir(options.out, plan)
    with ProgressDisplay() as display:
        conclusion, paths = run_tier(
            plan,
            provider_plan=_provider_plan(catalogue, plan.tier),
            run_dir=run_dir,
            display=display,
        )
    _tell(conclusion, paths, as_json=options.json)
    return conclusion.verdict.exit_code


def report(options: Namespace) -> ExitCode:
    for run_dir in options.runs:
        conclusion, paths = conclude(run_dir)
        _print(f"{conclusion.verdict.verdict:<12} {paths.html}")
    return ExitCode.PASS


def gate(options: Namespace) -> ExitCode:
    conclusion, _ = judge_files(options.run)
    _tell(conclusion, None, as_json=options.json)
    return conclusion.verdict.exit_code


def up(options: Namespace) -> ExitCode:
    tier = load_catalogue(options.tiers).tier(options.tier)
    with ProgressDisplay() as display:

        def seeder(admin_url: str, after_data: Callable[[], None]) -> None:
            seed_database(
                admin_url, tier, options.seed, after_data=after_data, on_progress=display.seed
            )

        record = up_detached(
            spec=_stack_of(tier),
            variant=override(tier.variant, options.set),
            seeder=seeder,
            name=tier.id,
            tell=display.say,
        )
    _print(
        f"{tier.id} is up at {record.facts['url']}\n"
        f"database  {record.facts['admin_url']}\n"
        f"sign in   owner0@example.com, password palier-{options.seed}\n"
        "end it    palier down"
    )
    return ExitCode.PASS


def down(_options: Namespace) -> ExitCode:
    outcome = down_all()
    _print(f"ended {len(outcome.ended)} stack(s)")
    for record in outcome.left_running:
        _print(f"left {record.token} alone: its {record.purpose} is still going on")
    return ExitCode.PASS


def seed(options: Namespace) -> ExitCode:
    tier = load_catalogue(options.tiers).tier(options.tier)
    record = _stack_that_is_up(tier)
    if options.verify:
        checks = verify_database(record.facts["admin_url"], tier, options.seed)
        for check in checks:
            _print(f"ok  {check.name}: {check.measured}")
        return ExitCode.PASS
    raise ConfigError(
        what=f"the stack of {tier.id} was seeded when it was brought up",
        where="palier seed",
        fix=f"`palier seed {tier.id} --verify` checks it; "
        f"`palier down`, then `palier up {tier.id} --seed N` makes another",
    )


# ------------------------------------------------------------------------------------------------


def _plan(catalogue: Catalogue, options: Namespace) -> RunPlan:
    tier = catalogue.tier(options.tier)
    return make_plan(
        system=catalogue.system(tier.system),
        tier=tier,
        profile=catalogue.profile(options.profile),
        duration_s=None if options.duration is None else parse_duration(options.duration),
        seed=options.seed,
        workers=options.workers,
        variant=override(tier.variant, options.set),
        url=options.url,
    )


def _provider_plan(catalogue: Catalogue, tier: Tier) -> Plan | None:
    plans = catalogue.system(tier.system).plans
    return next((plan for plan in plans if plan.id == tier.plan), None)


def _stack_of(tier: Tier) -> StackSpec:
    if tier.stack is None:
        raise ConfigError(
            what=f"tier {tier.id} has no stack, so there is nothing to bring up",
            where="tiers.yaml",
            fix="drive your own service with `palier run` and --url, or give the tier a stack",
        )
    return tier.stack


def _stack_that_is_up(tier: Tier) -> StackRecord:
    for record in list_stacks():
        if record.facts.get("tier") == tier.id:
            return record
    raise ConfigError(
        what=f"no stack of {tier.id} is up",
        where="palier seed",
        fix=f"palier up {tier.id}",
    )


def _new_run_dir(out: Path | None, plan: RunPlan) -> Path:
    """Make the directory of a run; never one that holds anything.

    Raises:
        ConfigError: It is a file, holds files, or cannot be made.
    """
    try:
        if out is None:
            return _unused(Path("runs"), f"{_utc_now()}-{plan.tier.id}-{plan.profile.id}")
        out.mkdir(parents=True, exist_ok=True)
        if not any(out.iterdir()):
            return out
    except FileExistsError:
        raise ConfigError(
            what="not a directory", where=f"--out {out}", fix="name a new directory"
        ) from None
    except OSError as error:
        raise ConfigError(
            what=f"cannot make the directory of the run: {error.strerror}",
            where=str(out or "runs"),
            fix="name a directory that can be written with --out",
        ) from error
    raise ConfigError(
        what="the directory of a new run holds files already",
        where=f"--out {out}",
        fix="name an empty or a new directory",
    )


def _unused(parent: Path, name: str) -> Path:
    """Make ``parent/name``, with a number behind it when another run began in the same second."""
    for attempt in itertools.count(1):
        candidate = parent / (name if attempt == 1 else f"{name}-{attempt}")
        try:
            candidate.mkdir(parents=True)
        except FileExistsError:
            continue
        return candidate
    raise AssertionError("unreachable")


def _utc_now() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def _tell(conclusion: Conclusion, paths: ReportPaths | None, *, as_json: bool) -> None:
    """The verdict document on stdout with ``--json``; else the summary there."""
    width = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
    stream = sys.stderr if as_json else sys.stdout
    text = summary_text(
        conclusion.verdict,
        conclusion.findings,
        conclusion.plan,
        paths,
        width=width,
        color=stream.isatty() and "NO_COLOR" not in os.environ,
    )
    stream.write(text)
    if as_json:
        _print_json(verdict_as_json(conclusion.verdict))


def _print(text: str) -> None:
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def _print_json(document: Jsonable) -> None:
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
