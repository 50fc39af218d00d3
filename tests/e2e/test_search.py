"""`palier search` as a user starts it, against a server with a known law; cut off, and resumed."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine, Running, wait_for

from palier.capacity.answer import Answer
from palier.capacity.log import SearchLog, log_from_json
from palier.capacity.search import Drain, Measure, drained, next_step, proved
from palier.selftest.known_server import known_server

# Seconds of load take their time; on a busy machine a stretch is measured up to three times.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

INTERRUPTED, UNDECIDED = 130, 4

LONG_S = 300.0
"""Three stretches of 20 s on a machine that does something else, too; no measurement."""

# The limit is long: a generator may be late by a part of it, and a busy machine makes it so.
TIERS = """
systems:
  known:
    title: A server with a known law
    scenario: scenarios/known_law.py
    journeys:
      look:
        title: One request
        weight: 1
        steps:
          - {operation: look}
    tiers:
      known-law:
        title: Answers after five milliseconds, always
        url: http://127.0.0.1:1
        load: {users: 100, requests_per_s: 30}
        targets:
          late:
            role: gate
            title: Answers are fast
            metric: response_time
            percentile: 0.95
            comparator: "<"
            limit: 4
            unit: s
          largest:
            role: gate
            title: No answer is slow
            metric: response_time_max
            comparator: "<"
            limit: 2
            unit: s
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A server that answers everything after five milliseconds, whatever is asked of it."""
    with known_server(tmp_path / "answers.npy", ["--law", "constant:5ms"]) as server:
        yield server.url


def start(palier: CommandLine, url: str, *options: str) -> Running:
    tiers = palier.folder / "known.yaml"
    tiers.write_text(TIERS, encoding="utf-8")
    where = ("--tiers", str(tiers), "--url", url, "--out", "search")
    return palier.start("search", "known-law", *where, *options)


def log_of(running: Running) -> SearchLog:
    return log_from_json(json.loads((running.out / "search.json").read_text()))


def wait_for_a_decision(running: Running) -> None:
    """Until a probe is decided; a stretch that was no evidence is measured again before."""

    def decided() -> bool:
        return (running.out / "search.json").exists() and any(
            decision.outcome in ("pass", "fail") for decision in log_of(running).decisions()
        )

    wait_for(decided, "a probe that is decided", LONG_S)


def asked_for(log: SearchLog, number: int) -> float:
    """The rate that the search wants for a probe, from the ones before it alone."""
    before = SearchLog(rules=log.rules, probes=log.probes[:number])
    step = next_step(before)
    if isinstance(step, Drain):
        before = drained(before)
        step = next_step(before)
    if not isinstance(step, Measure | Answer):
        step = next_step(proved(before, healthy=True))
    assert isinstance(step, Measure)
    return step.rate_per_s


def test_a_system_that_never_fails_is_not_said_to_have_a_capacity(
    palier: CommandLine, url: str
) -> None:
    ended = start(palier, url, "--most", "30", "--longest", "24s", "--json").end(LONG_S)

    # On a machine too busy to measure, or to decide, the answer is an open interval as well.
    assert ended.exit_code == UNDECIDED, ended.stderr
    assert ended.told_no_traceback()
    answer: dict[str, Any] = ended.document
    assert answer["end"] in ("never_fails", "measurement_unfit", "time_used_up"), answer
    assert answer["high"] is None
    assert answer["low"] in (30, None)
    assert [one["id"] for one in answer["left_out"]] == ["largest"]
    assert answer == json.loads((palier.folder / "search" / "answer.json").read_text())
    assert "30" in (palier.folder / "search" / "report.md").read_text()
    for run in answer["each"][0]["runs"]:
        assert (palier.folder / "search" / "probes" / run / "ledger.parquet").is_file()


@pytest.mark.slow
def test_a_search_that_was_killed_goes_on_from_its_log_as_if_it_had_not_been(
    palier: CommandLine, url: str
) -> None:
    running = start(palier, url, "--most", "60", "--longest", "48s")
    wait_for_a_decision(running)
    probes = running.out / "probes"
    runs = len(list(probes.iterdir()))
    wait_for(
        lambda: len(list(probes.glob("*/load/worker-0.jsonl"))) > runs,
        "load after the first decision",
        LONG_S,
    )
    running.signal(signal.SIGKILL)
    running.end()
    before = log_of(running)
    assert not isinstance(next_step(before), Answer)

    ended = palier.start("search", "--resume", "search", "--longest", "50s", "--json").end(LONG_S)

    assert ended.exit_code == UNDECIDED, ended.stderr
    assert ended.told_no_traceback()
    after = log_of(running)
    assert (before.rules.longest_s, after.rules.longest_s) == (48, 50)
    kept = before.resumed().probes
    assert [one.stretches for one in after.probes[: len(kept)]] == [one.stretches for one in kept]
    assert len(after.probes) > len(kept)
    assert [one.rate_per_s for one in after.probes] == pytest.approx(
        [asked_for(after, number) for number in range(len(after.probes))]
    )
    assert ended.document["end"] in ("never_fails", "measurement_unfit", "time_used_up")
    runs = [stretch.run for probe in after.probes for stretch in probe.stretches]
    assert len(set(runs)) == len(runs)


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_known_and_says_how_to_go_on(palier: CommandLine, url: str) -> None:
    running = start(palier, url, "--most", "120", "--longest", "2m", "--json")
    wait_for_a_decision(running)

    running.ctrl_c()

    ended = running.end(LONG_S)
    assert ended.exit_code == INTERRUPTED, ended.stderr
    assert ended.told_no_traceback()
    answer = ended.document
    assert answer["end"] == "interrupted"
    assert answer["low"] == 30
    assert "--resume" in ended.stderr
    assert "interrupted" in (running.out / "report.md").read_text()
    assert running.left() == []
