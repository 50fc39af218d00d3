"""Did every loader report to the end?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from palier.analysis.findings import HealthCheck
from palier.analysis.health.limits import SHORTFALL
from palier.analysis.health.measured import Measured

DEGRADED: Final = "degraded"
"""First word of what is measured when a loss was allowed for."""


def check_workers(measured: Measured) -> HealthCheck:
    """Every loader reported to the end, without holes; or its loss was allowed, and little is
    unknown because of it."""
    problems = [
        problem
        for worker in range(measured.plan.workers)
        if (problem := _worker_problem(measured, worker)) is not None
    ]
    seen = "; ".join(problems) or f"{measured.plan.workers} of {measured.plan.workers}"
    allowed = bool(problems) and _is_allowed(measured, len(problems))
    if allowed:
        seen = f"{DEGRADED}: {seen}"
    return HealthCheck(
        name="loaders",
        ok=not problems or allowed,
        measured=seen,
        limit=f"losses allowed, at most {SHORTFALL:.0%} of the planned requests unknown"
        if measured.plan.lost_workers == "degraded"
        else "all report to the end, without holes",
        why="A lost loader takes what it had not reported along, and the others need a moment to "
        "take its place, so less was offered than the report says. If not ok: see events.jsonl "
        "and the loader's log for why it ended.",
    )


def _is_allowed(measured: Measured, problems: int) -> bool:
    """The plan allows for losses, each was seen and handed over, and little is unknown."""
    told = [one for one in _losses(measured) if one.get("taken_over_by")]
    return (
        measured.plan.lost_workers == "degraded"
        and len(told) == problems
        and _unknown(measured) <= SHORTFALL * measured.totals.planned
    )


def _unknown(measured: Measured) -> int:
    """Requests of which nobody knows whether they were sent, or how they ended."""
    never_seen = dict(measured.totals.skipped_reasons).get("worker_lost", 0)
    return never_seen + sum(int(one.get("in_flight", 0)) for one in _losses(measured))


def _losses(measured: Measured) -> list[Mapping[str, Any]]:
    return [event for event in measured.events if event.get("name") == "worker_lost"]


def _worker_problem(measured: Measured, worker: int) -> str | None:
    lines = measured.health.loc[measured.health["worker"] == worker].sort_values("seq")
    if lines.empty:
        return f"loader {worker} never reported"
    last_s = float(lines["at_s"].iloc[-1])
    holes = int(lines["seq"].max()) + 1 - lines["seq"].nunique()
    if holes:
        return f"loader {worker} has {holes} missing reports"
    if not bool(lines["final"].iloc[-1]):
        return f"loader {worker} stopped reporting at {last_s:.0f} s{_end_of(measured, worker)}"
    return None


def _end_of(measured: Measured, worker: int) -> str:
    """How it ended, and what it took along, as far as the driver saw it."""
    for event in measured.events:
        if event.get("name") != "worker_lost" or event.get("worker") != worker:
            continue
        code, unknown = event.get("exit_code"), event.get("unknown")
        why = event.get("why")
        if code is not None:
            why = f"killed by signal {-code}" if code < 0 else f"it ended with code {code}"
        told = "" if why is None else f": {why}"
        return told if not unknown else f"{told}, and {unknown:,} requests are unknown"
    return ""
