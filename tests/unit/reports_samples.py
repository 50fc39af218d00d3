"""Runs to draw: fixed, realistic, and all the awkward ones.

``python tests/unit/reports_samples.py FOLDER`` writes the reports of every case, to look at.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import sys
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from palier.analysis.findings import (
    Estimate,
    Findings,
    HealthCheck,
    LedgerTotals,
    OperationFinding,
    Percentiles,
    SecondPoint,
    Steadiness,
)
from palier.analysis.invariants import Invariant
from palier.analysis.verdict import RunState, TargetVerdict, Verdict
from palier.model.journey import Journey, Step
from palier.model.plan import RunPlan, make_plan
from palier.model.profile import Profile
from palier.model.tier import DataSpec, LoadSpec, StackSpec, System, Tier
from palier.model.variant import Variant
from reports import page
from reports.drawings import Pictures, draw_all
from reports.inputs import ReportInputs
from reports.write import write_reports

RUN = "20261121T081204Z-lou-2-steady"
FRACTIONS = (0.5, 0.9, 0.95, 0.99, 0.999)
SHAPE = {0.5: 1.0, 0.9: 1.9, 0.95: 2.5, 0.99: 4.6, 0.999: 9.5}
HOSTILE = "<script>alert('x')</script> | `code` **bold** ]]> &amp; \x1b[31m\x00 🏡 $x^2$ {{ 7*7 }}"


def plan(**changes: Any) -> RunPlan:
    """A plan of LiveOwnerUnit lou-2 cut to 60 seconds."""
    variant = Variant(indexes="tier1", pagination="offset", row_security="indexed")
    tier = Tier(
        id="lou-2",
        system="liveownerunit",
        title="Growth, up to 2,000 owners",
        users_min=500,
        users_max=2000,
        plan="pro",
        source="002",
        variant=variant,
        stack=StackSpec(app_processes=2),
        load=LoadSpec(users=2000, concurrency=0.1, pace_per_min=10),
        data=DataSpec(tenants=2000),
        targets=(),
        triggers=(),
        cost=None,
    )
    journeys = (
        Journey(
            id="J-01",
            title="owner, short",
            weight=3,
            steps=(Step(operation="sign_in"), Step(operation="list_reservations", think_s=1)),
        ),
        Journey(
            id="J-05",
            title="owner, paging",
            weight=1,
            steps=(
                Step(operation="sign_in"),
                Step(operation="list_reservations", think_s=1),
                Step(operation="next_page", think_s=2),
                Step(operation="last_page", think_s=2),
            ),
        ),
    )
    system = System(
        id="liveownerunit",
        title="LiveOwnerUnit",
        scenario="scenarios/liveownerunit.py",
        plans=(),
        journeys=journeys,
        targets=(),
        tiers=(tier,),
    )
    made = make_plan(
        system=system,
        tier=tier,
        profile=Profile(id="steady", title="Steady", arrivals="poisson", duration_s=300),
        duration_s=60,
        seed=1,
        workers=1,
        variant=dataclasses.replace(variant, cache="memory"),
        url=None,
    )
    return dataclasses.replace(made, **changes)


def estimate(value: float | None, samples: int, spread: float = 0.06) -> Estimate:
    """An estimate with a symmetric interval; ``None`` becomes a refusal."""
    if value is None:
        return Estimate(
            value=None,
            low=None,
            high=None,
            samples=samples,
            refused=f"needs at least 1,000 requests, has {samples:,}",
        )
    return Estimate(
        value=value, low=value * (1 - spread), high=value * (1 + spread), samples=samples
    )


def percentiles(
    clock: Literal["response", "service", "lag"], median_s: float | None, samples: int
) -> Percentiles:
    """A long-tailed distribution; p99.9 refused, p99 too below 300 requests."""
    points = []
    for fraction in FRACTIONS:
        enough = samples * (1 - fraction) >= 3
        value = median_s * SHAPE[fraction] if median_s is not None and enough else None
        points.append((fraction, estimate(value, samples, 0.03 + 0.12 * fraction**8)))
    return Percentiles(
        clock=clock,
        mean_s=None if median_s is None else median_s * 1.3,
        max_s=None if median_s is None else median_s * 12,
        points=tuple(points),
    )


def ledger(
    started: int, *, bad: tuple[int, int, int] = (0, 0, 0), skipped: int = 0
) -> LedgerTotals:
    """Totals that close; ``bad`` is failed, timed out, abandoned."""
    return LedgerTotals(
        planned=started + skipped,
        started=started,
        skipped=skipped,
        succeeded=started - sum(bad),
        failed=bad[0],
        timed_out=bad[1],
        abandoned=bad[2],
        skipped_reasons=(("no_free_session", skipped),) if skipped else (),
    )


def operation(
    name: str,
    median_ms: float,
    totals: LedgerTotals,
    *,
    service_ms: float | None = None,
) -> OperationFinding:
    """One operation with both clocks."""
    wrong = totals.planned - totals.succeeded
    error = wrong / totals.planned if totals.planned else None
    return OperationFinding(
        operation=name,
        ledger=totals,
        response=percentiles("response", median_ms / 1000, totals.planned),
        service=percentiles("service", (service_ms or median_ms * 0.97) / 1000, totals.planned),
        error_ratio=Estimate(
            value=error,
            low=None if error is None else error * 0.7,
            high=None if error is None else error * 1.3 + 3 / totals.planned,
            samples=totals.planned,
            refused=None if totals.planned else "no request was planned",
        ),
        goodput_per_s=totals.succeeded / 55,
    )


def seconds(*, stall_at: int | None = None, length: int = 60, until: int = 60) -> list[SecondPoint]:
    """A minute of load near 33 requests/s; with a stall, a wave of slow and failed requests."""
    points = []
    for second in range(length):
        planned = round(33 + 6 * math.sin(second * 1.7) + 4 * math.cos(second * 0.61))
        slow = 1.0 + 0.25 * math.sin(second * 2.3) + (1.6 if second < 3 else 0)
        late = 0.0
        failed = timed_out = skipped = 0
        if stall_at is not None and 0 <= second - stall_at < 6:
            late = 3.0 - 0.5 * (second - stall_at)
            failed, timed_out, skipped = 2, 1, (3 if second - stall_at < 2 else 0)
        seen = second < until
        points.append(
            SecondPoint(
                second=second,
                planned=planned,
                started=planned - skipped if seen else 0,
                succeeded=planned - skipped - failed - timed_out if seen else 0,
                failed=failed if seen else 0,
                timed_out=timed_out if seen else 0,
                abandoned=0,
                skipped=skipped if seen else planned,
                response_p50_s=0.016 * slow + late * 0.6 if seen else None,
                response_p95_s=0.040 * slow + late if seen else None,
                response_max_s=0.095 * slow * (1 + 0.5 * math.sin(second * 5.1) ** 2) + late * 1.3
                if seen
                else None,
                service_p95_s=0.038 * slow + late * 0.4 if seen else None,
            )
        )
    return points


HEALTH = (
    HealthCheck(
        name="lag while a session was free",
        ok=True,
        measured="p99 1.9 ms",
        limit="p99 < 10 ms",
        why="The generator sent requests when the schedule wanted them.",
    ),
    HealthCheck(
        name="requests that could not be sent",
        ok=True,
        measured="0 of 1,988",
        limit="< 1 %",
        why="The offered load was really offered.",
    ),
    HealthCheck(
        name="generator CPU",
        ok=True,
        measured="0.31 of one core",
        limit="< 0.80 of one core",
        why="The generator had time to spare.",
    ),
    HealthCheck(
        name="workers",
        ok=True,
        measured="1 of 1 reported to the end, no line missing",
        limit="all",
        why="No measured request was lost.",
    ),
)


def findings(*, totals: LedgerTotals, stall_at: int | None = None, **changes: Any) -> Findings:
    """Findings of a run whose judged part is the last 55 seconds."""
    slow = 9.0 if stall_at is not None else 1.0
    share = {"sign_in": 0.4, "list_reservations": 0.4, "next_page": 0.1, "last_page": 0.1}
    medians = {"sign_in": 34.0, "list_reservations": 14.0, "next_page": 12.0, "last_page": 19.0}
    judged = dataclasses.replace(totals, skipped_reasons=())
    each = tuple(
        operation(
            name,
            medians[name] * slow,
            ledger(
                round(totals.started * share[name] * 0.92),
                bad=(
                    round(totals.failed * share[name]),
                    round(totals.timed_out * share[name]),
                    round(totals.abandoned * share[name]),
                ),
                skipped=round(totals.skipped * share[name]),
            ),
            service_ms=medians[name],
        )
        for name in share
    )
    made = Findings(
        run=RUN,
        interrupted=False,
        window_s=60,
        judged_from_s=5,
        judged_to_s=60,
        offered_per_s=33.3333,
        achieved_per_s=totals.started / 60,
        throughput_per_s=totals.succeeded / 60,
        ledger=totals,
        overall=operation("all", 16.4 * slow, judged, service_ms=16.1),
        operations=each,
        lag=percentiles("lag", 0.00041, totals.planned),
        seconds=tuple(seconds(stall_at=stall_at)),
        health=HEALTH,
        notes=("Processor cores in use on average: app 0.55, postgres 0.42, loaders 0.31.",),
        steadiness=Steadiness(steady=True, why="the median moved by 2 % over the window"),
    )
    return dataclasses.replace(made, **changes)


def target(identity: str, **changes: Any) -> TargetVerdict:
    """One judged target; by default a p95 gate that is met."""
    values: dict[str, Any] = {
        "id": identity,
        "role": "gate",
        "kind": "slo",
        "title": "API response time",
        "metric": "response_time",
        "operation": None,
        "percentile": 0.95,
        "comparator": "<",
        "limit": 100.0,
        "limit_high": None,
        "unit": "ms",
        "source": "002",
        "measured": 41.0,
        "low": 38.4,
        "high": 44.2,
        "samples": 1820,
        "verdict": "pass",
        "why": "the whole interval lies below the limit",
    }
    return TargetVerdict(**(values | changes))


TARGETS = (
    target("T-52"),
    target(
        "T-61",
        title="Bookings list",
        operation="list_reservations",
        limit=50.0,
        measured=35.2,
        low=32.9,
        high=37.1,
        samples=731,
    ),
    target(
        "T-55",
        title="Error rate",
        metric="error_ratio",
        percentile=None,
        limit=1.0,
        unit="%",
        measured=0.0,
        low=0.0,
        high=0.16,
        samples=1820,
        why="no request went wrong; with 1,820 requests the rate is below 0.16 %",
    ),
    target(
        "T-58",
        title="Throughput at peak",
        metric="throughput",
        percentile=None,
        comparator=">=",
        limit=30.0,
        unit="requests/s",
        measured=33.1,
        low=32.2,
        high=34.0,
        samples=1988,
        why="the whole interval lies above the limit",
    ),
    target(
        "T-53",
        role="goal",
        title="Page load time",
        operation="sign_in",
        limit=80.0,
        measured=84.6,
        low=78.8,
        high=91.0,
        samples=731,
        verdict="inconclusive",
        why="the limit lies inside the interval; about 3,100 requests would decide",
    ),
    target(
        "T-57",
        role="goal",
        title="Rows on one page",
        metric="rows_per_page",
        percentile=None,
        comparator="=",
        limit=50.0,
        unit="rows",
        measured=50.0,
        low=None,
        high=None,
        samples=1,
        why="observed once, before the load",
    ),
    target(
        "T-60",
        role="info",
        title="Response time before any work",
        percentile=0.5,
        comparator="approx",
        limit=350.0,
        measured=16.4,
        low=15.9,
        high=17.0,
        why="a baseline of the source, shown for comparison",
    ),
    target(
        "T-63",
        role="info",
        title="Storage used",
        metric=None,
        percentile=None,
        comparator="<",
        limit=500.0,
        unit="MB",
        measured=None,
        low=None,
        high=None,
        samples=0,
        verdict="not_measured",
        why="no run of one minute fills the storage of a year",
    ),
    target(
        "T-71",
        role="goal",
        title="Availability",
        metric=None,
        percentile=None,
        comparator=">=",
        limit=99.9,
        unit="%",
        measured=None,
        low=None,
        high=None,
        samples=0,
        verdict="not_measured",
        why="availability is a property of months, not of a run",
    ),
)

ENVIRONMENT = {
    "schema": 1,
    "started_at": "2026-11-21T08:12:04+00:00",
    "palier": {"version": "0.1.0", "commit": "5063c06", "modified": False},
    "machine": {"processor": "AMD EPYC 7B13", "cores": 2, "memory_gib": 7.8},
    "versions": {"python": "3.11.9", "postgresql": "18.0", "granian": "2.8.0", "locust": "2.47.0"},
    "dataset": {"tenants": 2000, "rows": 243_812, "checksum": "sha256:9f31c0d7"},
    "database": {"url": "postgresql://app_user:hunter2@127.0.0.1:54321/palier"},
    "pinning": {"loader": [1], "app": [0]},
}

EVENTS = (
    {"at_s": -2.1, "kind": "component", "name": "app", "message": "ready on 2 processes"},
    {"at_s": 0.0, "kind": "phase", "name": "warm-up"},
    {"at_s": 5.0, "kind": "phase", "name": "judged"},
    {"at_s": 60.0, "kind": "phase", "name": "drain"},
)


def exemplars(*, broken: bool = False) -> list[dict[str, Any]]:
    """The slowest requests, and with ``broken`` some that failed."""
    made: list[dict[str, Any]] = [
        {
            "operation": "sign_in",
            "outcome": "succeeded",
            "intended_s": 12.5 + index * 3.7,
            "started_s": 12.5004 + index * 3.7,
            "ended_s": 12.91 + index * 3.68,
            "status": 201,
            "request_id": f"0-{4100 + index * 37}",
            "message": None,
        }
        for index in range(5)
    ]
    if broken:
        made += [
            {
                "operation": "list_reservations",
                "outcome": "timed_out" if index % 3 == 0 else "failed",
                "intended_s": 30.1 + index * 0.4,
                "started_s": 31.6 + index * 0.4,
                "ended_s": 41.6 + index * 0.1,
                "status": None if index % 3 == 0 else 503,
                "request_id": f"0-{9000 + index}",
                "message": "no answer within 10 s"
                if index % 3 == 0
                else "503 Service Unavailable: pool exhausted after 2.0 s (8 of 8 in use)",
            }
            for index in range(7)
        ]
    return made


def telemetry(length: int = 60) -> pd.DataFrame:
    """Processor use of three components."""
    rows = [
        (float(second), source, "cpu_cores", base + swing * math.sin(second * speed))
        for second in range(length)
        for source, base, swing, speed in (
            ("postgres", 0.42, 0.12, 0.9),
            ("app", 0.55, 0.10, 1.3),
            ("loaders", 0.31, 0.05, 2.1),
        )
    ]
    return pd.DataFrame(rows, columns=["at_s", "source", "name", "value"])


HELD = (
    Invariant(
        id="acknowledged-writes",
        holds_when="Each acknowledged write is there exactly once, as it was written",
        how="the loaders' log of writes, joined with the tables",
        state="held",
        checked=183,
    ),
    Invariant(
        id="no-overlapping-stays",
        holds_when="No two stays of one gîte share a night",
        how="every stay against the one before it",
        state="held",
        checked=24_183,
    ),
    Invariant(
        id="sync-tasks",
        holds_when="Each task of the queue is done once, or failed after its retries",
        how="sync_queue against sync_logs",
        state="not_applicable",
        why="this run synchronised no calendar",
    ),
)
BROKEN = (
    HELD[0],
    dataclasses.replace(
        HELD[1],
        state="violated",
        violations=2,
        examples=(
            "gîte 6f1d1f8e has stays from 2026-07-04 and 2026-07-05",
            "gîte 0b6f5a1c has stays from 2026-08-01 and 2026-08-03",
        ),
    ),
    dataclasses.replace(HELD[2], state="not_checked", why="the database did not answer in 60 s"),
)


def verdict(
    state: RunState,
    reasons: tuple[str, ...],
    totals: LedgerTotals,
    targets: tuple[TargetVerdict, ...] = TARGETS,
    *,
    interrupted: bool = False,
    invariants: tuple[Invariant, ...] = HELD,
) -> Verdict:
    """The verdict over ``targets``."""
    return Verdict(
        run=RUN,
        verdict=state,
        reasons=reasons,
        ledger=totals,
        targets=targets,
        interrupted=interrupted,
        invariants=invariants,
    )


def replaced(**states: dict[str, Any]) -> tuple[TargetVerdict, ...]:
    """``TARGETS`` with some of them changed; keys are ids with an underscore."""
    return tuple(dataclasses.replace(t, **states.get(t.id.replace("-", "_"), {})) for t in TARGETS)


def passing() -> ReportInputs:
    """Every gate met."""
    totals = ledger(1988)
    return ReportInputs(
        plan=plan(),
        findings=findings(totals=totals),
        verdict=verdict(
            "PASS",
            ("all 4 gates hold; the tightest is T-58: 33.1 requests/s, at least 30 needed",),
            totals,
        ),
        environment=ENVIRONMENT,
        exemplars=exemplars(),
        telemetry=telemetry(),
        events=EVENTS,
    )


def failing() -> ReportInputs:
    """The database was stopped for three seconds in the middle."""
    totals = ledger(1982, bad=(12, 6, 0), skipped=6)
    targets = replaced(
        T_52={
            "verdict": "fail",
            "measured": 369.0,
            "low": 328.0,
            "high": 409.0,
            "why": "the whole interval lies above the limit",
        },
        T_61={
            "verdict": "fail",
            "measured": 315.0,
            "low": 281.0,
            "high": None,
            "why": "the whole interval lies above the limit",
        },
        T_55={
            "verdict": "inconclusive",
            "measured": 1.21,
            "low": 0.77,
            "high": 1.81,
            "why": "the limit lies inside the interval",
        },
    )
    return ReportInputs(
        plan=plan(),
        findings=findings(totals=totals, stall_at=30),
        verdict=verdict(
            "FAIL",
            (
                "invariant no-overlapping-stays is broken: 2 of 24,183 break it: "
                "gîte 6f1d1f8e has stays from 2026-07-04 and 2026-07-05",
                "gate T-52 is missed: response p95 of all requests is 369 ms, the limit is 100 ms",
                "gate T-61 is missed: response p95 of list_reservations is 315 ms, "
                "the limit is 50 ms",
            ),
            totals,
            targets,
            invariants=BROKEN,
        ),
        environment=ENVIRONMENT,
        exemplars=exemplars(broken=True),
        telemetry=telemetry(),
        events=(
            *EVENTS,
            {"at_s": 30.0, "kind": "fault", "name": "postgres frozen", "message": "SIGSTOP, 3 s"},
        ),
    )


def inconclusive() -> ReportInputs:
    """Too short to decide."""
    totals = ledger(212)
    targets = replaced(
        T_52={
            "verdict": "inconclusive",
            "measured": 92.0,
            "low": 71.0,
            "high": 128.0,
            "samples": 212,
            "why": "the limit lies inside the interval; about 1,900 requests would decide",
        },
        T_58={
            "verdict": "not_measured",
            "measured": None,
            "low": None,
            "high": None,
            "samples": 0,
            "why": "the tier offers less than this rate, so the run cannot show it",
        },
    )
    return ReportInputs(
        plan=plan(),
        findings=findings(totals=totals),
        verdict=verdict(
            "INCONCLUSIVE",
            ("gate T-52 is undecided: p95 is 92 ms (71–128 ms), the limit is 100 ms",),
            totals,
            targets,
        ),
        environment=ENVIRONMENT,
        exemplars=exemplars(),
        telemetry=telemetry(),
        events=EVENTS,
    )


def invalid() -> ReportInputs:
    """The generator was starved."""
    totals = ledger(1988)
    health = (
        dataclasses.replace(
            HEALTH[0],
            ok=False,
            measured="p99 48 ms",
            why="The generator itself was late while sessions were free. Use fewer users, "
            "more cores, or another machine for the generator.",
        ),
        *HEALTH[1:],
    )
    return ReportInputs(
        plan=plan(),
        findings=findings(totals=totals, health=health),
        verdict=verdict(
            "INVALID",
            ("the generator was late: lag p99 while a session was free was 48 ms, limit 10 ms",),
            totals,
        ),
        environment=ENVIRONMENT,
        exemplars=exemplars(),
        telemetry=telemetry(),
        events=EVENTS,
    )


def interrupted() -> ReportInputs:
    """Ctrl-C after 23 seconds."""
    totals = dataclasses.replace(
        ledger(760, skipped=1228), skipped_reasons=(("interrupted", 1228),)
    )
    return ReportInputs(
        plan=plan(),
        findings=findings(
            totals=totals,
            interrupted=True,
            judged_to_s=23.0,
            seconds=tuple(seconds(until=23)),
            notes=("the run was interrupted after 23 s: only 760 of 1,988 requests were sent",),
        ),
        verdict=verdict(
            "INCONCLUSIVE",
            ("the run was interrupted after 23 s of 60 s",),
            totals,
            interrupted=True,
        ),
        environment=ENVIRONMENT,
        exemplars=exemplars(),
        telemetry=telemetry(23),
        events=EVENTS,
    )


def empty() -> ReportInputs:
    """Nothing was sent and nothing is known."""
    totals = ledger(0)
    nothing = dataclasses.replace(
        operation("all", 1.0, totals),
        response=percentiles("response", None, 0),
        service=percentiles("service", None, 0),
        goodput_per_s=0.0,
    )
    return ReportInputs(
        plan=plan(),
        findings=findings(
            totals=totals,
            overall=nothing,
            operations=(),
            seconds=(),
            health=(),
            lag=percentiles("lag", None, 0),
            offered_per_s=0.0,
        ),
        verdict=verdict("INCONCLUSIVE", (), totals, (), invariants=()),
    )


def hostile() -> ReportInputs:
    """Names from an enemy, very long ones, and values that are not there."""
    base = failing()
    long_name = "reservations_" * 30 + "é🏖️"
    operations = tuple(
        dataclasses.replace(o, operation=name)
        for o, name in zip(
            base.findings.operations, (HOSTILE, long_name, "🏡" * 40, "a\nb"), strict=True
        )
    )
    bad_targets = tuple(
        dataclasses.replace(
            t,
            title=HOSTILE if index % 2 else long_name,
            why=HOSTILE * 8,
            source=HOSTILE,
            operation=long_name if index % 3 else None,
            measured=math.nan if index == 0 else t.measured,
            limit=None if index == 1 else t.limit,
            unit=t.unit if index != 2 else HOSTILE,
        )
        for index, t in enumerate(base.verdict.targets)
    )
    return ReportInputs(
        plan=plan(
            rate_derivation=HOSTILE,
            url="https://user:secret@example.invalid/?q=<b>",
            shortened=HOSTILE,
            tier=dataclasses.replace(plan().tier, title=HOSTILE),
        ),
        findings=dataclasses.replace(
            base.findings,
            operations=operations,
            notes=(HOSTILE, long_name),
            health=(dataclasses.replace(HEALTH[0], name=HOSTILE, measured=long_name),),
        ),
        verdict=dataclasses.replace(
            base.verdict, reasons=(HOSTILE, long_name * 3), targets=bad_targets
        ),
        environment={HOSTILE: {"deep": [HOSTILE, None], "n": None}},
        exemplars=[
            {"operation": HOSTILE, "outcome": "failed", "message": HOSTILE * 20, "status": HOSTILE},
            {"operation": None, "intended_s": math.nan, "ended_s": "soon"},
            {},
        ],
        telemetry=telemetry().assign(source=HOSTILE),
        events=[{"at_s": 20.0, "kind": "fault", "name": HOSTILE}, {"kind": HOSTILE}],
    )


def long_run() -> ReportInputs:
    """An hour, to see thinning."""
    base = failing()
    hour = tuple(seconds(stall_at=1800, length=3600, until=3600))
    return dataclasses.replace(
        base,
        plan=plan(duration_s=3600.0, shortened=""),
        findings=dataclasses.replace(
            base.findings, window_s=3600.0, judged_to_s=3600.0, seconds=hour
        ),
        telemetry=telemetry(3600),
        events=[{"at_s": 1800.0, "kind": "fault", "name": "postgres frozen"}],
    )


CASES = {
    "pass": passing,
    "fail": failing,
    "inconclusive": inconclusive,
    "invalid": invalid,
    "interrupted": interrupted,
    "empty": empty,
    "hostile": hostile,
    "hour": long_run,
}


@functools.cache
def pictures(case: str) -> Pictures:
    """Figures of a case, drawn once a process: drawing is what takes time."""
    return draw_all(CASES[case]())


@functools.cache
def page_of(case: str) -> str:
    """The rendered page of a case."""
    return page.render(CASES[case](), pictures(case))


if __name__ == "__main__":
    for case, make in CASES.items():
        folder = Path(sys.argv[1]) / case
        folder.mkdir(parents=True, exist_ok=True)
        write_reports(folder, make())
