"""`palier search`: the highest rate at which a tier meets all of its gates."""

from __future__ import annotations

import os
import re
import shutil
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from palier.capacity.log import SearchLog
from palier.capacity.rules import Rules, make_rules
from palier.capacity.story import SearchStory, story_as_json
from palier.capacity.targets import search_targets
from palier.commands.disk import disk_errors_told
from palier.commands.output import print_json
from palier.commands.planning import plan_of
from palier.commands.rundir import new_run_dir
from palier.errors import ConfigError, ExitCode, PalierError
from palier.model.duration import parse_duration
from palier.model.parse import load_catalogue
from palier.model.plan import RunPlan
from palier.searchfiles import SearchFiles
from palier.selftest.limits import certified
from palier.stack.topology import refuse_missing

DEFAULT_WIDTH = 100
"""Columns when nobody says: a log, a pipe."""

MOST_PER_WORKER: Final = 4000.0
"""Requests a second that one generator process is good for where this machine has not been
measured; docs/method.md says with what."""

ROOM: Final = 0.9
"""Of the certified rate: arrivals at random have busier seconds than their mean."""

SETTLED: Final[Mapping[str, object]] = {
    "duration": None,
    "no_abort": True,
    "remote_workers": 0,
    "lost_workers": "invalid",
}
"""Options of a run that a search leaves no choice about."""

QUESTION: Final = ("tier", "start", "most", "width", "url", "out")
"""Options that are not given again when a search is resumed: its directory holds them. More time
may be given: it is a bound, and the errors are shared by the probes whatever time they take."""


def main(options: Namespace) -> ExitCode:
    files = _new_search(options) if options.resume is None else _old_search(options)
    # Imported late: they take seconds, and a mistake is told at once.
    from palier.concluding import conclude_search
    from palier.search import search_tier
    from reports.progress import ProgressDisplay

    with ProgressDisplay() as display, disk_errors_told(files.path):
        try:
            search_tier(files, display=display)
        except (PalierError, KeyboardInterrupt):
            display.say(_how_to_go_on(files))
            raise
        display.say("writing the answer, and drawing the report")
        story, report = conclude_search(files)
        if story.answer.end == "interrupted":
            display.say(_how_to_go_on(files))
        if story.answer.end == "time_used_up":
            display.say(f"{_how_to_go_on(files)} --longest TIME")
    _tell(story, files.read_plan(), report, as_json=options.json)
    return exit_code_of(story)


def _how_to_go_on(files: SearchFiles) -> str:
    return f"to go on with it: palier search --resume {files.path}"


def exit_code_of(story: SearchStory) -> ExitCode:
    """0 for an interval as narrow as was asked for; 4 when there is none."""
    if story.answer.end == "interrupted":
        return ExitCode.INTERRUPTED
    return ExitCode.PASS if story.answer.end == "found" else ExitCode.UNDECIDED


def _new_search(options: Namespace) -> SearchFiles:
    if options.tier is None:
        raise ConfigError(
            what="no tier named",
            where="palier search",
            fix="`palier search TIER`, or --resume DIR to go on with a search",
        )
    plan = plan_of(load_catalogue(options.tiers), Namespace(**vars(options), **SETTLED))
    _check_plan(plan)
    log = SearchLog(rules=_rules(plan, options))
    _warn_of_rates(plan, log.rules.highest_per_s)
    if plan.url is None:
        # A tier without a stack is told before anything is made.
        refuse_missing(plan.variant, plan.tier.required_stack())
    files = SearchFiles(new_run_dir(options.out, tier=plan.tier.id, profile="search"))
    with disk_errors_told(files.path):
        files.as_run.write_plan(plan)
        files.write_log(log)
    return files


def _check_plan(plan: RunPlan) -> None:
    """Refuse what has no highest rate.

    Raises:
        ConfigError: The load is closed, or its level moves.
    """
    if plan.loop is None and plan.is_steady:
        return
    reason = (
        "is a closed load: its users set the rate by waiting, so there is none to search for"
        if plan.loop is not None
        else "moves its rate, so there is no one rate to search for"
    )
    raise ConfigError(
        what=f"profile {plan.profile.id} {reason}",
        where=f"--profile {plan.profile.id}",
        fix="search with an open profile whose level does not move, such as steady",
    )


def _old_search(options: Namespace) -> SearchFiles:
    given = [name for name in QUESTION if getattr(options, name) is not None]
    if given:
        raise ConfigError(
            what=f"a search that is resumed keeps its question, so {', '.join(given)} cannot be "
            "given again",
            where="palier search --resume",
            fix=f"palier search --resume {options.resume}",
        )
    files = SearchFiles(options.resume)
    files.read_plan()  # a directory of something else is told before anything is written
    log = files.read_log().resumed()
    files.write_log(log if options.longest is None else _with_time(log, options.longest))
    return files


def _with_time(log: SearchLog, longest: str) -> SearchLog:
    """The same search with another bound of its time."""
    longest_s = parse_duration(longest)
    if longest_s <= log.loaded_s:
        raise ConfigError(
            what=f"the search has been under load for {log.loaded_s:.0f} s already, so {longest} "
            "leaves it no time",
            where="--longest",
            fix="give the time of all probes together, those before included",
        )
    return replace(log, rules=replace(log.rules, longest_s=longest_s))


def _rules(plan: RunPlan, options: Namespace) -> Rules:
    targets, _ = search_targets(plan.tier.targets)
    if not targets:
        raise ConfigError(
            what=f"{plan.tier.id} has no gate that a rate could miss",
            where=f"targets of {plan.tier.id}",
            fix="give it a gate with the metric response_time and a percentile, or error_ratio",
        )
    most = _sendable(plan.workers) if options.most is None else _rate(options.most, "--most")
    start = min(plan.requests_per_s, most)
    if options.start is not None:
        start = _rate(options.start, "--start")
    return make_rules(
        tuple(target.gate for target in targets),
        start_per_s=start,
        most_per_s=most,
        width=0.05 if options.width is None else _share(options.width, "--width"),
        longest_s=7200.0 if options.longest is None else parse_duration(options.longest),
        warmup_s=plan.profile.warmup_s,
    )


def _sendable(workers: int) -> float:
    """Requests a second that this machine's load generator is known to be good for."""
    limits = certified()
    if limits is None or not limits.rate_per_s:
        return MOST_PER_WORKER * workers
    return ROOM * limits.rate_per_s * workers


def _warn_of_rates(plan: RunPlan, most_per_s: float) -> None:
    limits = certified()
    if limits is None or most_per_s <= limits.rate_per_s * plan.workers:
        return
    sys.stderr.write(
        f"note: `palier selftest` certified {limits.rate_per_s * plan.workers:,.0f} requests/s "
        f"for {plan.workers} generator process(es); probes beyond it are no evidence\n"
    )


def _rate(text: str, option: str) -> float:
    """``"240"`` or ``"240/s"``."""
    number = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/s)?", text.strip(), re.ASCII)
    if number is None or float(number[1]) <= 0:
        raise ConfigError(
            what=f"{text!r} is not a rate", where=option, fix="write requests a second, e.g. 240"
        )
    return float(number[1])


def _share(text: str, option: str) -> float:
    """``"5%"`` or ``"0.05"``."""
    number = re.fullmatch(r"(\d+(?:\.\d+)?) ?(%?)", text.strip(), re.ASCII)
    share = float(number[1]) / (100 if number[2] else 1) if number else 0.0
    if not 0.005 <= share <= 1:
        raise ConfigError(
            what=f"{text!r} is not a width a search can reach",
            where=option,
            fix="write a share of the rate between 0.5% and 100%, e.g. 5%",
        )
    return share


def _tell(story: SearchStory, plan: RunPlan, report: Path, *, as_json: bool) -> None:
    from reports.search.terminal import answer_text

    stream = sys.stderr if as_json else sys.stdout
    stream.write(
        answer_text(
            story,
            plan,
            report,
            width=shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns,
            color=stream.isatty() and "NO_COLOR" not in os.environ,
        )
    )
    if as_json:
        print_json(story_as_json(story))
