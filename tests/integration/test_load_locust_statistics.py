"""Locust's own statistics are the same whether requests are entered together or one by one."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from palier.load.archive import read_ledger
from palier.load.driver import drive
from palier.selftest.known_server import known_server
from palier.selftest.trial import trial_plan

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


@pytest.mark.parametrize("somebody_listens", [False, True])
def test_after_a_run_locust_knows_of_every_request_whether_somebody_listened_or_not(
    tmp_path: Path, somebody_listens: bool
) -> None:
    told = tmp_path / "told.json"
    locustfile = tmp_path / "scenario.py"
    locustfile.write_text(
        f"""
import json
from locust import events
from scenarios.operation import operation
from scenarios.visitor import JourneyUser

heard = []
if {somebody_listens}:
    events.request.add_listener(lambda name, **_: heard.append(name))

@events.quitting.add_listener
def tell(environment, **_):
    stats = environment.stats
    with open({str(told)!r}, "w") as file:
        json.dump({{
            "requests": stats.total.num_requests,
            "failures": stats.total.num_failures,
            "timed": sum(stats.entries["look", "GET"].response_times.values()),
            "errors": [[repr(one.error), one.occurrences] for one in stats.errors.values()],
            "heard": len(heard),
        }}, file)

class Visitor(JourneyUser):
    @operation
    def look(self):
        self.call("GET", f"/session/{{self.session}}")
        self.check(self.session % 3 > 0, "every third is wrong")
"""
    )
    plan = replace(trial_plan(rate_per_s=100, duration_s=1.5), scenario=str(locustfile))
    with known_server(tmp_path / "log.npy") as server:
        drive(plan, run_dir=tmp_path / "run", url=server.url)

    sums = read_ledger(tmp_path / "run" / "ledger.parquet").sum(numeric_only=True)
    assert sums["started"] == sums["succeeded"] + sums["failed"] > 100
    assert json.loads(told.read_text()) == {
        "requests": sums["started"],
        "failures": sums["failed"],
        "timed": sums["started"],
        "errors": [["CatchResponseError('every third is wrong')", sums["failed"]]],
        "heard": sums["started"] if somebody_listens else 0,
    }
