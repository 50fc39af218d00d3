"""What the generator was doing while its event loop stood still."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import pandas as pd

from palier.analysis.health.measured import Measured, told

IN_WORDS: Final[Mapping[str, str]] = {
    "collector": "Python's collector ran",
    "own_code": "the generator's own code ran",
    "core": "another process had its core",
    "host": "the host of this virtual machine had its core",
    "stopped": "it neither ran nor waited for a core: its process, or the machine, was stopped",
    "unknown": "this system does not tell why",
}
"""Causes that a loader tells apart (``scenarios.vitals.stalls``)."""


def stalls_s(lines: pd.DataFrame, *, beyond_s: float) -> pd.DataFrame | None:
    """Stand-stills longer than ``beyond_s``, columns worker, late_s (what is beyond), cause; None
    when the lines do not tell of any at all."""
    column = told(lines, "stalls")
    if column is None:
        return None
    workers = lines["worker"].loc[column.index]
    rows = [
        (int(worker), late_ms / 1000 - beyond_s, str(cause))
        for worker, stalls in zip(workers, column, strict=True)
        for late_ms, cause in stalls
        if late_ms / 1000 > beyond_s
    ]
    return pd.DataFrame(rows, columns=["worker", "late_s", "cause"])


def main_cause(measured: Measured, *, beyond_s: float) -> str:
    """The cause of most of the stand-still in the judged window, in words; empty when none."""
    stalls = stalls_s(measured.judged_health(), beyond_s=beyond_s)
    if stalls is None or stalls.empty:
        return ""
    took_s: Counter[str] = Counter()
    for late_s, cause in zip(stalls["late_s"], stalls["cause"], strict=True):
        took_s[cause] += late_s
    ((cause, most_s),) = took_s.most_common(1)
    share = most_s / took_s.total()
    return f"{share:.0%} of it while {IN_WORDS.get(cause, cause)}"
