"""From options to a plan; shared by the commands that show or run one."""

from __future__ import annotations

from argparse import Namespace

from palier.model.catalogue import Catalogue
from palier.model.duration import parse_duration
from palier.model.plan import RunPlan, make_plan
from palier.model.variant import override


def plan_of(catalogue: Catalogue, options: Namespace) -> RunPlan:
    """The plan that the options of `palier show` and `palier run` describe."""
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
