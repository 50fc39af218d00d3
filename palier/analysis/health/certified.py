"""Was more asked of the generator than it was certified for on this machine?"""

from __future__ import annotations

from palier.analysis.findings import HealthCheck
from palier.analysis.health.limits import RATE_OVER_S
from palier.analysis.health.measured import Measured


def check_certified(measured: Measured) -> HealthCheck:
    """The busiest seconds of a loader against the rate at which it was proved to be punctual."""
    planned = measured.ledger.groupby("second")["planned"].sum()
    peak_per_s = 0.0
    if len(planned):
        whole = planned.reindex(range(int(planned.index.max()) + 1), fill_value=0)
        busiest = whole.rolling(RATE_OVER_S, min_periods=min(RATE_OVER_S, len(whole))).mean().max()
        peak_per_s = float(busiest) / measured.plan.workers
    asked = f"{peak_per_s:,.0f} requests/s of a loader in the busiest {RATE_OVER_S} s"
    ok, seen, limit = True, f"{asked}; this machine is not certified", "none known"
    if measured.certified is not None:
        rate_per_s = float(measured.certified["rate_per_s"])
        ok, seen, limit = peak_per_s <= rate_per_s, asked, f"{rate_per_s:,.0f} requests/s"
    return HealthCheck(
        name="certified rate",
        ok=ok,
        measured=seen,
        limit=limit,
        why="Beyond the rate that `palier selftest` certified, nothing shows that this machine "
        "sends in time and measures right. If not ok: use more loader processes (--workers) on "
        "more cores, a lower rate, or certify again on a quiet machine.",
    )
