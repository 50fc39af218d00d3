"""Do the times of a run make sense?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from palier.analysis.findings import HealthCheck
from palier.analysis.health.limits import LARGEST_GAP_S
from palier.analysis.health.measured import Measured


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
