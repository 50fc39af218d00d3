"""Did the generator have the processor time it needed?"""

from __future__ import annotations

from palier.analysis.findings import HealthCheck
from palier.analysis.health.limits import CPU_LIMIT, STEAL_SHARE
from palier.analysis.health.measured import NOT_MEASURED, Measured, told, told_by_worker


def check_cpu(measured: Measured) -> HealthCheck:
    """Processor time of the busiest loader in the judged window, and its wait for a core."""
    lines = measured.judged_health()
    share, seen = 0.0, "no report"
    for _, one in lines.groupby("worker"):
        used = float(one["cpu_s"].sum()) / measured.length_s
        waited_s, switches = told(one, "core_wait_s"), told(one, "forced_switches")
        waited = 0.0 if waited_s is None else float(waited_s.sum()) / measured.length_s
        if used + waited < share:
            continue
        share, seen = used + waited, f"{used:.0%} of a core"
        if waited_s is not None and switches is not None:
            seen += (
                f", and {waited:.0%} of the time it was ready and another process had the core"
                f" (which was taken from it {int(switches.sum()):,} times)"
            )
    return HealthCheck(
        name="generator CPU",
        ok=share <= CPU_LIMIT,
        measured=seen,
        limit=f"{CPU_LIMIT:.0%} of a core together",
        why="A generator short of processor time sends late and sees answers late. If not ok: "
        "end what else runs on its cores, use fewer users, more loader processes (--workers) on "
        "more cores, or another machine for it.",
    )


def check_steal(measured: Measured) -> HealthCheck:
    """Processor time that the machine below a virtual machine took."""
    lines = measured.judged_health()
    stolen_s, cores = told_by_worker(lines, "stolen_s"), told(lines, "cores")
    share, seen = 0.0, NOT_MEASURED
    if stolen_s is not None and cores is not None:
        # Every loader of a machine sees the same theft.
        share = float(stolen_s.max()) / measured.length_s / float(cores.max())
        seen = f"{share:.2%} of the time of {int(cores.max())} cores"
    return HealthCheck(
        name="steal",
        ok=share <= STEAL_SHARE,
        measured=seen,
        limit=f"{STEAL_SHARE:.0%} of the time of all cores",
        why="Time that the host gives to other virtual machines stops generator and system alike, "
        "and looks like slowness of the system. If not ok: use a machine with cores of its own, "
        "or run again when the host is quiet.",
    )
