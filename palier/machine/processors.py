"""Cores: how many, for whom, and at what speed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from palier.machine.check import Check
from palier.stack.cpus import CpuPlan

CPU_LIMIT: Final = Path("/sys/fs/cgroup/cpu.max")

GOVERNORS: Final = Path("/sys/devices/system/cpu")

STEADY: Final = "performance"
"""The governor that keeps the clock where it is."""


def look_at_cores(plan: CpuPlan) -> Check:
    """Enough cores that generator and system need not share one."""
    if plan.shared:
        return Check(
            name="cores", status="warning", found=plan.why, fix="measure on a machine with more"
        )
    allowed = cgroup_cores()
    count = len(plan.generator) + len(plan.system)
    if allowed is not None and allowed < count:
        return Check(
            name="cores",
            status="warning",
            found=f"{count} visible, but this container may use {allowed:g} of them at a time",
            fix="raise the container's CPU limit, or pin it to whole cores",
        )
    return Check(name="cores", status="ok", found=plan.why)


def look_at_workers(plan: CpuPlan, workers: int) -> Check:
    """A loader uses one core at most, and waits for it where another one has it."""
    cores = len(plan.generator)
    found = f"{workers} on {cores} " + ("core" if cores == 1 else "cores")
    if workers <= cores:
        return Check(name="loaders", status="ok", found=found)
    return Check(
        name="loaders",
        status="warning",
        found=f"{found}: they wait for each other, and send and notice late",
        fix=f"--workers {cores}, or a machine with more cores",
    )


def look_at_governor(folder: Path = GOVERNORS) -> Check:
    """Clocks that rise and fall with the load make quiet systems look slow."""
    governors = set()
    for path in folder.glob("cpu[0-9]*/cpufreq/scaling_governor"):
        try:
            governors.add(path.read_text(encoding="ascii").strip())
        except OSError:
            continue  # a core that is switched off
    if not governors:
        return Check(name="clock speed", status="ok", found="not told by this system")
    found = "governor " + ", ".join(sorted(governors))
    if governors == {STEADY}:
        return Check(name="clock speed", status="ok", found=found)
    return Check(
        name="clock speed",
        status="warning",
        found=f"{found}: cores may be slow to wake up, so light loads look slower than heavy ones",
        fix=f"cpupower frequency-set -g {STEADY}",
    )


def cgroup_cores() -> float | None:
    """CPU limit of this container in cores; None without one. Source: cgroup v2, cpu.max."""
    try:
        quota, period = CPU_LIMIT.read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)
