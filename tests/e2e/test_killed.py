"""kill -9 of each part of a run, and of Palier itself, in mid-load."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest
from command_line import CommandLine, Ended, Running, wait_for

from palier.load.archive import read_ledger
from palier.load.ledger import closes

pytestmark = pytest.mark.e2e

FAILED = 3

RUN = ("run", "lou-0", "--profile", "everyone", "--json", "--out", "run")


def application(running: Running) -> Sequence[psutil.Process]:
    """Granian's main process and its workers."""
    return running.processes("granian")


def postmaster(running: Running) -> Sequence[psutil.Process]:
    return running.processes("postgres", "-D") or running.processes("postgres", "--pgdata")


def database(running: Running) -> Sequence[psutil.Process]:
    """The postmaster and all its children."""
    return running.processes("postgres")


def check_failed_honestly(running: Running, ended: Ended, palier: CommandLine) -> None:
    """What failed is counted, the verdict is red, and nobody talks of a bug."""
    verdict = ended.document
    ledger, told = read_ledger(running.out / "ledger.parquet"), verdict["ledger"]
    assert ended.exit_code == FAILED, ended.stderr
    assert verdict["verdict"] == "FAIL"
    assert ended.told_no_traceback()
    assert ended.errors == []
    assert closes(ledger)
    assert told["planned"] == told["started"] + told["skipped"]
    assert told["failed"] + told["timed_out"] > 0
    assert told["succeeded"] > 0
    # An owner who cannot sign in asks for nothing more; every planned request is accounted for.
    lost = told["failed"] + told["timed_out"] + told["abandoned"] + told["skipped"]
    assert lost >= 0.25 * told["planned"]
    failing = [target for target in verdict["targets"] if target["verdict"] == "fail"]
    assert {"T-54", "T-67"} <= {target["id"] for target in failing}
    assert (running.out / "report.html").is_file()
    assert running.left() == []
    assert palier.stacks() == []


@pytest.mark.parametrize("part", [application, pytest.param(postmaster, marks=pytest.mark.slow)])
def test_a_killed_part_is_counted_as_failures_and_the_verdict_is_fail(
    palier: CommandLine, part: Callable[[Running], Sequence[psutil.Process]]
) -> None:
    running = palier.start(*RUN, "--duration", "7s")
    running.wait_for_load(3.0)

    victims = part(running)
    assert victims
    for victim in victims:
        victim.kill()

    check_failed_honestly(running, running.end(), palier)


@pytest.mark.slow
@pytest.mark.parametrize("part", [application, database])
def test_a_part_that_stands_still_to_the_end_is_counted_and_taken_down(
    palier: CommandLine, part: Callable[[Running], Sequence[psutil.Process]]
) -> None:
    running = palier.start(*RUN, "--duration", "8s")
    running.wait_for_load(3.0)

    for one in part(running):
        one.suspend()

    ended = running.end()
    check_failed_honestly(running, ended, palier)
    assert ended.document["ledger"]["timed_out"] > 0


@pytest.mark.slow
def test_a_killed_loader_makes_the_run_invalid_and_leaves_nothing(palier: CommandLine) -> None:
    running = palier.start(*RUN, "--duration", "8s", "--workers", "2")
    running.wait_for_load(2.0)

    victim = running.processes("locust", "--palier-worker 1")[0]
    victim.kill()

    ended = running.end()
    assert ended.exit_code == 4, ended.stderr
    assert ended.document["verdict"] == "INVALID"
    assert "loader 1" in " ".join(ended.document["reasons"])
    assert ended.told_no_traceback()
    assert running.left() == []
    assert palier.stacks() == []


def test_a_killed_palier_takes_its_children_along_and_the_next_command_removes_the_rest(
    palier: CommandLine,
) -> None:
    running = palier.start(*RUN, "--duration", "60s")
    running.wait_for_load(2.0)
    running.process.kill()
    running.process.wait()

    # The kernel and the end of their stdin tell them, without anybody's help.
    wait_for(lambda: not running.left(), "the end of every child", left=running.left())
    assert len(palier.stacks()) == 1

    assert palier.run("down").exit_code == 0
    assert palier.stacks() == []
    check_that_what_is_left_of_the_run_can_be_judged(running.out, palier)


def check_that_what_is_left_of_the_run_can_be_judged(run_dir: Path, palier: CommandLine) -> None:
    """The loaders' lines are enough for a partial report, which says what is missing."""
    ended = palier.run("report", run_dir)
    assert ended.told_no_traceback()
    assert ended.exit_code == 0, ended.stderr
    verdict = json.loads((run_dir / "verdict.json").read_text())
    assert verdict["interrupted"]
    assert verdict["verdict"] != "PASS"
    assert verdict["ledger"]["succeeded"] > 0
    page = (run_dir / "report.md").read_text()
    assert "killed before its archive was written" in page
    for name in ("ledger.parquet", "histograms.parquet", "telemetry.parquet", "events.jsonl"):
        assert f"no {name}" in page
