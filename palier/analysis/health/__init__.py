"""Was the measurement itself fit? Each check asks one question; one "no" makes a run INVALID.

Lag and skips while all sessions were waiting are evidence about the system and are charged to it
elsewhere; only what the load generator did to itself is asked here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from palier.analysis.findings import HealthCheck
from palier.analysis.health.account import (
    check_counts,
    check_ledger,
    check_schedule,
    check_shortfall,
)
from palier.analysis.health.certified import check_certified
from palier.analysis.health.clocks import (
    check_clock_offsets,
    check_clocks,
    check_wall_clock,
)
from palier.analysis.health.components import check_components
from palier.analysis.health.event_loop import check_collector, check_loop
from palier.analysis.health.lag import check_lag, lag_budget_s
from palier.analysis.health.loaders import check_workers
from palier.analysis.health.measured import (
    HEALTH_COLUMNS,
    OPTIONAL_COLUMNS,
    Measured,
    no_health_lines,
)
from palier.analysis.health.processor import check_cpu, check_steal
from palier.analysis.health.resources import check_disk, check_files, check_names

__all__ = [
    "HEALTH_COLUMNS",
    "OPTIONAL_COLUMNS",
    "Measured",
    "check_health",
    "lag_budget_s",
    "no_health_lines",
]

CHECKS: Final[Sequence[Callable[[Measured], HealthCheck]]] = (
    check_ledger,
    check_schedule,
    check_counts,
    check_workers,
    check_components,
    check_disk,
    check_files,
    check_shortfall,
    check_lag,
    check_loop,
    check_collector,
    check_cpu,
    check_steal,
    check_names,
    check_certified,
    check_clocks,
    check_clock_offsets,
    check_wall_clock,
)


def check_health(measured: Measured) -> tuple[HealthCheck, ...]:
    """Every check, in the order a reader should fix them."""
    return tuple(check(measured) for check in CHECKS)
