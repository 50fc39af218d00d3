"""Did the generator's event loop stand still?"""

from __future__ import annotations

from palier.analysis.findings import HealthCheck
from palier.analysis.health.lag import lag_budget_s
from palier.analysis.health.limits import BLOCKED_SHARE
from palier.analysis.health.measured import Measured


def check_loop(measured: Measured) -> HealthCheck:
    """Share of the time in which a loader's event loop stood still."""
    lines = measured.judged_health()
    length_s = max(1.0, measured.to_s - measured.from_s)
    budget_s = lag_budget_s(measured.plan)
    beyond = (lines["loop_delay_max_ms"] / 1000 - budget_s).clip(lower=0)
    blocked = beyond.groupby(lines["worker"]).sum() / length_s
    worst = float(blocked.max()) if len(blocked) else 0.0
    longest_ms = float(lines["loop_delay_max_ms"].max()) if len(lines) else 0.0
    return HealthCheck(
        name="event loop",
        ok=worst <= BLOCKED_SHARE,
        measured=f"{worst:.2%} of the time, {longest_ms:.0f} ms at most",
        limit=f"{BLOCKED_SHARE:.0%} of the time, counted from {budget_s * 1000:.0f} ms on",
        why="While the generator's event loop stands still, answers arrive and are not noticed, "
        "so they are measured as slower than they were. If not ok: use fewer users, more loader "
        "processes (--workers), or leave the generator a core of its own.",
    )
