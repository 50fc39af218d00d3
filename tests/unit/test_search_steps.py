"""The parts of a search that touch the world, each alone: backlog, files, plans of probes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from palier.capacity.decision import surely_missed
from palier.capacity.evidence import Gate, Stretch, Tally
from palier.capacity.log import SearchLog
from palier.capacity.rules import make_rules
from palier.errors import ConfigError, RunFilesError, StackError
from palier.load.schedule import make_schedule
from palier.model.plan import at_rate
from palier.searchfiles import SearchFiles
from palier.selftest.trial import trial_plan
from palier.stack.ports import free_port
from palier.telemetry.backlog import Backlog

GATES = (Gate(id="late", allowed=0.05), Gate(id="wrong", allowed=0.01))


HELD_BACK_S = 1.5
FAST_S = 0.5


class Busy(BaseHTTPRequestHandler):
    """While ``free`` is not set the first request is held back, and frees the others."""

    free = threading.Event()

    def do_GET(self) -> None:
        if not self.free.wait(HELD_BACK_S):
            self.free.set()
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def busy_url() -> Iterator[str]:
    Busy.free.set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        Busy.free.set()
        server.shutdown()
        serving.join()


def test_a_system_whose_lone_requests_wait_is_not_at_rest_until_they_do_not(busy_url: str) -> None:
    with Backlog(busy_url, None, fast_s=FAST_S) as backlog:
        Busy.free.clear()
        assert "a lone request takes more than" in backlog.wait_until_gone(0)
        assert backlog.wait_until_gone(60) == ""


def test_a_service_that_does_not_answer_has_no_state_of_rest() -> None:
    with pytest.raises(StackError, match="no answer"):
        Backlog(f"http://127.0.0.1:{free_port()}", None, fast_s=1.0)


def test_probes_of_one_search_share_its_data_and_not_its_arrivals() -> None:
    plan = trial_plan(rate_per_s=10, duration_s=60, seed=7)
    first, second = (at_rate(plan, 50, warmup_s=2, judged_s=8, draw=number) for number in (1, 2))
    assert first.seed == second.seed == plan.seed
    assert (first.duration_s, first.warmup_s) == (10, 2)
    assert make_schedule(first).digest != make_schedule(second).digest
    assert make_schedule(first).digest == make_schedule(first).digest
    assert make_schedule(first).offered_per_s(2) == pytest.approx(50, rel=0.01)


def test_a_schedule_without_a_number_is_the_one_it_always_was() -> None:
    plan = trial_plan(rate_per_s=10, duration_s=10, seed=7)
    assert make_schedule(plan).digest == make_schedule(replace(plan, draw=0)).digest


def stretch(late: list[int]) -> Stretch:
    planned = (100,) * len(late)
    return Stretch(
        tallies={
            "late": Tally(planned=planned, missed=tuple(late)),
            "wrong": Tally(planned=planned, missed=(0,) * len(late)),
        }
    )


@pytest.mark.parametrize(
    ("late", "sick"),
    [
        pytest.param([4, 6, 5, 3, 7, 5, 4, 6, 5, 5], False, id="as much as is allowed"),
        pytest.param([9, 14, 10, 12, 13, 9, 11, 10, 12, 11], True, id="twice that, evenly"),
        pytest.param([100, 100, 100, 0, 0, 0, 0, 0, 0, 0], True, id="a backlog that stayed"),
        pytest.param([0, 0, 30, 0, 0, 0, 0, 0, 0, 0], False, id="one hiccup"),
    ],
)
def test_a_proof_of_health_sees_damage_and_not_chance(late: list[int], *, sick: bool) -> None:
    missed = surely_missed(GATES, stretch(late), error=0.005)
    assert [gate.id for gate in missed] == (["late"] if sick else [])


def test_rules_of_a_short_search_have_fewer_and_shorter_looks() -> None:
    long = make_rules(GATES, start_per_s=10, most_per_s=1000)
    assert (long.first_look_s, long.longest_probe_s, long.warmup_s) == (16, 1024, 5)
    short = make_rules(GATES, start_per_s=10, most_per_s=1000, longest_s=60)
    assert (short.first_look_s, short.longest_probe_s) == (8, 16)
    assert short.longest_probe_s <= short.longest_s / 3
    with pytest.raises(ConfigError, match="between"):
        make_rules(GATES, start_per_s=2000, most_per_s=1000)


def test_the_directory_of_a_search_never_writes_over_a_probe(tmp_path: Path) -> None:
    files = SearchFiles(tmp_path)
    assert files.new_probe() == (1, tmp_path / "probes" / "01")
    assert files.new_probe() == (2, tmp_path / "probes" / "02")
    log = SearchLog(rules=make_rules(GATES, start_per_s=10, most_per_s=1000))
    files.write_log(log)
    assert files.read_log() == log
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["search.json"]
    with pytest.raises(RunFilesError, match="not the directory of a search"):
        SearchFiles(tmp_path / "elsewhere").read_log()
