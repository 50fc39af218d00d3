"""Did the generator have the processor time it needed?"""

from __future__ import annotations

from palier.analysis.findings import HealthCheck
from palier.analysis.health.limits import CPU_LIMIT
from palier.analysis.health.measured import Measured


def check_cpu(measured: Measured) -> HealthCheck:
    """Processor time of the busiest loader in the judged window."""
    lines = measured.judged_health()
    length_s = max(1.0, measured.to_s - measured.from_s)
    used = lines.groupby("worker")["cpu_s"].sum() / length_s
    worst = float(used.max()) if len(used) else 0.0
    return HealthCheck(
        name="generator CPU",
        ok=worst <= CPU_LIMIT,
        measured=f"{worst:.0%} of a core",
        limit=f"{CPU_LIMIT:.0%} of a core",
        why="A generator near the limit of its core measures its own queue. If not ok: use more "
        "loader processes (--workers), fewer users, or another machine for the load.",
    )
