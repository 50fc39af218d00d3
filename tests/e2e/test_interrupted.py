"""Ctrl-C at every moment of a run: what was measured is kept, nothing else is left."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest
from command_line import CommandLine, Ended, Running

from palier.load.archive import read_ledger
from palier.load.ledger import closes

pytestmark = pytest.mark.e2e

INTERRUPTED = 130

RUN = ("run", "lou-0", "--profile", "everyone", "--duration", "60s", "--json", "--out", "run")


def check_partial(running: Running, ended: Ended, palier: CommandLine) -> None:
    """It kept and marked what it measured, and left nothing else."""
    run_dir = running.out
    verdict = ended.document
    ledger, told = read_ledger(run_dir / "ledger.parquet"), verdict["ledger"]
    assert ended.exit_code == INTERRUPTED, ended.stderr
    assert ended.told_no_traceback()
    assert ended.errors == []
    assert closes(ledger)
    assert told["planned"] == told["started"] + told["skipped"]
    assert told["started"] == sum(
        told[name] for name in ("succeeded", "failed", "timed_out", "abandoned")
    )
    assert told["succeeded"] > 0
    assert ledger["skipped_interrupted"].sum() == told["skipped"] > 0
    assert verdict == json.loads((run_dir / "verdict.json").read_text())
    assert verdict["verdict"] != "PASS"
    assert "interrupted" in " ".join(verdict["reasons"])
    for name in ("report.html", "report.md", "junit.xml"):
        assert "interrupted" in (run_dir / name).read_text().lower(), name
    events = [json.loads(line) for line in (run_dir / "events.jsonl").read_text().splitlines()]
    assert [event for event in events if event["name"] == "interrupted"]
    assert running.left() == []
    assert palier.stacks() == []


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(Running.ctrl_c, id="process group"),
        pytest.param(
            lambda running: running.signal(signal.SIGINT),
            id="process alone",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda running: running.signal(signal.SIGTERM), id="SIGTERM", marks=pytest.mark.slow
        ),
    ],
)
def test_ctrl_c_in_mid_load_keeps_what_was_measured_and_says_that_it_is_partial(
    palier: CommandLine, stop: Callable[[Running], None]
) -> None:
    running = palier.start(*RUN)
    running.wait_for_load(2.0)

    stop(running)

    check_partial(running, running.end(), palier)


@pytest.mark.slow
def test_a_second_ctrl_c_ends_the_loaders_at_once_and_leaves_nothing(palier: CommandLine) -> None:
    running = palier.start(*RUN)
    running.wait_for_load(2.0)
    # A loader that stands still cannot write its last line, so the first Ctrl-C has to wait.
    (loader,) = running.processes("locust")
    loader.suspend()
    running.ctrl_c()

    # Another signal than the first, which the kernel would merge with one that is still pending.
    running.signal(signal.SIGTERM)

    ended = running.end()
    assert ended.exit_code == INTERRUPTED, ended.stderr
    assert ended.told_no_traceback()
    assert running.left() == []
    assert palier.stacks() == []
    # What the loader did not report is missing, and nobody says otherwise.
    assert ended.document["verdict"] == "INVALID"
    assert ended.document["ledger"]["succeeded"] > 0


@pytest.mark.parametrize(
    "words",
    [
        "starting PostgreSQL",
        pytest.param("creating the tables", marks=pytest.mark.slow),
        "writing the data",
        pytest.param("building constraints", marks=pytest.mark.slow),
        pytest.param("starting the application", marks=pytest.mark.slow),
        pytest.param("sending", marks=pytest.mark.slow),
        pytest.param("taking the stack down", marks=pytest.mark.slow),
    ],
)
def test_ctrl_c_before_and_after_the_load_says_one_line_and_leaves_nothing(
    palier: CommandLine, words: str
) -> None:
    running = palier.start("run", "lou-0", "--duration", "1s", "--out", "run")
    running.wait_for_words(words)

    running.ctrl_c()

    ended = running.end()
    assert ended.exit_code == INTERRUPTED, ended.stderr
    assert ended.told_no_traceback()
    assert ended.stderr.splitlines()[-1] == "interrupted"
    assert ended.stderr.count("interrupted") == 1
    assert running.left() == []
    assert palier.stacks() == []


@pytest.mark.slow
def test_ctrl_c_while_data_is_written_ends_the_seed_at_once(palier: CommandLine) -> None:
    here_only = ("cache=none", "sync=inline", "reads=primary", "web_cache=false")
    sets = [word for switch in here_only for word in ("--set", switch)]
    running = palier.start("run", "lou-5", *sets, "--out", "run")
    running.wait_for_words("rows/s")

    running.ctrl_c()

    ended = running.end()
    assert ended.exit_code == INTERRUPTED, ended.stderr
    assert ended.told_no_traceback()
    assert "building constraints" not in ended.stderr
    assert ended.stderr.splitlines()[-1] == "interrupted"
    assert running.left() == []
    assert palier.stacks() == []
