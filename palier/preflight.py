"""What would spoil a run is looked for before it, with the fix, and not found out after it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from palier.errors import LoadError
from palier.load.expected import busiest_moment
from palier.machine.check import Check
from palier.machine.connections import Needed, look_at_files, look_at_ports
from palier.machine.names import look_at_name
from palier.machine.processors import look_at_workers
from palier.machine.room import look_at_room
from palier.model.plan import RunPlan
from palier.stack.cpus import CpuPlan

SLOWEST_USUAL_S: Final = 0.1
"""A service whose answers all take longer than 100 ms meets few targets, so a machine without the
connections for that cannot measure it at all."""


def look_ahead(plan: RunPlan, *, run_dir: Path, cpus: CpuPlan) -> tuple[Check, ...]:
    """Everything that can be known before the first request.

    Args:
        plan: What is to be done.
        run_dir: Existing directory of the run.
        cpus: Division of the cores.
    """
    needed = connections_needed(plan)
    checks = [
        look_at_files(needed.shared(plan.workers)),
        look_at_ports(needed.beside(plan.tier.load.listeners)),
        look_at_room(run_dir, plan),
        look_at_workers(cpus, plan.workers),
    ]
    if plan.url is not None:
        checks.append(look_at_name(plan.url))
    return tuple(checks)


def connections_needed(plan: RunPlan) -> Needed:
    """From the busiest moment: its requests, for as long as each may take (Little's law)."""
    most_per_s, _ = busiest_moment(plan)
    most = plan.max_sessions * plan.workers
    return Needed(
        usual=min(most, round(most_per_s * SLOWEST_USUAL_S)),
        stalled=min(most, round(most_per_s * plan.request_timeout_s)),
    )


def refuse(checks: Iterable[Check]) -> None:
    """Do not begin what cannot work.

    Raises:
        LoadError: A check says so.
    """
    for check in checks:
        if check.status == "missing":
            raise LoadError(what=check.found, where=f"this machine: {check.name}", fix=check.fix)


def warnings(checks: Iterable[Check]) -> list[str]:
    """A line for each check that found something."""
    return [
        f"warning: {check.name}: {check.found} -> {check.fix}"
        for check in checks
        if check.status == "warning"
    ]
