"""Sentences of the report that depend on the run: one wording for page, Markdown and terminal."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from palier.analysis.findings import Findings, LedgerTotals, OperationFinding, Percentiles
from palier.analysis.verdict import RunState, Verdict
from palier.model.plan import RunPlan
from reports import format as fmt
from reports.inputs import Record
from reports.text import clean, one_line, shortened, without_passwords

MOST_SENTENCE: Final = 500
"""Characters of a reason or note; the JSON files have longer ones whole."""

MEANINGS: Final[dict[RunState, str]] = {
    "PASS": "Every gate is met, and the measurement was fit to show it.",
    "FAIL": "At least one gate is missed.",
    "INCONCLUSIVE": "No gate is missed, but the evidence does not suffice for a pass.",
    "INVALID": "The measurement itself was unfit, so the numbers below decide nothing.",
}

SKIP_REASONS: Final = {
    "no_free_session": "as many sessions as a loader may have were in progress, for as long as a "
    "request may take; charged to the system",
    "session_aborted": "an earlier step of the same session failed, so this one could not follow",
    "end_of_run": "the system was so late that the step could not start before the run ended; "
    "charged to the system",
    "interrupted": "the run was interrupted",
    "aborted": "an abort rule had stopped the run",
    "worker_lost": "their loader was lost: nobody knows whether they were sent; charged to nobody",
    "user_busy": "users of a closed load were still waiting for answers, so they asked for less "
    "than they could; an open load would have asked; charged to nobody",
}

GLOSSARY: Final = (
    (
        "Response time",
        "From the instant the schedule wanted the request to be sent until the last byte of the "
        "answer. It includes any wait before sending, so it is what a visitor feels. "
        "Targets for response times are judged on it.",
    ),
    (
        "Service time",
        "From the actual sending until the last byte. It leaves out the wait before sending, so "
        "it helps to find a cause and is never judged.",
    ),
    (
        "Lag",
        "Actual sending minus intended sending. Waiting for a free session is charged to the "
        "system; the rest is the load generator's, and too much of it makes a run invalid.",
    ),
    (
        "Offered rate",
        "Requests per second the schedule intended, decided before the run. "
        "It does not slow down when the system does.",
    ),
    (
        "Achieved rate",
        "Requests that were really sent, divided by the whole planned window.",
    ),
    ("Throughput", "Successful answers, divided by the whole planned window."),
    ("Goodput", "Successful answers per second of the judged window."),
    (
        "Percentile, p95",
        "95 of 100 requests were at least this fast. p50 is the median.",
    ),
    (
        "95 % interval",
        "Where the true value lies with 95 % confidence, given how many requests were measured "
        "and how much those of one moment depend on each other. "
        "A target is passed or failed only when the whole interval is on one side of its limit.",
    ),
    (
        "≥ (at least)",
        "The slowest requests were given up or had not ended when the measurement did; "
        "their true time is longer than shown.",
    ),
    (
        "Warm-up",
        "The start of the window. It is measured, kept and shown, and not judged.",
    ),
    (
        "Partly open",
        "New sessions arrive whether or not earlier ones have finished, as visitors do. "
        "Inside a session each step waits for the one before.",
    ),
    (
        "Gate, goal, information",
        "Gates decide the verdict. Goals and information are judged and shown, and decide nothing.",
    ),
    (
        "Inconclusive",
        "The evidence does not decide: too few requests, too close to the limit, or too many "
        "errors to tell.",
    ),
    (
        "Headroom",
        "How far a gate stays from its limit, as a share of the limit, counted from the "
        "unfavourable end of the interval.",
    ),
)


def title(plan: RunPlan) -> str:
    """``"lou-2 · Palier 2"``."""
    return f"{one_line(plan.tier.id)} · {shortened(one_line(plan.tier.title), 120)}"


def sentence(text: str) -> str:
    """``text`` with a capital at the start, unless it starts with a name or a number."""
    line = shortened(one_line(text), MOST_SENTENCE)
    first = line.partition(" ")[0]
    return line[:1].upper() + line[1:] if first.isalpha() else line


def deciding_sentence(verdict: Verdict) -> str:
    """The reason that decided, or what the verdict means when none was given."""
    if verdict.reasons:
        return sentence(verdict.reasons[0])
    return MEANINGS[verdict.verdict]


def arrival_model(plan: RunPlan) -> str:
    """How load arrived; every report says it."""
    if plan.loop is not None:
        return (
            f"Closed: up to {round(plan.loop.users * plan.curve.peak):,} users, each of whom "
            "waits for every answer before asking again, so a slow system was asked for less; "
            "the requests that users had no time for are counted as skipped."
        )
    if plan.arrivals_us:
        return (
            f"Sessions arrive when those of {one_line(plan.profile.trace_name)} did; inside a "
            "session steps follow with think times (partly open)."
        )
    process = {
        "poisson": "Sessions arrive by a Poisson process",
        "constant": "Sessions arrive at equal intervals",
    }[plan.profile.arrivals]
    if not plan.is_steady:
        process += f" whose rate moves ({plan.profile.shape})"
    return f"{process}; inside a session steps follow with think times (partly open)."


def offered(plan: RunPlan, findings: Findings) -> str:
    """The rate and where it comes from."""
    derivation = shortened(one_line(plan.rate_derivation), MOST_SENTENCE)
    sent = f"{fmt.rate(findings.achieved_per_s)} were sent."
    if plan.loop is not None:
        could = fmt.rate(findings.offered_per_s)
        return f"{could} are the most that users could ask for ({derivation}); {sent}"
    level = "" if plan.is_steady or plan.arrivals_us else " at level 1"
    return (
        f"{fmt.rate(findings.offered_per_s)} offered ({derivation}{level}), "
        f"{fmt.rate(plan.sessions_per_s, 'sessions')}{level}; {sent}"
    )


def window(findings: Findings) -> str:
    """The planned window and the part of it that is judged."""
    judged_s = findings.judged_to_s - findings.judged_from_s
    return (
        f"{fmt.span(findings.window_s)}, judged from {fmt.span(findings.judged_from_s)} "
        f"to {fmt.span(findings.judged_to_s)} ({fmt.span(judged_s)})"
    )


def interrupted(findings: Findings) -> str | None:
    """What a partial run is worth; None for a whole one."""
    if not findings.interrupted and findings.aborted is None:
        return None
    stopped = "interrupted" if findings.interrupted else "stopped by its abort rule"
    return (
        f"This run was {stopped} after {fmt.span(findings.judged_to_s)} of "
        f"{fmt.span(findings.window_s)}. What was measured until then is shown; "
        "it is a partial report and not evidence for the whole window."
    )


def cannot_show(plan: RunPlan) -> str | None:
    """What the run can no longer prove because it was cut short; None for a whole one."""
    return sentence(plan.shortened) if plan.shortened.strip() else None


def notes(findings: Findings) -> list[str]:
    """What the analysis says about its numbers, each sentence once."""
    return list(dict.fromkeys(sentence(text) for text in findings.notes if text.strip()))


def steadiness(findings: Findings) -> str:
    """Whether the judged window was the same from its start to its end."""
    found = findings.steadiness
    if found is None:
        return "Steadiness of the judged window was not tested."
    if found.moves_by_plan:
        return " ".join((f"Steadiness is not asked of this run: {found.why}.", *_stages(findings)))
    start = {
        True: "The judged window is steady",
        False: "The judged window is not steady",
        None: "Whether the judged window is steady cannot be told",
    }[found.steady]
    return f"{start}: {shortened(one_line(found.why), MOST_SENTENCE)}."


def _stages(findings: Findings) -> Iterator[str]:
    """Where the same load was offered for a while, what came of it."""
    for stage in findings.stages:
        found = stage.steadiness
        state = {True: "steady", False: "not steady", None: "cannot be told"}[found.steady]
        yield (
            f"Stage from {fmt.span(stage.from_s)} to {fmt.span(stage.to_s)} (level "
            f"{stage.level:.3g}): {state}, {shortened(one_line(found.why), MOST_SENTENCE)}."
        )


def started_at(plan_run: str, environment: Record) -> str:
    """When the run began, in UTC, from the environment or the run's name; else a dash."""
    stated = environment.get("started_at")
    if isinstance(stated, str) and stated.strip():
        try:
            moment = datetime.fromisoformat(stated)
        except ValueError:
            return one_line(stated)
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment.tzinfo else stated
    match = re.match(r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d)-?:?(\d\d)-?:?(\d\d)", plan_run)
    if match is None:
        return "–"
    year, month, day, hour, minute, second = match.groups()
    return f"{year}-{month}-{day} {hour}:{minute}:{second} UTC"


def command(plan: RunPlan) -> str:
    """The command line that plays the same schedule on the same data."""
    words = ["palier", "run", plan.tier.id, "--profile", plan.profile.id]
    words += ["--duration", f"{plan.duration_s:g}s", "--seed", str(plan.seed)]
    words += ["--workers", str(plan.workers), *where_to(plan)]
    return clean(without_passwords(shlex.join(words)))


def where_to(plan: RunPlan) -> list[str]:
    """Options that change what is driven: switches of the tier, and another service."""
    words = []
    for switch in dataclasses.fields(plan.variant):
        value = getattr(plan.variant, switch.name)
        if value != getattr(plan.tier.variant, switch.name):
            text = str(value).lower() if isinstance(value, bool) else str(value)
            words += ["--set", f"{switch.name}={text}"]
    if plan.url is not None:
        words += ["--url", plan.url]
    return words


def identities(ledger: LedgerTotals) -> tuple[str, str]:
    """Both identities with their numbers."""
    return (
        f"planned {ledger.planned:,} = started {ledger.started:,} + skipped {ledger.skipped:,}",
        f"started {ledger.started:,} = succeeded {ledger.succeeded:,} + failed {ledger.failed:,} "
        f"+ timed out {ledger.timed_out:,} + abandoned {ledger.abandoned:,}",
    )


def ledger_verdict(ledger: LedgerTotals) -> str:
    """Whether every planned request is accounted for."""
    if ledger.closes:
        return "Both identities hold exactly: every planned request is accounted for."
    return "The ledger does not close: requests are missing, so nothing here can be trusted."


def two_clocks(operation: OperationFinding) -> str | None:
    """A sentence when response and service time differ by more than measurement noise."""
    response, service = _point(operation.response), _point(operation.service)
    if response is None or service is None:
        return None
    if response - service < max(0.005, 0.2 * service):
        return None
    return (
        f"Response p95 is {fmt.duration(response)} while service p95 is {fmt.duration(service)}: "
        "requests waited before they could be sent. A tool that times from the actual sending "
        "would have shown the smaller number."
    )


def _point(percentiles: Percentiles, fraction: float = 0.95) -> float | None:
    for at, estimate in percentiles.points:
        if at == fraction and estimate.refused is None:
            return fmt.known(estimate.value)
    return None
