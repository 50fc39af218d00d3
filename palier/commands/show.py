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
from palier.model.plan_json import plan_as_json
from seed.dataset import expected_rows


def main(options: Namespace) -> ExitCode:
    plan = plan_of(load_catalogue(options.tiers), options)
    schedule = make_schedule(plan)
    if options.json:
        print_json(plan_as_json(plan, schedule_digest=schedule.digest))
        return ExitCode.PASS
    counts: Counter[str] = Counter()
    for (_, operation), count in schedule.planned_counts().items():
        counts[operation] += count
    rows = None if plan.url is not None else expected_rows(plan.tier, plan.seed)
    print_text(describe_plan(plan, counts, rows=rows))
    return ExitCode.PASS
