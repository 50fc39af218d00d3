"""``report.md``: the summary a CI system shows beside the build."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from palier.analysis.invariants import InvariantState
from palier.analysis.verdict import RunState, TargetState
from reports import evidence, invariants, latency, targets, words
from reports import format as fmt
from reports.drawings import Pictures
from reports.inputs import ReportInputs
from reports.text import one_line

RUN_MARKS: Final[dict[RunState, str]] = {
    "PASS": "✅",
    "FAIL": "❌",
    "INCONCLUSIVE": "❔",
    "INVALID": "⛔",
}
TARGET_MARKS: Final[dict[TargetState, str]] = {
    "pass": "✅",
    "fail": "❌",
    "inconclusive": "❔",
    "not_measured": "▫️",
}
INVARIANT_MARKS: Final[dict[InvariantState, str]] = {
    "held": "✅",
    "violated": "❌",
    "not_checked": "❔",
    "not_applicable": "▫️",
}
_NAME = re.compile(r"[\w./:-]+")
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~@&])")


def escape(text: object) -> str:
    """Text that Markdown and the HTML inside it show as it is, on one line."""
    return _SPECIAL.sub(lambda match: _ENTITIES.get(match[1], "\\" + match[1]), one_line(text))


_ENTITIES: Final = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "&#64;"}


def code(text: object) -> str:
    """A name in a code span; a text with other characters is escaped instead."""
    line = one_line(text)
    return f"`{line}`" if _NAME.fullmatch(line) else escape(line)


def render(inputs: ReportInputs, pictures: Pictures) -> str:
    """The whole summary; a pure function of its arguments."""
    sections: list[Iterable[str]] = [
        _answer(inputs),
        _targets(inputs),
        _invariants(inputs),
        _latency(inputs, pictures),
        _errors(inputs),
        _ledger(inputs),
        _health(inputs),
        _reproduce(inputs),
    ]
    return "\n".join(line for section in sections for line in (*section, "")).rstrip() + "\n"


def _answer(inputs: ReportInputs) -> Iterable[str]:
    plan, findings, verdict = inputs.plan, inputs.findings, inputs.verdict
    yield f"# {RUN_MARKS[verdict.verdict]} {verdict.verdict}: {escape(words.title(plan))}"
    yield ""
    yield f"**{escape(words.deciding_sentence(verdict))}**"
    yield ""
    for reason in verdict.reasons[1:]:
        yield f"- {escape(words.sentence(reason))}"
    if len(verdict.reasons) > 1:
        yield ""
    partial = words.interrupted(findings)
    if partial is not None:
        yield f"> ⚠️ {escape(partial)}"
        yield ""
    yield escape(words.MEANINGS[verdict.verdict])
    yield ""
    yield f"- Headroom: {escape(targets.headroom_of_run(verdict).sentence)}"
    yield f"- Load: {escape(words.offered(plan, findings))}"
    yield f"- Arrival model: {escape(words.arrival_model(plan))}"
    yield f"- Window: {escape(words.window(findings))}; seed {plan.seed}"
    yield (
        f"- Run: {code(findings.run)}, "
        f"started {escape(words.started_at(findings.run, inputs.environment))}"
    )
    missing = words.cannot_show(plan)
    if missing is not None:
        yield f"- What this run cannot show: {escape(missing)}"
    for note in words.notes(findings):
        yield f"- Note: {escape(note)}"
    yield f"- {escape(words.steadiness(findings))}"


def _targets(inputs: ReportInputs) -> Iterable[str]:
    verdict = inputs.verdict
    yield "## Targets"
    for role, title in targets.ROLE_TITLES.items():
        rows = targets.rows(verdict.targets, role)
        if not rows:
            continue
        yield f"\n### {title}\n"
        yield from table(
            ("", "Target", "Limit", "Measured", "95 % interval", "Samples", "Why"),
            [
                (
                    f"{TARGET_MARKS[row.state]} {row.state_words}",
                    f"**{escape(row.id)}** {escape(row.title)}"
                    + (f" ({escape(row.about)})" if row.about else "")
                    + f", {escape(row.source)}",
                    escape(row.limit),
                    escape(row.measured),
                    escape(row.interval),
                    escape(row.samples),
                    escape(row.why),
                )
                for row in rows
            ],
        )
    missing = targets.not_measured_rows(verdict.targets)
    if missing:
        yield f"\n<details><summary>{len(missing)} targets not measured</summary>\n"
        yield from table(
            ("Target", "Role", "Limit", "Why not"),
            [
                (
                    f"**{escape(row.id)}** {escape(row.title)}, {escape(row.source)}",
                    escape(row.role),
                    escape(row.limit),
                    escape(row.why),
                )
                for row in missing
            ],
        )
        yield "\n</details>"
    if not verdict.targets:
        yield "\nThis tier states no target, so there is nothing to judge."


def _invariants(inputs: ReportInputs) -> Iterable[str]:
    rows = invariants.rows(inputs.verdict.invariants)
    yield "## Is the data right?"
    yield ""
    if not rows:
        yield "No invariant was looked at."
        return
    summary = invariants.summary(inputs.verdict.invariants)
    yield f"Looked for in the database after the load: {summary}."
    yield ""
    yield from table(
        ("", "Invariant", "What must hold", "Answer"),
        [
            (
                f"{INVARIANT_MARKS[row.state]} {row.state_words}",
                code(row.id),
                escape(row.holds_when),
                escape(row.answer),
            )
            for row in rows
        ],
    )


def _latency(inputs: ReportInputs, pictures: Pictures) -> Iterable[str]:
    findings = inputs.findings
    yield "## Latency by operation"
    yield ""
    yield "Response time counts from the intended start, service time from the actual sending."
    yield f"Judged window only; goodput of all requests {fmt.rate(findings.overall.goodput_per_s)}."
    sentence = words.two_clocks(findings.overall)
    if sentence is not None:
        yield f"**{escape(sentence)}**"
    yield ""
    rows = latency.operation_rows(findings)
    refusals = latency.refusals(rows)
    names = [fmt.percentile_name(at) for at in latency.SHOWN]
    yield from table(
        (
            "Operation",
            "Planned",
            "Errors",
            *(f"Response {name}" for name in names),
            "max",
            *(f"Service {name}" for name in names),
        ),
        [
            (
                "**all requests**" if row.all_requests else code(row.name),
                row.requests,
                row.errors,
                *(_cell(cell, refusals) for cell in row.response),
                row.response_max,
                *(_cell(cell, refusals) for cell in row.service),
            )
            for row in rows
        ],
    )
    for reason, number in refusals.items():
        yield ""
        yield f"Note {number}: {escape(reason)}."
    if pictures.over_time is not None:
        yield ""
        yield f"![{escape(pictures.over_time.label)}](figures/{pictures.over_time.name}.svg)"


def _errors(inputs: ReportInputs) -> Iterable[str]:
    failures = evidence.failures(inputs.exemplars)
    if not failures:
        return
    yield "## What went wrong, by example"
    yield ""
    yield from table(
        ("At", "Operation", "Outcome", "Status", "Response", "Message"),
        [
            (
                row.at,
                code(row.operation),
                escape(row.outcome),
                escape(row.status),
                row.response,
                escape(row.message),
            )
            for row in failures[:5]
        ],
    )


def _ledger(inputs: ReportInputs) -> Iterable[str]:
    ledger = inputs.findings.ledger
    yield "## Ledger"
    yield ""
    yield "Whole run, warm-up included."
    yield ""
    for identity in words.identities(ledger):
        yield f"- {identity}"
    for reason, number in ledger.skipped_reasons:
        yield f"- skipped, {code(reason)}: {number:,}"
    yield ""
    yield words.ledger_verdict(ledger)


def _health(inputs: ReportInputs) -> Iterable[str]:
    health = inputs.findings.health
    yield "## Was the generator fit to measure?"
    yield ""
    if not health:
        yield "No check of the generator was recorded."
        return
    yield from table(
        ("", "Check", "Measured", "Limit", "Meaning"),
        [
            (
                "✅ ok" if check.ok else "❌ not ok",
                escape(check.name),
                escape(check.measured),
                escape(check.limit),
                escape(check.why),
            )
            for check in health
        ],
    )


def _reproduce(inputs: ReportInputs) -> Iterable[str]:
    yield "## Reproduce"
    yield ""
    yield "```"
    yield words.command(inputs.plan).replace("```", "'''")
    yield "```"


def _cell(cell: latency.Cell, refusals: dict[str, int]) -> str:
    if cell.refused:
        return f"{cell.value} (note {refusals[cell.interval]})"
    return f"{escape(cell.value)} ({escape(cell.interval)})"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Lines of a table; cells are escaped already."""
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
