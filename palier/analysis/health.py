"""Was the measurement itself fit? Each check asks one question; one "no" makes a run INVALID.

Lag and skips while all sessions were waiting are evidence about the system and are charged to it
elsewhere; only what the load generator did to itself is asked here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from palier.analysis.findings import HealthCheck, LedgerTotals
from palier.analysis.ratio import FOLLOWING_ERRORS, NOT_CHARGED, OWN_ERRORS, lower_limit
from palier.analysis.sample import STARTED, make_sample
from palier.load.histogram import bucket_middles_s
from palier.load.outcome import CLOCKS, SKIP_REASONS
from palier.load.schedule import Schedule
from palier.model.plan import RunPlan

LAG_BUDGET_S: Final = 0.010
"""A request sent 10 ms late is still the arrival pattern that was asked for. One process at
2,000 requests/s keeps 99 % within 2 to 5 ms, so 10 ms means it is short of processor time."""

LAG_SHARE_OF_LIMIT: Final = 0.05
"""Where the tightest judged response time is long, lateness up to a twentieth of it is allowed:
response times count from the intended start, so lag can only make the system look worse."""

LATE_SHARE: Final = 0.01
"""At most 1 % of requests may be later than the budget: "lag p99 within the budget"."""

BLOCKED_SHARE: Final = 0.01
"""At most 1 % of the time the generator's event loop may stand still for longer than the lag
budget: what happens then is measured late, so a larger share would reach the 99th percentile."""

CPU_LIMIT: Final = 0.80
"""Of one core, which is all a Python process can use. Queueing for the processor doubles the time
to record an answer at about 80 %."""

SHORTFALL: Final = 0.01
"""At most 1 % of the planned requests may be missing through the generator's own fault."""

LARGEST_GAP_S: Final = 5.0
"""A loader reports once a second; five missing seconds mean it, or its clock, stood still."""

CHARGED_SKIPS: Final = tuple(name for name in OWN_ERRORS if name.startswith("skipped_"))
"""Never sent, through the system's fault: a response of at least the wait."""

SEEN_BY_REQUESTS: Final = frozenset({"app", "postgres", "pgbouncer", "web_cache"})
"""Components that every request passes: when one ends, requests fail, and those are judged."""

HEALTH_COLUMNS: Final = (
    "worker",
    "seq",
    "at_s",
    "final",
    "loop_delay_max_ms",
    "cpu_s",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """What the checks look at.

    Attributes:
        plan: What was to be done.
        ledger: The whole run, with one row for each planned second and operation.
        totals: Its sums.
        histograms: Columns second, operation, outcome, clock, bucket, count.
        health: One row for each line of a loader, columns ``HEALTH_COLUMNS`` and more;
            ``cpu_s`` is the processor time since the line before.
        from_s: Start of the judged window.
        to_s: Its end.
        schedule_digest: Of the schedule that was played; None when that is not known.
        schedule: The one the plan gives here and now; None when there is nothing to compare.
        events: ``events.jsonl``; those of a component that ended name it.
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

    def judged_health(self) -> pd.DataFrame:
        """Lines about the judged window."""
        at = self.health["at_s"]
        return self.health.loc[(at > self.from_s) & (at <= self.to_s + 1)]


def check_health(measured: Measured) -> tuple[HealthCheck, ...]:
    """Every check, in the order a reader should fix them."""
    return tuple(check(measured) for check in CHECKS)


def check_ledger(measured: Measured) -> HealthCheck:
    """Every planned request is accounted for, in total and in every row."""
    ledger, totals = measured.ledger, measured.totals
    ended = ledger["succeeded"] + ledger["failed"] + ledger["timed_out"] + ledger["abandoned"]
    reasons = ledger[[f"skipped_{reason}" for reason in SKIP_REASONS]]
    counts = ledger.drop(columns=["second", "operation"])
    open_rows = int(
        (
            (ledger["planned"] != ledger["started"] + ledger["skipped"])
            | (ledger["started"] != ended)
            | (ledger["skipped"] != reasons.sum(axis=1))
            | (counts < 0).any(axis=1)
            | ledger.duplicated(["second", "operation"])
        ).sum()
    )
    ok = totals.closes and open_rows == 0 and totals.planned > 0
    if totals.planned == 0:
        seen = "no request was planned"
    else:
        seen = f"{totals.planned:,} planned, {open_rows:,} of {len(ledger):,} rows open"
    return HealthCheck(
        name="ledger",
        ok=ok,
        measured=seen,
        limit="every row closes",
        why="Every planned request has to end up in exactly one outcome; where one is missing, "
        "the slowest ones usually are. If not ok: look for a lost loader in events.jsonl and "
        "run again; with nothing planned, use a longer duration or a larger tier.",
    )


def check_schedule(measured: Measured) -> HealthCheck:
    """The ledger is about the schedule of the plan: the same requests in the same seconds."""
    digest, schedule = measured.schedule_digest, measured.schedule
    problem, seen = "", "not compared: plan.json names no schedule"
    if schedule is not None and digest is not None:
        seen = f"schedule {digest[:12]}, all of it in the ledger"
        if schedule.digest != digest:
            problem = f"schedule {digest[:12]}, but the plan gives {schedule.digest[:12]}"
        else:
            rows = measured.ledger.loc[measured.ledger["planned"] != 0]
            columns = (rows["second"], rows["operation"].astype(str), rows["planned"])
            told = {(int(s), name): int(n) for s, name, n in zip(*columns, strict=True)}
            planned = schedule.planned_counts()
            other = sum(told.get(key) != planned.get(key) for key in told.keys() | planned.keys())
            if other:
                problem = f"{other:,} ledger rows plan other requests than the schedule"
    return HealthCheck(
        name="schedule",
        ok=not problem,
        measured=problem or seen,
        limit="the ledger plans what the schedule plans",
        why="What was planned is known before the run, so files of another run, or changed ones, "
        "show here. If not ok: plan.json and ledger.parquet are not of one run, one of them was "
        "changed, or another version of Palier drew the schedule; run again.",
    )


def check_counts(measured: Measured) -> HealthCheck:
    """The histograms hold exactly the requests of the ledger, on every clock."""
    rows, ledger = measured.histograms, measured.ledger
    recorded = rows.groupby(["clock", "outcome", "operation"], as_index=False)["count"].sum()
    columns = (recorded["clock"], recorded["outcome"], recorded["operation"], recorded["count"])
    there = {(str(c), str(o), str(n)): int(k) for c, o, n, k in zip(*columns, strict=True)}
    told = ledger.groupby("operation")[[*STARTED, *CHARGED_SKIPS]].sum()
    told["skipped"] = told[list(CHARGED_SKIPS)].sum(axis=1)
    expected: dict[tuple[str, str, str], int] = {
        (clock, outcome, str(operation)): int(count)
        for outcome in (*STARTED, "skipped")
        for operation, count in told[outcome].items()
        # Who was never sent has a response of at least the wait, and none of the other times.
        for clock in (("response",) if outcome == "skipped" else CLOCKS)
        if count
    }
    differences = [
        f"{key[0]} of {key[2]}, {key[1]}: {there.get(key, 0):,} instead of {expected.get(key, 0):,}"
        for key in sorted(expected.keys() | there.keys())
        if there.get(key, 0) != expected.get(key, 0)
    ]
    more = f"; and {len(differences) - 3} more" if len(differences) > 3 else ""
    return HealthCheck(
        name="histograms",
        ok=not differences,
        measured="; ".join(differences[:3]) + more or "same counts as the ledger",
        limit="same counts as the ledger",
        why="Percentiles are read from the histograms, so a request that is in the ledger and "
        "not in them would be judged as if it had never been. If not ok: the run's files are "
        "damaged or a loader lost data; run again.",
    )


def check_workers(measured: Measured) -> HealthCheck:
    """Every loader reported to the end, without holes."""
    problems = [
        problem
        for worker in range(measured.plan.workers)
        if (problem := _worker_problem(measured, worker)) is not None
    ]
    return HealthCheck(
        name="loaders",
        ok=not problems,
        measured="; ".join(problems) or f"{measured.plan.workers} of {measured.plan.workers}",
        limit="all report to the end, without holes",
        why="A lost loader takes its share of the load and its results along, so less was "
        "offered than the report says. If not ok: see events.jsonl and the loader's log for why "
        "it ended.",
    )


def _worker_problem(measured: Measured, worker: int) -> str | None:
    lines = measured.health.loc[measured.health["worker"] == worker].sort_values("seq")
    if lines.empty:
        return f"loader {worker} never reported"
    last_s = float(lines["at_s"].iloc[-1])
    holes = int(lines["seq"].max()) + 1 - lines["seq"].nunique()
    if holes:
        return f"loader {worker} has {holes} missing reports"
    if not bool(lines["final"].iloc[-1]):
        return f"loader {worker} stopped reporting at {last_s:.0f} s"
    return None


def check_components(measured: Measured) -> HealthCheck:
    """The system was whole until the end of the judged window."""
    ended = [
        f"{event.get('name')} at {float(event['at_s']):.0f} s"
        for event in measured.events
        if event.get("component") is not None
        and event["component"] not in SEEN_BY_REQUESTS
        and float(event["at_s"]) <= measured.to_s
    ]
    return HealthCheck(
        name="components",
        ok=not ended,
        measured="; ".join(ended) or "none ended",
        limit="none ends before the load does",
        why="Requests can succeed without a cache, a replica or a worker, and then the numbers are "
        "those of another architecture than the tier's. If not ok: see the component's log in the "
        "run directory for why it ended; what every request needs is counted as failed requests "
        "instead.",
    )


def check_shortfall(measured: Measured) -> HealthCheck:
    """What was planned and not sent, other than through the system's fault."""
    ledger = measured.ledger
    planned = int(ledger["planned"].sum())
    explained = [
        column
        for column in (*OWN_ERRORS, *FOLLOWING_ERRORS, *NOT_CHARGED)
        if column.startswith("skipped_")
    ]
    missing = planned - int(ledger["started"].sum()) - int(ledger[explained].sum().sum())
    share = missing / planned if planned else 0.0
    return HealthCheck(
        name="shortfall",
        ok=share <= SHORTFALL,
        measured=f"{missing:,} of {planned:,} ({share:.2%})",
        limit=f"{SHORTFALL:.0%}",
        why="Requests that the generator itself failed to send make the system look better than "
        "it is. If not ok: use fewer users, more loader processes (--workers) or another machine.",
    )


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


def check_loop(measured: Measured) -> HealthCheck:
    """Share of the time in which a loader's event loop stood still."""
    lines = measured.judged_health()
    length_s = max(1.0, measured.to_s - measured.from_s)
    budget_s = lag_budget_s(measured.plan)
    beyond = (lines["loop_delay_max_ms"] / 1000 - budget_s).clip(lower=0)
    blocked = beyond.groupby(lines["worker"]).sum() / length_s
    worst = float(blocked.max()) if len(blocked) else 0.0
    longest_ms = float(lines["loop_delay_max_ms"].max()) if len(lines) else 0.0
    return HealthCheck(
        name="event loop",
        ok=worst <= BLOCKED_SHARE,
        measured=f"{worst:.2%} of the time, {longest_ms:.0f} ms at most",
        limit=f"{BLOCKED_SHARE:.0%} of the time, counted from {budget_s * 1000:.0f} ms on",
        why="While the generator's event loop stands still, answers arrive and are not noticed, "
        "so they are measured as slower than they were. If not ok: use fewer users, more loader "
        "processes (--workers), or leave the generator a core of its own.",
    )


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


CHECKS: Final[Sequence[Callable[[Measured], HealthCheck]]] = (
    check_ledger,
    check_schedule,
    check_counts,
    check_workers,
    check_components,
    check_shortfall,
    check_lag,
    check_loop,
    check_cpu,
    check_clocks,
)


def no_health_lines() -> pd.DataFrame:
    """An empty table of loader lines, for a run whose loaders never reported."""
    kinds: Mapping[str, str] = {"worker": "int64", "seq": "int64", "final": "bool"}
    return pd.DataFrame(
        {name: pd.Series(dtype=kinds.get(name, "float64")) for name in HEALTH_COLUMNS}
    )
