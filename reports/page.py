"""``report.html``: one self-contained page."""

from __future__ import annotations

from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup

from palier.analysis.findings import SecondPoint
from palier.analysis.verdict import RunState
from reports import evidence, invariants, latency, targets, words
from reports import format as fmt
from reports.drawings import Pictures
from reports.figures.thin import columns
from reports.inputs import ReportInputs
from reports.text import clean, one_line, shortened

ICONS: Final[dict[RunState, str]] = {
    "PASS": "check",
    "FAIL": "cross",
    "INCONCLUSIVE": "question",
    "INVALID": "slash",
}
MOST_TABLE_ROWS: Final = 60


def render(inputs: ReportInputs, pictures: Pictures) -> str:
    """The whole page as text; a pure function of its arguments."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = resources.files("reports").joinpath("templates/style.css").read_text("utf-8")
    template = environment.get_template("report.html.j2")
    return template.render(css=Markup(css), fmt=fmt, **_context(inputs, pictures))


def _context(inputs: ReportInputs, pictures: Pictures) -> dict[str, Any]:
    plan, findings, verdict = inputs.plan, inputs.findings, inputs.verdict
    cores = evidence.cpu_by_component(inputs.telemetry)
    operation_rows = latency.operation_rows(findings)
    return {
        "plan": plan,
        "findings": findings,
        "verdict": verdict,
        "run": clean(findings.run),
        "title": words.title(plan),
        "icon": ICONS[verdict.verdict],
        "meaning": words.MEANINGS[verdict.verdict],
        "deciding": words.deciding_sentence(verdict),
        "more_reasons": [words.sentence(reason) for reason in verdict.reasons[1:]],
        "headroom": targets.headroom_of_run(verdict),
        "p95": latency.cell(findings.overall.response, 0.95),
        "offered": words.offered(plan, findings),
        "arrivals": words.arrival_model(plan),
        "window": words.window(findings),
        "date": words.started_at(findings.run, inputs.environment),
        "interrupted": words.interrupted(findings),
        "cannot_show": words.cannot_show(plan),
        "notes": words.notes(findings),
        "steadiness": words.steadiness(findings),
        "role_titles": targets.ROLE_TITLES,
        "target_rows": {role: targets.rows(verdict.targets, role) for role in targets.ROLE_TITLES},
        "not_measured": targets.not_measured_rows(verdict.targets),
        "counts": _counts(inputs),
        "invariant_rows": invariants.rows(verdict.invariants),
        "invariant_summary": invariants.summary(verdict.invariants),
        "operation_rows": operation_rows,
        "refusals": latency.refusals(operation_rows),
        "percentile_names": [fmt.percentile_name(at) for at in latency.SHOWN],
        "lag": latency.cells(findings.lag),
        "two_clocks": words.two_clocks(findings.overall),
        "pictures": pictures,
        "seconds": columns(findings.seconds, most=MOST_TABLE_ROWS),
        "unsuccessful": _unsuccessful(findings.seconds),
        "planned": findings.ledger.planned,
        "failures": evidence.failures(inputs.exemplars),
        "slowest": evidence.slowest(inputs.exemplars),
        "identities": words.identities(findings.ledger),
        "ledger_verdict": words.ledger_verdict(findings.ledger),
        "skip_reasons": [
            (one_line(name), count, words.SKIP_REASONS.get(name, ""))
            for name, count in findings.ledger.skipped_reasons
        ],
        "cpu_rows": evidence.cpu_rows(cores, findings),
        "events": [
            (f"{at:.1f} s", kind, text) for at, kind, text in evidence.notable_events(inputs.events)
        ],
        "environment": evidence.environment_rows(inputs.environment),
        "glossary": words.GLOSSARY,
        "command": words.command(plan),
        "one_line": one_line,
        "shortened": shortened,
    }


def _counts(inputs: ReportInputs) -> str:
    """``"5 gates: 4 pass, 1 fail. 2 goals: 2 pass."``"""
    sentences = []
    for role, plural in (("gate", "gates"), ("goal", "goals")):
        states = [t.verdict for t in inputs.verdict.targets if t.role == role]
        if not states:
            sentences.append(f"No {plural}.")
            continue
        parts = [
            f"{states.count(state)} {state_words}"
            for state, state_words in targets.STATE_WORDS.items()
            if state in states
        ]
        noun = role if len(states) == 1 else plural
        sentences.append(f"{len(states)} {noun}: {', '.join(parts)}.")
    return " ".join(sentences)


def _unsuccessful(seconds: tuple[SecondPoint, ...]) -> str | None:
    """When requests went wrong: ``"in 3 of 60 seconds, first at 12 s, last at 14 s"``."""
    wrong = [p.second for p in seconds if p.failed + p.timed_out + p.abandoned + p.skipped]
    if not wrong:
        return None
    return (
        f"Requests went wrong in {len(wrong):,} of {len(seconds):,} seconds, "
        f"first at {min(wrong):,} s, last at {max(wrong):,} s."
    )
