"""Was the generator late although it had a free session?"""

from __future__ import annotations

from palier.analysis.findings import HealthCheck
from palier.analysis.health.causes import main_cause
from palier.analysis.health.limits import LAG_BUDGET_S, LAG_SHARE_OF_LIMIT, LATE_SHARE
from palier.analysis.health.measured import Measured
from palier.analysis.ratio import lower_limit
from palier.analysis.sample import STARTED, make_sample
from palier.load.histogram import bucket_middles_s
from palier.model.plan import RunPlan


def check_lag(measured: Measured) -> HealthCheck:
    """Requests sent late although a session was free (clock ``generator_lag``)."""
    sample = make_sample(
        measured.histograms,
        clock="generator_lag",
        from_s=measured.from_s,
        exact=STARTED,
        censored=(),
    )
    budget_s = lag_budget_s(measured.plan)
    late = int(sample.count[bucket_middles_s(sample.bucket) > budget_s].sum())
    n = sample.size
    surely = lower_limit(late, n) if n else 0.0
    recorded = bool((measured.histograms["clock"] == "generator_lag").any())
    unrecorded = not recorded and measured.totals.started > 0
    if n:
        seen = (
            f"{late:,} of {n:,} requests more than {budget_s * 1000:.0f} ms late ({late / n:.2%})"
        )
        if late and (cause := main_cause(measured, beyond_s=0.0)):
            seen += f"; the event loop stood still, {cause}"
    else:
        seen = "not recorded" if unrecorded else "no request was judged"
    return HealthCheck(
        name="lag",
        ok=surely <= LATE_SHARE and not unrecorded,
        measured=seen,
        limit=f"{LATE_SHARE:.0%}, exceeded beyond chance (97.5 % lower limit)",
        why="A generator that sends late although it had a free session offers another arrival "
        "pattern than planned, and measures its own delays. If not ok: use fewer users, more "
        "loader processes (--workers), or leave it a core of its own.",
    )


def lag_budget_s(plan: RunPlan) -> float:
    """How late a request may be sent: 10 ms, or a twentieth of the tightest judged limit."""
    limits = [
        target.limit * {"ms": 1e-3, "s": 1.0}[target.unit]
        for target in plan.tier.targets
        if target.metric == "response_time"
        and target.role == "gate"
        and target.limit is not None
        and target.unit in ("ms", "s")
    ]
    return max(LAG_BUDGET_S, LAG_SHARE_OF_LIMIT * min(limits, default=0.0))
