"""From options to a plan; shared by the commands that show or run one."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from urllib.parse import urlsplit

from palier.errors import ConfigError
from palier.model.catalogue import Catalogue
from palier.model.duration import parse_duration
from palier.model.plan import RunPlan, make_plan
from palier.model.trace import parse_trace
from palier.model.variant import override


def plan_of(catalogue: Catalogue, options: Namespace) -> RunPlan:
    """The plan that the options of `palier show` and `palier run` describe.

    Raises:
        ConfigError: There is no such tier or profile, or an option says what cannot be.
    """
    if options.url is not None:
        _check_address(options.url)
    tier = catalogue.tier(options.tier)
    profile = catalogue.profile(options.profile)
    return make_plan(
        system=catalogue.system(tier.system),
        tier=tier,
        profile=profile,
        duration_s=None if options.duration is None else parse_duration(options.duration),
        seed=options.seed,
        workers=options.workers + options.remote_workers,
        remote_workers=options.remote_workers,
        lost_workers=options.lost_workers,
        variant=override(tier.variant, options.set),
        url=options.url,
        may_abort=not options.no_abort,
        trace_us=() if profile.trace is None else _read_trace(profile.trace.path, catalogue),
    )


def _read_trace(path: str, catalogue: Catalogue) -> tuple[int, ...]:
    """The instants of a log that lies beside the tiers file, or anywhere by its full path."""
    log = Path(catalogue.path).parent / path
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            return parse_trace(lines, where=str(log))
    except OSError as error:
        raise ConfigError(
            what=f"cannot read the trace: {error.strerror}",
            where=str(log),
            fix="give its path in the profile, relative to the tiers file",
        ) from error


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
