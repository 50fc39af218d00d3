"""JUnit: green exactly when the run passed."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

import pytest
import reports_samples
from hypothesis import given
from hypothesis import strategies as st

from palier.analysis.verdict import RunState, TargetState
from palier.errors import ExitCode
from reports import junit
from reports.inputs import ReportInputs

ALLOWED = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"message"},
}
"""Elements and attributes of the schema that Jenkins, GitLab and GitHub actions share."""


def parsed(inputs: ReportInputs) -> ET.Element:
    return ET.fromstring(junit.render(inputs).encode())


def counted(root: ET.Element) -> dict[str, int]:
    return {name: int(root.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}


@pytest.mark.parametrize("case", list(reports_samples.CASES))
def test_elements_attributes_and_counts_follow_the_common_schema(case: str) -> None:
    root = parsed(reports_samples.CASES[case]())

    for element in root.iter():
        assert set(element.attrib) <= ALLOWED[element.tag]
    (suite,) = root.findall("testsuite")
    assert suite[0].tag == "properties"
    assert (
        counted(root)
        == counted(suite)
        == {
            "tests": len(suite.findall("testcase")),
            "failures": len(suite.findall("testcase/failure")),
            "errors": len(suite.findall("testcase/error")),
            "skipped": len(suite.findall("testcase/skipped")),
        }
    )
    for case_element in suite.findall("testcase"):
        assert len(case_element) <= 1


def test_every_gate_and_invariant_is_a_test_case_and_goals_are_not() -> None:
    names = [case.attrib["name"] for case in parsed(reports_samples.passing()).iter("testcase")]

    assert names == [
        "T-52 API response time (p95)",
        "T-61 Bookings list (p95 of list_reservations)",
        "T-55 Error rate",
        "T-58 Throughput at peak",
        "invariant acknowledged-writes",
        "invariant no-overlapping-stays",
        "invariant sync-tasks",
        "the run as a whole",
    ]


def test_a_missed_gate_tells_limit_measurement_and_reason() -> None:
    failure = next(parsed(reports_samples.failing()).iter("failure"))

    assert failure.attrib == {
        "type": "fail",
        "message": "fail: measured 369 ms, limit < 100 ms",
    }
    assert failure.text is not None
    assert "the whole interval lies above the limit" in failure.text
    assert "328–409 ms, n=1,820" in failure.text


def test_a_broken_invariant_is_a_failure_with_its_examples() -> None:
    failures = {f.attrib["type"]: f for f in parsed(reports_samples.failing()).iter("failure")}

    broken = failures["violated"]
    assert broken.attrib["message"].startswith("2 of 24,183 break it")
    assert broken.text is not None
    assert "gîte 0b6f5a1c has stays from 2026-08-01" in broken.text
    assert failures["not_checked"].attrib["message"] == "the database did not answer in 60 s"


def test_an_invariant_that_does_not_apply_is_skipped_with_its_reason() -> None:
    (skipped,) = parsed(reports_samples.passing()).iter("skipped")

    assert skipped.attrib == {"message": "this run synchronised no calendar"}


def test_undecided_and_unmeasured_gates_are_failures_of_their_own_type() -> None:
    types = [f.attrib["type"] for f in parsed(reports_samples.inconclusive()).iter("failure")]

    assert types == ["inconclusive", "not_measured"]


def test_an_unfit_measurement_is_an_error_even_when_all_gates_look_fine() -> None:
    root = parsed(reports_samples.invalid())

    assert [e.attrib["type"] for e in root.iter("error")] == ["invalid"]
    assert counted(root)["failures"] == 0


def test_an_interrupted_run_is_an_error() -> None:
    (error,) = parsed(reports_samples.interrupted()).iter("error")

    assert error.attrib["type"] == "interrupted"


def test_a_run_without_gates_is_not_green() -> None:
    root = parsed(reports_samples.empty())

    assert counted(root) == {"tests": 1, "failures": 1, "errors": 0, "skipped": 0}


states = st.sampled_from(["pass", "fail", "inconclusive", "not_measured"])


@given(gates=st.lists(states, max_size=4), unfit=st.booleans(), interrupted=st.booleans())
def test_the_file_is_green_exactly_when_the_exit_code_is_zero(
    gates: list[TargetState], unfit: bool, interrupted: bool
) -> None:
    state: RunState = "PASS"
    if unfit:
        state = "INVALID"
    elif "fail" in gates:
        state = "FAIL"
    elif not gates or set(gates) != {"pass"}:
        state = "INCONCLUSIVE"
    base = reports_samples.passing()
    targets = tuple(
        reports_samples.target(f"T-{number}", verdict=gate) for number, gate in enumerate(gates)
    )
    verdict = dataclasses.replace(
        base.verdict, verdict=state, targets=targets, interrupted=interrupted
    )

    numbers = counted(parsed(dataclasses.replace(base, verdict=verdict)))

    green = numbers["failures"] == numbers["errors"] == 0
    assert green == (verdict.exit_code is ExitCode.PASS)
