"""From options to a plan; shared by the commands that show or run one."""

from __future__ import annotations

from argparse import Namespace
from urllib.parse import urlsplit

from palier.errors import ConfigError
from palier.model.catalogue import Catalogue
from palier.model.duration import parse_duration
from palier.model.plan import RunPlan, make_plan
from palier.model.variant import override


def plan_of(catalogue: Catalogue, options: Namespace) -> RunPlan:
    """The plan that the options of `palier show` and `palier run` describe.

    Raises:
        ConfigError: There is no such tier or profile, or an option says what cannot be.
    """
    if options.url is not None:
        _check_address(options.url)
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


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is not one
        usable = False
    if not usable:
        raise ConfigError(
            what=f"{url!r} is not the address of a service",
            where="--url",
            fix="write e.g. http://127.0.0.1:8000",
        )
