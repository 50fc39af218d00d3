"""Did the generator's event loop stand still, and why?"""

from __future__ import annotations

from palier.analysis.findings import HealthCheck
from palier.analysis.health.causes import main_cause, stalls_s
from palier.analysis.health.lag import lag_budget_s
from palier.analysis.health.limits import BLOCKED_SHARE, COLLECTOR_SHARE
from palier.analysis.health.measured import NOT_MEASURED, Measured, told, told_by_worker


def check_loop(measured: Measured) -> HealthCheck:
    """Share of the time in which a loader's event loop stood still."""
    lines = measured.judged_health()
    budget_s = lag_budget_s(measured.plan)
    stalls = stalls_s(lines, beyond_s=budget_s)
    if stalls is None:
        # Lines that know the longest one of a second only.
        beyond = (lines["loop_delay_max_ms"] / 1000 - budget_s).clip(lower=0)
        blocked = beyond.groupby(lines["worker"]).sum() / measured.length_s
    else:
        blocked = stalls.groupby("worker")["late_s"].sum() / measured.length_s
    worst = float(blocked.max()) if len(blocked) else 0.0
    longest_ms = float(lines["loop_delay_max_ms"].max()) if len(lines) else 0.0
    cause = main_cause(measured, beyond_s=budget_s)
    return HealthCheck(
        name="event loop",
        ok=worst <= BLOCKED_SHARE,
        measured=f"{worst:.2%} of the time, {longest_ms:,.0f} ms at most"
        + (f", {cause}" if cause else ""),
        limit=f"{BLOCKED_SHARE:.0%} of the time, counted from {budget_s * 1000:.0f} ms on",
        why="While the generator's event loop stands still, answers arrive and are not noticed, "
        "so they are measured as slower than they were. If not ok: use fewer users, more loader "
        "processes (--workers), or leave the generator a core of its own.",
    )


def check_collector(measured: Measured) -> HealthCheck:
    """Share of the time that Python's collector took in a loader."""
    lines = measured.judged_health()
    total_ms = told_by_worker(lines, "gc_total_ms")
    share, seen = 0.0, NOT_MEASURED
    if total_ms is not None:
        share = float(total_ms.max()) / 1000 / measured.length_s
        pauses, longest_ms = told(lines, "gc_pauses"), told(lines, "gc_max_ms")
        number = 0 if pauses is None else int(pauses.sum())
        most_ms = 0.0 if longest_ms is None else float(longest_ms.max())
        seen = f"{number:,} pauses, {most_ms:,.0f} ms at most, {share:.2%} of the time"
    return HealthCheck(
        name="collector",
        ok=share <= COLLECTOR_SHARE,
        measured=seen,
        limit=f"{COLLECTOR_SHARE:.0%} of the time",
        why="The collector of Python is frozen while a loader measures, because it stops "
        "everything. If not ok: something in the scenario, or a plug-in of it, asks for "
        "collections or turns the collector on again; take that out.",
    )
