"""Locust's own statistics are the same whether requests are entered together or one by one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SUPPORT = Path(__file__).parent.parent / "support"
KEYS = tuple(str((name, method)) for name in ("look", "list") for method in ("GET", "POST"))


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What ``tests/support/locust_statistics_twice.py`` says."""
    argv = [sys.executable, str(SUPPORT / "locust_statistics_twice.py")]
    root = Path(__file__).parents[2]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60, cwd=root)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_what_is_entered_together_is_what_the_listener_would_have_written(
    found: dict[str, Any],
) -> None:
    kept = found["told_twice"]["kept"]

    assert kept == found["told_twice"]["fired"]
    total = kept["entries"]["total"]
    assert total["num_requests"] == 500
    assert total["num_failures"] == sum(kept["entries"][key]["num_failures"] for key in KEYS)
    assert len(kept["errors"]) == 8  # two messages, names and methods


def test_buckets_that_a_locustfile_has_put_in_place_are_used(found: dict[str, Any]) -> None:
    kept = found["own_buckets"]["kept"]

    assert kept == found["own_buckets"]["fired"]
    assert all(int(bucket) % 3 == 0 for bucket in kept["entries"]["total"]["response_times"])


def test_they_suffice_only_while_nobody_but_locusts_own_listener_is_there(
    found: dict[str, Any],
) -> None:
    before, while_another_listens, after, when_locust_has_renamed_its_own = found["suffices"]

    assert before
    assert not while_another_listens
    assert after
    assert not when_locust_has_renamed_its_own
