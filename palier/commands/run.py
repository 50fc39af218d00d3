"""`palier run`: bring up the stack, seed, drive, judge, report."""

from __future__ import annotations

from argparse import Namespace

from palier.commands.disk import disk_errors_told
from palier.commands.planning import plan_of
from palier.commands.rundir import new_run_dir
from palier.errors import ExitCode
from palier.model.catalogue import Catalogue
from palier.model.parse import load_catalogue
from palier.model.tier import Plan, Tier
from palier.stack.topology import refuse_missing


def main(options: Namespace) -> ExitCode:
    catalogue = load_catalogue(options.tiers)
    plan = plan_of(catalogue, options)
    if plan.url is None:
        plan.tier.required_stack()  # a tier without one is told before anything is made
        refuse_missing(plan.variant)
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
        )
    from palier.commands.summary import tell

    tell(conclusion, paths, as_json=options.json)
    return conclusion.verdict.exit_code


def _provider_plan(catalogue: Catalogue, tier: Tier) -> Plan | None:
    plans = catalogue.system(tier.system).plans
    return next((plan for plan in plans if plan.id == tier.plan), None)
