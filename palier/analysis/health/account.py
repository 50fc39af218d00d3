"""Is every planned request accounted for, and are these the planned ones?"""

from __future__ import annotations

from typing import Final

from palier.analysis.findings import HealthCheck
from palier.analysis.health.limits import SHORTFALL
from palier.analysis.health.measured import Measured
from palier.analysis.ratio import FOLLOWING_ERRORS, NOT_CHARGED, OWN_ERRORS, UNKNOWN
from palier.analysis.sample import STARTED
from palier.load.outcome import CLOCKS, SKIP_REASONS

CHARGED_SKIPS: Final = tuple(name for name in OWN_ERRORS if name.startswith("skipped_"))
"""Never sent, through the system's fault: a response of at least the wait."""


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


def check_shortfall(measured: Measured) -> HealthCheck:
    """What was planned and not sent, other than through the system's fault."""
    ledger = measured.ledger
    planned = int(ledger["planned"].sum())
    explained = [
        column
        for column in (*OWN_ERRORS, *FOLLOWING_ERRORS, *NOT_CHARGED)
        # What a lost loader may or may not have sent is the generator's own fault.
        if column.startswith("skipped_") and column not in UNKNOWN
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
