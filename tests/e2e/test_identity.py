"""Planned = accounted for, whatever happens: a few of the runs of ``benchmarks/identity.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "identity.py"

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(4, id="users in a loop, the server frozen"),
        pytest.param(19, id="two loaders, one of them killed"),
        pytest.param(23, id="three loaders, Ctrl-C"),
    ],
)
def test_every_planned_request_is_accounted_for(seed: int) -> None:
    ended = subprocess.run(
        [sys.executable, BENCHMARK, "--seed", str(seed)],
        capture_output=True,
        text=True,
        check=False,
        # Ctrl-C is for the run alone.
        start_new_session=True,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"seed {seed}:" in ended.stdout
