"""`palier run`: bring up the stack, seed, drive, judge, report."""

from __future__ import annotations

from argparse import Namespace

from palier.commands.address import host_and_port, is_loopback
from palier.commands.disk import disk_errors_told
from palier.commands.planning import plan_of
from palier.commands.rundir import new_run_dir
from palier.errors import ConfigError, ExitCode
from palier.model.catalogue import Catalogue
from palier.model.parse import load_catalogue
from palier.model.plan import RunPlan
from palier.model.tier import Plan, Tier
from palier.stack.topology import refuse_missing


def main(options: Namespace) -> ExitCode:
    catalogue = load_catalogue(options.tiers)
    plan = plan_of(catalogue, options)
    if plan.url is None:
        # A tier without a stack is told before anything is made.
        refuse_missing(plan.variant, plan.tier.required_stack())
    bind = _bind_of(options, plan)
    run_dir = new_run_dir(options.out, tier=plan.tier.id, profile=plan.profile.id)
    # Imported late: they take seconds, and a mistake is told at once.
    from palier.run import run_tier
    from reports.progress import ProgressDisplay

    with ProgressDisplay() as display, disk_errors_told(run_dir):
        conclusion, paths = run_tier(
            plan,
            provider_plan=_provider_plan(catalogue, plan.tier),
            run_dir=run_dir,
            display=display,
            bind=bind,
        )
    from palier.commands.summary import tell

    tell(conclusion, paths, as_json=options.json)
    return conclusion.verdict.exit_code


def _provider_plan(catalogue: Catalogue, tier: Tier) -> Plan | None:
    plans = catalogue.system(tier.system).plans
    return next((plan for plan in plans if plan.id == tier.plan), None)


def _bind_of(options: Namespace, plan: RunPlan) -> tuple[str, int]:
    """Where the master listens: only on this machine when every worker is here."""
    if not plan.remote_workers:
        return "127.0.0.1", 0
    if plan.url is None or is_loopback(plan.url):
        raise ConfigError(
            what="workers on other machines cannot reach a service that listens on this one only",
            where="--remote-workers",
            fix="give the address of a service that all machines reach, with --url",
        )
    return host_and_port(options.master_bind, flag="--master-bind")
