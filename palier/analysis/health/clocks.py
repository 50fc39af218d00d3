"""Do the times of a run make sense?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from palier.analysis.findings import HealthCheck
from palier.analysis.health.limits import CLOCK_BOUND_S, CLOCK_STEP_S, LARGEST_GAP_S
from palier.analysis.health.measured import NOT_MEASURED, Measured, told


def check_clocks(measured: Measured) -> HealthCheck:
    """Times are where they can be: inside the run, in order, without gaps."""
    problems = [*_ledger_times(measured), *_histogram_times(measured), *_report_times(measured)]
    return HealthCheck(
        name="clocks",
        ok=not problems,
        measured="; ".join(problems) or "all times inside the run and in order",
        limit=f"inside the run, no gap above {LARGEST_GAP_S:.0f} s",
        why="Every number here is a difference of two clock readings. If not ok: a loader was "
        "stopped for a while, or its machine was; run again.",
    )


def _ledger_times(measured: Measured) -> Sequence[str]:
    second = measured.ledger["second"]
    outside = int(((second < 0) | (second >= math.ceil(measured.plan.duration_s))).sum())
    return [f"{outside} ledger rows outside the planned window"] if outside else []


def _histogram_times(measured: Measured) -> Sequence[str]:
    rows, plan = measured.histograms, measured.plan
    latest_s = plan.duration_s + plan.drain_s + plan.request_timeout_s
    outside = int(((rows["second"] < 0) | (rows["second"] > latest_s)).sum())
    return [f"{outside} histogram rows outside the run"] if outside else []


def _report_times(measured: Measured) -> Sequence[str]:
    problems = []
    for worker, lines in measured.health.groupby("worker"):
        gaps = np.diff(lines.sort_values("seq")["at_s"].to_numpy(np.float64), prepend=0.0)
        if len(gaps) and float(gaps.max()) > LARGEST_GAP_S:
            problems.append(f"loader {worker} was silent for {float(gaps.max()):.1f} s")
        if (gaps[1:] < 0).any():
            problems.append(f"the clock of loader {worker} went back")
    return problems


def check_wall_clock(measured: Measured) -> HealthCheck:
    """Nobody set the machine's clock during the run."""
    moved_ms = told(measured.health, "wall_moved_ms")
    steps = []
    if moved_ms is not None:
        lines = measured.health.loc[moved_ms.index]
        for worker, at_s, moved in zip(lines["worker"], lines["at_s"], moved_ms, strict=True):
            if abs(moved) / 1000 >= CLOCK_STEP_S:
                steps.append(f"set by {moved / 1000:+,.1f} s before {at_s:.0f} s (loader {worker})")
    steady = "never set" if moved_ms is not None else NOT_MEASURED
    more = f"; and {len(steps) - 3} more" if len(steps) > 3 else ""
    return HealthCheck(
        name="wall clock",
        ok=not steps,
        measured="; ".join(steps[:3]) + more or steady,
        limit=f"no step of {CLOCK_STEP_S * 1000:.0f} ms or more",
        why="Response times are not touched by it: they come from a clock that nobody can set. But "
        "the stamps of logs and telemetry no longer fit them, and whatever the system does by the "
        "clock (tokens, leases, caches) happened at another time. If not ok: let the clock be "
        "corrected gradually, and run again.",
    )


def check_clock_offsets(measured: Measured) -> HealthCheck:
    """The clocks of other machines were compared with ours at the start and at the end."""
    first = measured.plan.workers - measured.plan.remote_workers
    lost = {event.get("worker") for event in measured.events if event.get("name") == "worker_lost"}
    problems: list[str] = []
    bounds_ms: list[float] = []
    for worker in range(first, measured.plan.workers):
        seen = [
            event
            for event in measured.events
            if event.get("name") == "clock" and event.get("worker") == worker
        ]
        known = [event for event in seen if "offset_ms" in event]
        if not known or (len(known) < 2 and worker not in lost):
            problems.append(f"the clock of loader {worker} was not measured")
            continue
        bounds_ms += [float(event["bound_ms"]) for event in known]
        problems += _offset_problems(worker, known)
    within = f"known to {max(bounds_ms):.2f} ms" if bounds_ms else "one machine, one clock"
    return HealthCheck(
        name="clock offsets",
        ok=not problems,
        measured="; ".join(problems) or within,
        limit=f"known to {CLOCK_BOUND_S * 1000:.0f} ms, and no further apart at the end",
        why="Arrivals are shared out over machines whose clocks differ, so each has to know where "
        "its own stands. If not ok: the network between master and workers is too slow or uneven "
        "to tell (put them nearer to each other), or a machine was asleep; run again.",
    )


def _offset_problems(worker: int, known: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    limit_ms = CLOCK_BOUND_S * 1000
    start, end = known[0], known[-1]
    problems = []
    if float(start["bound_ms"]) > limit_ms:
        problems.append(f"that of loader {worker} is known to {start['bound_ms']:.1f} ms only")
    drift_ms = abs(float(end["offset_ms"]) - float(start["offset_ms"]))
    # What the two measurements may be wrong by is no drift.
    surely_ms = drift_ms - float(start["bound_ms"]) - float(end["bound_ms"])
    if surely_ms > limit_ms:
        problems.append(f"that of loader {worker} moved by {drift_ms:.1f} ms")
    return problems
