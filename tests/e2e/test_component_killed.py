"""kill -9 of a component of a higher tier, in mid-load: no number passes for the tier's."""

from __future__ import annotations

import json

import pytest
from command_line import CommandLine

pytestmark = pytest.mark.e2e

INVALID = 4

RUN = ("run", "lou-0", "--profile", "everyone", "--duration", "8s", "--json", "--out", "run")


def test_a_run_that_lost_its_cache_is_unfit_although_every_request_succeeded(
    palier: CommandLine,
) -> None:
    running = palier.start(*RUN, "--set", "cache=redis")
    running.wait_for_load(3.0)

    (server,) = running.processes("redis-server")
    server.kill()

    ended = running.end()
    assert ended.exit_code == INVALID, ended.stderr
    assert ended.document["verdict"] == "INVALID"
    assert "redis ended with signal 9" in " ".join(ended.document["reasons"])
    assert ended.document["ledger"]["failed"] == 0
    lines = (running.out / "events.jsonl").read_text().splitlines()
    (event,) = [e for e in map(json.loads, lines) if e["kind"] == "component"]
    assert event["component"] == "redis"
    assert "redis ended with signal 9" in (running.out / "report.md").read_text()
    assert ended.told_no_traceback()
    assert running.left() == []
    assert palier.stacks() == []
