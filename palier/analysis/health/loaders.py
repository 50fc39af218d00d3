"""Did every loader report to the end?"""

from __future__ import annotations

from palier.analysis.findings import HealthCheck
from palier.analysis.health.measured import Measured


def check_workers(measured: Measured) -> HealthCheck:
    """Every loader reported to the end, without holes."""
    problems = [
        problem
        for worker in range(measured.plan.workers)
        if (problem := _worker_problem(measured, worker)) is not None
    ]
    return HealthCheck(
        name="loaders",
        ok=not problems,
        measured="; ".join(problems) or f"{measured.plan.workers} of {measured.plan.workers}",
        limit="all report to the end, without holes",
        why="A lost loader takes its share of the load and its results along, so less was "
        "offered than the report says. If not ok: see events.jsonl and the loader's log for why "
        "it ended.",
    )


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
