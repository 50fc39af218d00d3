"""Faults of a measurement, done to real runs, are found and named; the bench has the table."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import faults

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize("name", list(faults.FAULTS))
def test_a_fault_of_the_measurement_is_found_and_named(name: str, tmp_path: Path) -> None:
    fault = faults.FAULTS[name]
    if fault.spoil is faults.slow_the_names:
        pytest.skip("needs a network of its own: benchmarks/faults.py makes one")

    try:
        verdict = faults.run_once(tmp_path, duration_s=faults.FAULT_S, fault=fault)
    except faults.NotHereError as error:
        pytest.skip(str(error))

    assert verdict.verdict == fault.verdict, verdict.reasons
    assert any(re.search(fault.named, reason) for reason in verdict.reasons), verdict.reasons


def test_a_slow_name_server_is_found_and_named(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        ended = faults.run_in_own_network("slow DNS")
    except faults.NotHereError as error:
        pytest.skip(str(error))

    assert ended == 0, capfd.readouterr().out
