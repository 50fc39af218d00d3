"""Abort rules on a real server that freezes, or fails: the run ends early and says why."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from palier.analysis.analyse import was_aborted
from palier.load.archive import read_ledger
from palier.load.driver import LoadResult, drive
from palier.model.abort import AbortRule
from palier.model.plan import RunPlan

SUPPORT = Path(__file__).parent.parent / "support"
sys.path.insert(0, str(SUPPORT))

from load_plans import journey, plan_of  # noqa: E402

LONG_S = 60.0
"""The window of plans that are to be stopped long before it ends."""

SLOW = AbortRule(
    id="slow", metric="response_time", percentile=0.9, limit=400, unit="ms", over_s=2, for_s=1
)
ERRORS = AbortRule(id="errors", metric="error_ratio", limit=50, unit="%", over_s=2)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[psutil.Process, str]]:
    child = subprocess.Popen(
        [sys.executable, str(SUPPORT / "load_server.py"), str(tmp_path / "server.log")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child:
        port = int(child.stdout.readline())
        process = psutil.Process(child.pid)
        yield process, f"http://127.0.0.1:{port}"
        process.resume()
        child.kill()


def at_offset(offset_s: float, act: Callable[[], object]) -> Callable[..., None]:
    def on_start(t0: float, _pids: tuple[int, ...]) -> None:
        threading.Timer(t0 + offset_s - time.monotonic(), act).start()

    return on_start


def aborted_plan(*rules: AbortRule, operation: str = "look", workers: int = 1) -> RunPlan:
    plan = plan_of(
        journey(operation),
        requests_per_s=40,
        duration_s=LONG_S,
        request_timeout_s=20,
        workers=workers,
    )
    return replace(plan, aborts=rules)


def check_account(run_dir: Path, result: LoadResult, rule: AbortRule) -> None:
    """Stopped by the rule, everything measured kept, everything else skipped as aborted."""
    assert result.aborted is not None
    assert result.aborted.rule is rule
    assert not result.interrupted
    assert result.closes
    ledger = read_ledger(run_dir / "ledger.parquet")
    assert ledger["skipped_aborted"].sum() == ledger["skipped"].sum() > 0
    assert ledger["started"].sum() > 0
    events = [json.loads(line) for line in (run_dir / "events.jsonl").read_text().splitlines()]
    told = was_aborted(ledger, events)
    assert told is not None
    assert told.rule == rule.id
    assert told.why == result.aborted.sentence


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_server_that_freezes_stops_the_run_although_nothing_ends_any_more(
    tmp_path: Path, server: tuple[psutil.Process, str], workers: int
) -> None:
    process, url = server
    run_dir = tmp_path / "run"
    freeze = at_offset(3.0, process.suspend)
    result = drive(aborted_plan(SLOW, workers=workers), run_dir=run_dir, url=url, on_start=freeze)
    check_account(run_dir, result, SLOW)
    assert result.aborted is not None
    # From the freeze: the limit, two windows and what the rule waits for. Then a busy machine.
    assert 3.0 < result.aborted.at_s < LONG_S / 2
    assert result.aborted.waiting > 0


def test_a_server_that_fails_stops_the_run_when_its_first_window_is_whole(
    tmp_path: Path, server: tuple[psutil.Process, str]
) -> None:
    run_dir = tmp_path / "run"
    result = drive(aborted_plan(ERRORS, operation="broken"), run_dir=run_dir, url=server[1])
    check_account(run_dir, result, ERRORS)


def test_a_healthy_run_goes_on_to_its_end_under_its_rules(
    tmp_path: Path, server: tuple[psutil.Process, str]
) -> None:
    plan = replace(aborted_plan(ERRORS, replace(SLOW, limit=9, unit="s")), duration_s=3.0)
    result = drive(plan, run_dir=tmp_path / "run", url=server[1])
    assert result.aborted is None
    assert read_ledger(tmp_path / "run" / "ledger.parquet")["skipped"].sum() == 0
