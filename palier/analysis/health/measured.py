"""What the checks look at: the tables of a run, and the window that is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from palier.analysis.findings import LedgerTotals
from palier.load.schedule import Schedule
from palier.model.plan import RunPlan

HEALTH_COLUMNS: Final = (
    "worker",
    "seq",
    "at_s",
    "final",
    "loop_delay_max_ms",
    "cpu_s",
)


OPTIONAL_COLUMNS: Final = (
    "stalls",
    "gc_pauses",
    "gc_max_ms",
    "gc_total_ms",
    "wall_moved_ms",
    "core_wait_s",
    "stolen_s",
    "cores",
    "forced_switches",
    "files",
    "files_limit",
    "tcp_sockets",
    "memory_mib",
    "lookups",
    "lookup_max_ms",
    "lookup_waits_ms",
    "own_error",
)
"""Of these, what a system does not tell is absent, and a check says that it was not measured."""

NOT_MEASURED: Final = "not measured: this system does not tell"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """What the checks look at.

    Attributes:
        plan: What was to be done.
        ledger: The whole run, with one row for each planned second and operation.
        totals: Its sums.
        histograms: Columns second, operation, outcome, clock, bucket, count.
        health: One row for each line of a loader, columns ``HEALTH_COLUMNS`` and more;
            ``cpu_s`` is the processor time since the line before. Of ``OPTIONAL_COLUMNS``, any.
        from_s: Start of the judged window.
        to_s: Its end.
        schedule_digest: Of the schedule that was played; None when that is not known.
        schedule: The one the plan gives here and now; None when there is nothing to compare.
        events: ``events.jsonl``; those of a component that ended name it.
        certified: What `palier selftest` found this machine to be good for; None when it was not
            asked.
    """

    plan: RunPlan
    ledger: pd.DataFrame
    totals: LedgerTotals
    histograms: pd.DataFrame
    health: pd.DataFrame
    from_s: float
    to_s: float
    schedule_digest: str | None = None
    schedule: Schedule | None = None
    events: Sequence[Mapping[str, Any]] = ()
    certified: Mapping[str, Any] | None = None

    def judged_health(self) -> pd.DataFrame:
        """Lines about the judged window."""
        at = self.health["at_s"]
        return self.health.loc[(at > self.from_s) & (at <= self.to_s + 1)]

    @property
    def length_s(self) -> float:
        """Of the judged window; never so short that a share of it means nothing."""
        return max(1.0, self.to_s - self.from_s)


def told(lines: pd.DataFrame, column: str) -> pd.Series | None:
    """What the lines say in an optional column; None when no line says anything."""
    if column not in lines or not lines[column].notna().any():
        return None
    return lines[column].dropna()


def told_by_worker(lines: pd.DataFrame, column: str) -> pd.Series | None:
    """Sum of a column for each loader; None when no line has it."""
    values = told(lines, column)
    return None if values is None else values.groupby(lines["worker"]).sum()


def no_health_lines() -> pd.DataFrame:
    """An empty table of loader lines, for a run whose loaders never reported."""
    kinds: Mapping[str, str] = {"worker": "int64", "seq": "int64", "final": "bool"}
    return pd.DataFrame(
        {name: pd.Series(dtype=kinds.get(name, "float64")) for name in HEALTH_COLUMNS}
    )
