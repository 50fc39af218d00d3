"""Locustfiles written for stock Locust, driven by arrivals."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from palier.errors import LoadError
from palier.load.archive import read_ledger
from palier.load.driver import drive
from palier.model.plan import RunPlan

SUPPORT = Path(__file__).parent.parent / "support"
sys.path.insert(0, str(SUPPORT))

from load_plans import journey, plan_of  # noqa: E402

STOCK = SUPPORT / "stock_locustfile.py"


class Server:
    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self._log = log

    def requests(self) -> Counter[str]:
        return Counter(self._log.read_text().split("\n")[:-1])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    log = tmp_path / "server.log"
    argv = [sys.executable, str(SUPPORT / "load_server.py"), str(log)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        yield Server(f"http://127.0.0.1:{int(child.stdout.readline())}", log)
        child.kill()


def stock_plan(*journeys: tuple[str, ...], requests_per_s: float = 60) -> RunPlan:
    made = [journey(*steps, think_s=0.02, id_=f"J{at}") for at, steps in enumerate(journeys)]
    plan = plan_of(
        *made, requests_per_s=requests_per_s, duration_s=2, request_timeout_s=0.5, drain_s=1
    )
    return replace(plan, scenario=str(STOCK))


def totals(run_dir: Path, operation: str) -> dict[str, int]:
    ledger = read_ledger(run_dir / "ledger.parquet")
    rows = ledger[ledger["operation"] == operation]
    return {name: int(n) for name, n in rows.sum(numeric_only=True).items() if n}


def exemplar(run_dir: Path, operation: str) -> dict[str, object]:
    lines = map(json.loads, (run_dir / "exemplars.jsonl").read_text().splitlines())
    return next(one for one in lines if one["operation"] == operation)


def test_tasks_of_stock_users_are_operations_and_every_outcome_is_told(
    tmp_path: Path, server: Server
) -> None:
    run_dir = tmp_path / "run"
    right = ("look", "look_twice", "accept_it")
    wrong = {
        "half_wrong": "first part: HTTPError",
        "refuse_it": "not what I wanted",
        "buggy": "KeyError",
        "idle": "task idle makes no request",
    }
    plan = stock_plan(*((name, "look") for name in (*right, *wrong, "wait_forever")))

    result = drive(plan, run_dir=run_dir, url=server.url)

    assert result.closes
    for name in right:
        sums = totals(run_dir, name)
        assert sums["planned"] == sums["started"] == sums["succeeded"] > 0, name
    for name, told in wrong.items():
        sums = totals(run_dir, name)
        assert sums["planned"] == sums["started"] == sums["failed"] > 0, name
        assert told in str(exemplar(run_dir, name)["message"])
    assert exemplar(run_dir, "half_wrong")["status"] == 500
    assert exemplar(run_dir, "half_wrong")["request_id"] == "r-1"
    sums = totals(run_dir, "wait_forever")
    assert sums["planned"] == sums["started"] == sums["timed_out"] > 0
    assert "not over in 0.5 s" in str(exemplar(run_dir, "wait_forever")["message"])
    # From the beginning of a task to the end of its last request.
    assert float(str(exemplar(run_dir, "look_twice")["service_s"])) >= 0.03
    # Each session is a new user that has signed in once.
    asked = server.requests()
    sessions = sum(totals(run_dir, name)["started"] for name in (*right, *wrong)) + sums["started"]
    assert asked["POST /ok"] >= sessions / 2


def test_on_start_can_be_a_step_of_its_own_and_a_user_that_stops_itself_is_gone(
    tmp_path: Path, server: Server
) -> None:
    run_dir = tmp_path / "run"
    plan = stock_plan(("on_start", "leave", "look"))

    result = drive(plan, run_dir=run_dir, url=server.url)

    assert result.closes
    for name in ("on_start", "leave"):
        sums = totals(run_dir, name)
        assert sums["planned"] == sums["succeeded"] > 0
    sums = totals(run_dir, "look")
    assert sums["planned"] == sums["skipped_session_aborted"] > 0


def test_fast_users_and_users_without_http_can_be_driven_too(
    tmp_path: Path, server: Server
) -> None:
    run_dir = tmp_path / "fast"
    plan = stock_plan(("glance", "glance_forever", "glance"))

    assert drive(plan, run_dir=run_dir, url=server.url).closes

    sums = totals(run_dir, "glance")
    assert sums["planned"] == sums["succeeded"] > 0
    assert totals(run_dir, "glance_forever")["timed_out"] > 0

    run_dir = tmp_path / "odd"
    assert drive(stock_plan(("compute",)), run_dir=run_dir, url=server.url).closes
    sums = totals(run_dir, "compute")
    assert sums["planned"] == sums["succeeded"] > 0


def test_tasks_inside_a_task_set_are_refused_with_the_reason(
    tmp_path: Path, server: Server
) -> None:
    with pytest.raises(LoadError, match=r"deep is no task of a user class.*\(Within\)"):
        drive(stock_plan(("look", "deep")), run_dir=tmp_path / "run", url=server.url)
    assert not server.requests()
