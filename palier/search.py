"""The flow of a search in one screen: a question in, an answer out; effects only in the middle.

What to do next is ``palier.capacity``'s decision, doing it is ``palier.probing``'s. The log is
written after every step, so whatever ends a search, another call goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from palier.capacity.answer import Answer
from palier.capacity.log import SearchLog
from palier.capacity.search import (
    Drain,
    Measure,
    ProveHealth,
    Step,
    drained,
    known_so_far,
    measured,
    next_step,
    proved,
    unfit,
)
from palier.capacity.targets import SearchTarget, search_targets
from palier.describe_search import after_step, before_step
from palier.environment import describe_environment
from palier.model.jsonvalue import to_jsonable
from palier.probing import Rig, Unfit
from palier.run import Display, system_under_test
from palier.searchfiles import SearchFiles
from palier.selftest.limits import certified, limits_as_json
from palier.stack.cpus import plan_cpus, usable_cores
from palier.stack.signals import ended_by_signals
from palier.telemetry.backlog import Backlog

UNHURRIED_S: Final = 0.1
"""A lone request that is answered within this is fast, where no gate says how fast."""

APP_SETTINGS: Final = {"APP_RATE_LIMIT_PER_MIN": "off"}
"""A search asks for more than a tier's owners do; refusing them would measure that limit."""


def search_tier(files: SearchFiles, *, display: Display) -> Answer:
    """Bring the system up once and search until there is an answer.

    Args:
        files: Hold the plan and the log; the log is brought forward.
        display: Told what is going on.

    Returns:
        The answer; one that ended with ``interrupted`` when somebody stopped it.

    Raises:
        PalierError: The stack, the seed, the load or the disk failed; the log is kept.
        KeyboardInterrupt: It was stopped before the first probe ended.
    """
    plan, log = files.read_plan(), files.read_log()
    if isinstance(answer := next_step(log), Answer):
        return answer  # it had ended before; nothing has to be brought up to know that
    targets, _ = search_targets(plan.tier.targets)
    cpus = plan_cpus(usable_cores())
    try:
        with (
            ended_by_signals(),
            system_under_test(
                plan, run_dir=files.path, cpus=cpus, app_settings=APP_SETTINGS, display=display
            ) as system,
            Backlog(system.url, system.stack, fast_s=_fast_s(targets)) as backlog,
        ):
            limits = certified()
            environment = describe_environment(
                Path(),
                system.described
                | {"cpus": to_jsonable(cpus)}
                | ({} if limits is None else {"certified": limits_as_json(limits)}),
            )
            files.as_run.write_environment(environment)
            rig = Rig(
                plan=plan,
                targets=targets,
                system=system,
                backlog=backlog,
                cpus=cpus,
                environment=environment,
                files=files,
                display=display,
            )
            return _search(rig, log)
    except KeyboardInterrupt:
        log = files.read_log()
        if not log.probes:
            raise
        return known_so_far(log)


def _search(rig: Rig, log: SearchLog) -> Answer:
    while not isinstance(step := next_step(log), Answer):
        rig.display.say(before_step(log, step))
        try:
            log = _do(rig, log, step)
            words = after_step(log, step)
        except Unfit as why:
            log = unfit(log, str(why))
            words = f"no evidence: {why}"
        rig.files.write_log(log)
        if words:
            rig.display.say(f"  {words}")
    return step


def _do(rig: Rig, log: SearchLog, step: Step) -> SearchLog:
    if isinstance(step, Measure):
        return measured(log, rig.measure(step))
    if isinstance(step, Drain):
        return drained(log, left=rig.drain(step))
    assert isinstance(step, ProveHealth)
    why = rig.prove_health(step, warmup_s=log.rules.warmup_s)
    return proved(log, healthy=not why, why=why)


def _fast_s(targets: Iterable[SearchTarget]) -> float:
    """The tightest limit of a gate: whoever is alone and slower than that is not alone."""
    return min((one.limit_s for one in targets if one.limit_s is not None), default=UNHURRIED_S)
