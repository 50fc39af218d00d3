"""Users of a closed load against a real server: they wait, and what that leaves out is counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from palier.load.archive import read_ledger
from palier.load.driver import drive
from palier.load.ledger import closes
from palier.model.profile import Loop

SUPPORT = Path(__file__).parent.parent / "support"
sys.path.insert(0, str(SUPPORT))

from load_plans import SCENARIO, journey, plan_of  # noqa: E402
from test_load_engine import Server, recorded, server, totals  # noqa: E402, F401


def loop(users: int, **more: object) -> Loop:
    return Loop(users=users, journey="J", **{"pause_s": 0.1, "starts": "together"} | more)


def test_users_who_need_not_wait_ask_for_nearly_all_they_can(
    tmp_path: Path,
    server: Server,  # noqa: F811
) -> None:
    run_dir = tmp_path / "run"
    plan = plan_of(journey("enter", "look", think_s=0.1), duration_s=3, loop=loop(10, pause_s=0.4))

    result = drive(plan, run_dir=run_dir, url=server.url)

    sums = totals(run_dir)
    assert result.closes
    assert sums["planned"] == 10 * 2 * 6
    assert sums["started"] == sums["succeeded"] == sums["planned"] - sums.get("skipped", 0)
    assert sums.get("skipped", 0) == sums.get("skipped_user_busy", 0) <= 20
    assert sum(server.requests().values()) == sums["started"]


def test_what_waiting_users_leave_out_is_counted_in_the_second_in_which_it_was_left_out(
    tmp_path: Path,
    server: Server,  # noqa: F811
) -> None:
    """Answers of 100 ms after pauses of 100 ms: users ask for half of what they could."""
    run_dir = tmp_path / "run"
    plan = plan_of(journey("slow"), duration_s=4, workers=2, loop=loop(10))

    result = drive(plan, run_dir=run_dir, url=server.url)

    ledger = read_ledger(run_dir / "ledger.parquet")
    sums = totals(run_dir)
    assert result.closes
    assert closes(ledger)
    assert sums["planned"] == 400
    assert sums["started"] == pytest.approx(200, rel=0.1)
    assert sums["skipped_user_busy"] == sums["skipped"] == 400 - sums["started"]
    # Not at the end, where the plan would run out, but all along.
    by_second = ledger.groupby("second")["skipped_user_busy"].sum()
    assert by_second.min() >= 35
    assert by_second.max() <= 65
    # A user pauses after the answer, so none of the wait is a late start.
    assert recorded(run_dir, "lag", "succeeded")["count"].sum() == sums["started"]


@pytest.mark.parametrize("once", [0, 1])
def test_each_time_around_is_a_visit_of_its_own(
    tmp_path: Path,
    server: Server,  # noqa: F811
    once: int,
) -> None:
    plan = plan_of(
        journey("enter", "say_who", think_s=0.1), duration_s=2, loop=loop(5, pause_s=0.2, once=once)
    )

    drive(plan, run_dir=tmp_path / "run", url=server.url)

    told = server.requests()
    entered = told.pop("POST /ok")
    assert entered == 5 if once else entered >= 20
    assert len(told) >= 20
    assert set(told.values()) == {1}


def test_a_user_whose_sign_in_fails_comes_around_again(
    tmp_path: Path,
    server: Server,  # noqa: F811
) -> None:
    run_dir = tmp_path / "run"
    plan = plan_of(journey("refused", "look", think_s=0.1), duration_s=2, loop=loop(5, pause_s=0.4))

    result = drive(plan, run_dir=run_dir, url=server.url)

    assert result.closes
    failed, left_out = totals(run_dir, "refused"), totals(run_dir, "look")
    assert failed["failed"] == failed["started"] >= 15
    assert left_out["skipped_session_aborted"] == failed["failed"]
    assert "started" not in left_out
    assert server.requests() == {"GET /status/401": failed["started"]}


def test_users_of_a_frozen_server_wait_and_are_not_charged_with_what_they_never_asked(
    tmp_path: Path,
    server: Server,  # noqa: F811
) -> None:
    run_dir = tmp_path / "run"
    plan = plan_of(journey("freeze"), duration_s=1.5, request_timeout_s=60, loop=loop(3))

    result = drive(plan, run_dir=run_dir, url=server.url)

    sums = totals(run_dir)
    assert result.closes
    assert sums["planned"] == 45
    assert sums["started"] == sums["abandoned"] == 3
    assert sums["skipped_user_busy"] == 42


def test_plain_locust_walks_a_closed_profile_too(
    tmp_path: Path,
    server: Server,  # noqa: F811
) -> None:
    """Six users for two seconds in a loop of half a second, who enter once each."""
    tiers = tmp_path / "tiers.yaml"
    tiers.write_text("""\
profiles:
  six:
    title: Six users
    duration_s: 4
    warmup_s: 0
    staged: {start: 1, stages: [{duration_s: 4, to: 1}]}
    loop: {users: 6, journey: J, pause_s: 0.45, once: 1}
systems:
  any:
    scenario: x.py
    journeys: {J: {title: Any, steps: [{operation: enter}]}}
    tiers: {small: {url: "http://127.0.0.1:1", load: {users: 5}}}
""")
    argv = [
        *(sys.executable, "-m", "locust", "-f", str(SCENARIO), "--host", server.url),
        *("--headless", "--json", "--loglevel", "ERROR"),
        *("--palier-tiers", str(tiers), "--palier-profile", "six"),
    ]

    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True)

    stats = {entry["name"]: entry for entry in json.loads(done.stdout)}
    assert stats["enter"]["num_requests"] == 6
    assert 12 < stats["look"]["num_requests"] <= 6 * 9
    refused = subprocess.run([*argv[:-1], "steady"], capture_output=True, text=True, timeout=30)
    assert refused.returncode != 0
    assert "profile steady is an open load" in refused.stdout + refused.stderr
