"""``junit.xml``: green exactly when the run passed, whatever reads it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from palier.analysis.verdict import TargetVerdict
from reports import invariants, targets, words
from reports.inputs import ReportInputs
from reports.text import one_line


def render(inputs: ReportInputs) -> str:
    """One test case a gate and an invariant, and one for the run as a whole.

    A gate that is not passed is a ``failure`` with the state as its type, also when it is
    inconclusive or was not measured: undecided is not green. An invalid or interrupted run is an
    ``error`` of the run's own test case.
    """
    verdict, findings = inputs.verdict, inputs.findings
    gates = [target for target in verdict.targets if target.role == "gate"]
    classname = f"palier.{one_line(inputs.plan.tier.id)}"
    suite = ET.Element("testsuite", name=f"palier {one_line(findings.run)}")
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("verdict", verdict.verdict),
        ("run", findings.run),
        ("seed", str(inputs.plan.seed)),
        ("reproduce", words.command(inputs.plan)),
    ):
        ET.SubElement(properties, "property", name=name, value=one_line(value))
    for gate in gates:
        _gate(suite, gate, classname)
    rows = invariants.rows(verdict.invariants)
    for row in rows:
        _invariant(suite, row, classname)
    undecided = any(gate.verdict != "pass" for gate in gates) or any(
        row.state in ("violated", "not_checked") for row in rows
    )
    _run(suite, inputs, classname, undecided_gates=undecided)

    counts = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    root = ET.Element("testsuites", name="palier")
    for element in (root, suite):
        for name, number in counts.items():
            element.set(name, str(number))
        element.set("time", f"{findings.window_s:.3f}")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _gate(suite: ET.Element, gate: TargetVerdict, classname: str) -> None:
    row = targets.row(gate)
    name = " ".join(filter(None, (row.id, row.title, f"({row.about})" if row.about else "")))
    case = ET.SubElement(suite, "testcase", name=name, classname=classname, time="0")
    if gate.verdict == "pass":
        return
    message = f"{row.state_words}: measured {row.measured}, limit {row.limit}"
    failure = ET.SubElement(case, "failure", type=gate.verdict, message=message)
    failure.text = (
        f"{row.why}\n"
        f"limit {row.limit}, measured {row.measured} ({row.interval}, {row.samples}), {row.source}"
    )


def _invariant(suite: ET.Element, row: invariants.InvariantRow, classname: str) -> None:
    name = f"invariant {row.id}"
    case = ET.SubElement(suite, "testcase", name=name, classname=classname, time="0")
    if row.state == "not_applicable":
        ET.SubElement(case, "skipped", message=row.answer)
    elif row.state != "held":
        failure = ET.SubElement(case, "failure", type=row.state, message=row.answer)
        failure.text = "\n".join((row.holds_when, *row.examples))


def _run(suite: ET.Element, inputs: ReportInputs, classname: str, *, undecided_gates: bool) -> None:
    verdict = inputs.verdict
    case = ET.SubElement(
        suite, "testcase", name="the run as a whole", classname=classname, time="0"
    )
    reasons = "\n".join(one_line(reason) for reason in verdict.reasons)
    if verdict.verdict == "INVALID":
        problem = ET.SubElement(case, "error", type="invalid")
    elif verdict.interrupted:
        problem = ET.SubElement(case, "error", type="interrupted")
        reasons = "\n".join(filter(None, (words.interrupted(inputs.findings), reasons)))
    elif verdict.verdict != "PASS" and not undecided_gates:
        problem = ET.SubElement(case, "failure", type=verdict.verdict.lower())
    else:
        return
    problem.set("message", words.deciding_sentence(verdict))
    problem.text = reasons or words.MEANINGS[verdict.verdict]
