"""`palier show`: what a run would do; touches nothing."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter

from palier.commands.output import print_json, print_text
from palier.commands.planning import plan_of
from palier.describe import describe_plan
from palier.errors import ExitCode
from palier.load.schedule import make_schedule
from palier.model.parse import load_catalogue
from palier.model.plan import RunPlan
from palier.model.plan_json import plan_as_json
from seed.dataset import expected_rows
from seed.spec import why_no_dataset


def main(options: Namespace) -> ExitCode:
    plan = plan_of(load_catalogue(options.tiers), options)
    if options.json:
        print_json(plan_as_json(plan, schedule_digest=make_schedule(plan).digest))
    else:
        print_text(shown(plan))
    return ExitCode.PASS


def shown(plan: RunPlan) -> str:
    """A plan in words, with the counts of its schedule and of its data."""
    counts: Counter[str] = Counter()
    for (_, operation), count in make_schedule(plan).planned_counts().items():
        counts[operation] += count
    no_data = why_no_dataset(plan.tier)
    made = plan.url is None and no_data is None
    rows = expected_rows(plan.tier, plan.seed) if made else None
    return describe_plan(plan, counts, rows=rows, no_data=no_data)
