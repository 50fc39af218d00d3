"""Two runs of one seed at the same time: the same plan and data, and nothing else in common."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from command_line import CommandLine, Ended, Running

from palier.load.archive import read_ledger
from palier.load.ledger import closes

pytestmark = pytest.mark.e2e

RUN = ("run", "lou-0", "--profile", "everyone", "--duration", "5s", "--json", "--seed", "7")


@dataclass(frozen=True)
class One:
    running: Running
    ended: Ended

    def document(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.running.out / name).read_text())
        return found

    def planned(self) -> dict[tuple[int, str], int]:
        ledger = read_ledger(self.running.out / "ledger.parquet")
        rows = ledger[ledger["planned"] > 0]
        return {(row.second, row.operation): row.planned for row in rows.itertuples()}


def test_two_runs_side_by_side_share_a_seed_and_nothing_else(palier: CommandLine) -> None:
    both = [
        palier.start(*RUN, "--workers", workers, "--out", f"run-{workers}") for workers in (1, 2)
    ]
    both[0].wait_for(lambda: len(palier.stacks()) == 2, "two stacks at the same time")
    first, second = runs = [One(running, running.end()) for running in both]

    for one in runs:
        ledger = one.ended.document["ledger"]
        # A shared machine may make a run undecided; it must not make it fail.
        assert one.ended.exit_code in (0, 4), one.ended.stderr
        assert one.ended.told_no_traceback()
        assert closes(read_ledger(one.running.out / "ledger.parquet"))
        assert ledger["planned"] == ledger["started"] == ledger["succeeded"] > 10
        assert one.running.left() == []
    assert palier.stacks() == []

    plans = [one.document("plan.json") for one in runs]
    assert plans[0]["schedule_digest"] == plans[1]["schedule_digest"]
    assert first.planned() == second.planned()
    datasets = [one.document("environment.json")["dataset"] for one in runs]
    assert datasets[0]["checksum"] == datasets[1]["checksum"]
    assert datasets[0]["rows"] == datasets[1]["rows"]

    addresses = [said_address(one.ended) for one in runs]
    assert addresses[0] != addresses[1]
    logs = [(one.running.out / "stack" / "postgres.log").read_text() for one in runs]
    assert logs[0] != logs[1]
    assert sorted(path.name for path in second.running.loader_files()) == [
        "worker-0.jsonl",
        "worker-1.jsonl",
    ]


def said_address(ended: Ended) -> str:
    (line,) = [line for line in ended.stderr.splitlines() if "the application is ready at" in line]
    return line.rsplit(" ", 1)[1]


def test_the_schedule_is_that_of_the_seed_for_any_number_of_loaders(palier: CommandLine) -> None:
    def digest(*options: object) -> str:
        show = palier.run("show", "lou-2", "--duration", "60s", "--json", *options)
        return str(show.document["schedule_digest"])

    one = digest("--seed", 7)

    assert one == digest("--seed", 7, "--workers", 3)
    assert one != digest("--seed", 8)
