"""The load engine against a real server that behaves, misbehaves and stands still."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from palier.errors import LoadError
from palier.load.archive import read_histograms, read_ledger
from palier.load.driver import drive
from palier.load.histogram import bucket_middles_s
from palier.load.ledger import closes
from palier.load.progress import Progress
from palier.model.plan import RunPlan
from palier.model.plan_json import plan_as_json

SUPPORT = Path(__file__).parent.parent / "support"
sys.path.insert(0, str(SUPPORT))

from load_plans import SCENARIO, journey, plan_of  # noqa: E402

DEADLINE_S = 20.0


@dataclass(frozen=True)
class Server:
    process: psutil.Process
    url: str
    log: Path

    def requests(self) -> Counter[str]:
        return Counter(self.log.read_text().split("\n")[:-1])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    log = tmp_path / "server.log"
    child = subprocess.Popen(
        [sys.executable, str(SUPPORT / "load_server.py"), str(log)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child:
        port = int(child.stdout.readline())
        yield Server(psutil.Process(child.pid), f"http://127.0.0.1:{port}", log)
        child.kill()


def totals(run_dir: Path, operation: str | None = None) -> dict[str, int]:
    ledger = read_ledger(run_dir / "ledger.parquet")
    if operation is not None:
        ledger = ledger[ledger["operation"] == operation]
    return {name: int(n) for name, n in ledger.sum(numeric_only=True).items() if n}


def events(run_dir: Path, name: str) -> list[dict[str, object]]:
    lines = (run_dir / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["name"] == name]


def exemplars(run_dir: Path, operation: str) -> list[dict[str, object]]:
    lines = (run_dir / "exemplars.jsonl").read_text().splitlines()
    return [one for one in map(json.loads, lines) if one["operation"] == operation]


def recorded(run_dir: Path, clock: str, *outcomes: str) -> pd.DataFrame:
    rows = read_histograms(run_dir / "histograms.parquet")
    return rows[(rows["clock"] == clock) & rows["outcome"].isin(outcomes)]


def percentile_s(rows: pd.DataFrame, fraction: float) -> float:
    """Smallest recorded duration that at least ``fraction`` of the requests do not exceed."""
    counts = rows.groupby("bucket")["count"].sum()
    at = np.searchsorted(np.cumsum(counts.to_numpy()), fraction * counts.sum())
    return float(bucket_middles_s(counts.index.to_numpy(np.int64)[at : at + 1])[0])


def at_offset(offset_s: float, act: Callable[[], object]) -> Callable[..., None]:
    """For ``on_start``: do something so long after t0."""

    def on_start(t0: float, _pids: tuple[int, ...]) -> None:
        threading.Timer(t0 + offset_s - time.monotonic(), act).start()

    return on_start


def test_a_run_sends_exactly_what_was_planned_and_says_so(tmp_path: Path, server: Server) -> None:
    run_dir = tmp_path / "run"
    seen: list[Progress] = []
    plan = plan_of(requests_per_s=200, duration_s=2)

    result = drive(plan, run_dir=run_dir, url=server.url, on_progress=seen.append)

    sums = totals(run_dir)
    assert result.closes
    assert closes(read_ledger(run_dir / "ledger.parquet"))
    assert sums["planned"] == sums["started"] == sums["succeeded"]
    assert sums["planned"] == pytest.approx(400, rel=0.25)
    assert result.observations == {"page_rows_max": 3}
    assert not result.interrupted
    assert result.lost_workers == ()
    # The server saw these, and what the sessions in progress at t0 had done before.
    (lead_in,) = events(run_dir, "lead_in")
    assert sum(server.requests().values()) == sums["started"] + lead_in["requests"]
    assert recorded(run_dir, "response", "succeeded")["count"].sum() == sums["succeeded"]
    assert seen[0].planned == sums["planned"]
    assert seen[0].achieved_per_s > 0
    assert seen[0].p95_s is not None


def test_every_way_to_fail_is_told_apart_and_nothing_is_sent_twice(
    tmp_path: Path, server: Server
) -> None:
    names = (
        *("broken", "wrong", "cut", "close", "reset", "twice", "nothing", "buggy"),
        *("freeze", "half", "unfinished"),
    )
    run_dir = tmp_path / "run"
    plan = plan_of(
        *(journey("enter", name, "look", think_s=0.02, id_=name) for name in names),
        journey("enter", "refused", "look", think_s=0.02, id_="refused"),
        requests_per_s=150,
        duration_s=2,
        request_timeout_s=0.4,
    )

    result = drive(plan, run_dir=run_dir, url=server.url)

    assert result.closes
    messages = {
        "broken": "status 500 instead of 200",
        "refused": "status 401 instead of 200",
        "wrong": "the body is not JSON",
        "cut": "no whole answer",
        "close": "no whole answer",
        "reset": "no whole answer",
        "twice": "more than one request",
        "nothing": "makes no request",
        "buggy": "KeyError",
    }
    for name, message in messages.items():
        sums = totals(run_dir, name)
        assert sums["planned"] == sums["started"] == sums["failed"] > 0, name
        assert message in str(exemplars(run_dir, name)[0]["message"])
    for name in ("freeze", "half"):
        sums = totals(run_dir, name)
        assert sums["planned"] == sums["started"] == sums["timed_out"] > 0, name
        slowest = exemplars(run_dir, name)[0]
        assert 0.4 <= float(str(slowest["service_s"])) < 0.8
    sums = totals(run_dir, "unfinished")
    assert sums["planned"] == sums["skipped_session_aborted"] > 0
    # Only a refused session ends early; the others go on.
    looks = totals(run_dir, "look")
    refusals = totals(run_dir, "refused")["failed"]
    assert 0 < looks["skipped_session_aborted"] <= refusals
    assert looks["succeeded"] == looks["planned"] - looks["skipped_session_aborted"]
    # A client that tries again in silence would hide a server that closes connections.
    (lead_in,) = events(run_dir, "lead_in")
    arrived = server.requests()
    for name in ("close", "reset"):
        started = totals(run_dir, name)["started"]
        assert started <= arrived[f"GET /{name}"] <= started + int(str(lead_in["requests"]))
    assert exemplars(run_dir, "broken")[0]["request_id"] == "r-1"


def test_a_stall_is_reported_as_an_independent_log_of_the_requests_has_it(
    tmp_path: Path, server: Server
) -> None:
    """p95 and p99 within 2 % of what the raw log gives, and far above the service time."""
    run_dir = tmp_path / "run"
    plan = plan_of(requests_per_s=200, duration_s=4, request_timeout_s=5)

    def freeze() -> None:
        server.process.suspend()
        threading.Timer(1.0, server.process.resume).start()

    result = drive(plan, run_dir=run_dir, url=server.url, on_start=at_offset(1.5, freeze), raw=True)

    raw = pd.read_csv(run_dir / "load" / "raw-0.csv")
    truth_s = np.sort((raw["ended_us"] - raw["intended_us"]).to_numpy() / 1e6)
    rows = recorded(run_dir, "response", "succeeded")
    assert result.closes
    assert rows["count"].sum() == len(raw) == totals(run_dir)["started"]
    for fraction in (0.95, 0.99):
        exact_s = truth_s[int(np.ceil(fraction * len(truth_s))) - 1]
        assert percentile_s(rows, fraction) == pytest.approx(exact_s, rel=0.02)
    assert percentile_s(rows, 0.95) > 0.3
    assert percentile_s(recorded(run_dir, "generator_lag", "succeeded"), 0.95) < 0.1


def test_a_server_that_stands_still_at_the_end_leaves_no_request_uncounted(
    tmp_path: Path, server: Server
) -> None:
    run_dir = tmp_path / "run"
    plan = plan_of(requests_per_s=100, duration_s=2, request_timeout_s=5, drain_s=0.7)

    result = drive(
        plan, run_dir=run_dir, url=server.url, on_start=at_offset(1.2, server.process.suspend)
    )
    server.process.resume()

    sums = totals(run_dir)
    assert result.closes
    assert sums["abandoned"] > 10
    assert sums["skipped_end_of_run"] > 10
    censored = recorded(run_dir, "response", "abandoned", "skipped")
    assert censored["count"].sum() == sums["abandoned"] + sums["skipped"]
    # Sent at 1.2 s and given up at 2.7 s: known to have taken at least that long.
    longest_s = bucket_middles_s(censored["bucket"].to_numpy(np.int64)).max()
    assert 1.2 < longest_s < 1.8


def test_waiting_for_a_session_is_charged_to_the_system_not_to_the_generator(
    tmp_path: Path, server: Server
) -> None:
    """Two sessions of 0.1 s serve 20 of the 60 that arrive each second."""
    run_dir = tmp_path / "run"
    plan = plan_of(
        journey("slow"), requests_per_s=60, duration_s=1.5, request_timeout_s=0.5, max_sessions=2
    )

    result = drive(plan, run_dir=run_dir, url=server.url)

    sums = totals(run_dir)
    assert result.closes
    assert sums["skipped_no_free_session"] > 15
    assert sums["succeeded"] > 15
    waits = recorded(run_dir, "response", "skipped")
    assert waits["count"].sum() == sums["skipped"]
    assert percentile_s(waits, 0.01) > 0.49
    assert percentile_s(recorded(run_dir, "lag", "succeeded"), 0.5) > 0.2
    assert percentile_s(recorded(run_dir, "generator_lag", "succeeded"), 0.5) < 0.05


def test_a_generator_out_of_open_files_is_lost_and_does_not_blame_the_system(
    tmp_path: Path, server: Server
) -> None:
    run_dir = tmp_path / "run"
    plan = plan_of(journey("slow"), requests_per_s=300, duration_s=2)

    def leave_few_files(_t0: float, pids: tuple[int, ...]) -> None:
        for pid in pids:
            used = psutil.Process(pid).num_fds()
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 4, used + 4))

    result = drive(plan, run_dir=run_dir, url=server.url, on_start=leave_few_files)

    assert result.lost_workers == (0,)
    assert result.closes  # it could still say what became of everything, and why it ended
    assert "failed" not in totals(run_dir)
    lines = (run_dir / "load" / "worker-0.jsonl").read_text().splitlines()
    assert "Too many open files" in json.loads(lines[-1])["health"]["own_error"]


def test_workers_share_the_sessions_and_a_killed_one_is_seen(
    tmp_path: Path, server: Server
) -> None:
    run_dir = tmp_path / "run"
    plan = plan_of(requests_per_s=100, duration_s=3.5, workers=2)
    killed: list[int] = []

    def on_start(t0: float, pids: tuple[int, ...]) -> None:
        victim = next(p for p in pids if "--palier-worker 1" in " ".join(cmdline(p)))
        killed.append(victim)
        threading.Timer(t0 + 2.5 - time.monotonic(), os.kill, (victim, signal.SIGKILL)).start()

    result = drive(plan, run_dir=run_dir, url=server.url, on_start=on_start)

    ledger = read_ledger(run_dir / "ledger.parquet")
    assert result.lost_workers == (1,)
    assert killed
    (lost,) = events(run_dir, "worker_lost")
    assert (lost["worker"], lost["exit_code"]) == (1, -signal.SIGKILL)
    # What it had reported is kept; of the rest nobody knows anything, and that is said in numbers.
    assert result.closes
    reported = [started_in_lines(run_dir, worker) for worker in (0, 1)]
    assert all(reported)
    assert ledger["started"].sum() == sum(reported)
    assert ledger["skipped_worker_lost"].sum() >= int(str(lost["unknown"])) > 0


def started_in_lines(run_dir: Path, worker: int) -> int:
    """Requests that a loader has reported as started."""
    lines = (run_dir / "load" / f"worker-{worker}.jsonl").read_text().splitlines()
    return sum(
        counts.get("started", 0)
        for line in lines
        for _second, _operation, counts in json.loads(line)["ledger"]
    )


def cmdline(pid: int) -> list[str]:
    return psutil.Process(pid).cmdline()


DRIVE = """
import json, sys
from pathlib import Path
from palier.load.driver import drive
from palier.model.plan_json import plan_from_json

run_dir = Path(sys.argv[1])
plan = plan_from_json(json.loads((run_dir / "plan.json").read_text()))
result = drive(plan, run_dir=run_dir, url=sys.argv[2],
               on_start=lambda t0, pids: print(json.dumps(pids), flush=True))
print(json.dumps([result.interrupted, result.closes]), flush=True)
"""


def drive_elsewhere(plan: RunPlan, run_dir: Path, url: str) -> subprocess.Popen[str]:
    run_dir.mkdir()
    (run_dir / "plan.json").write_text(json.dumps(plan_as_json(plan)))
    return subprocess.Popen(
        [sys.executable, "-c", DRIVE, str(run_dir), url], stdout=subprocess.PIPE, text=True
    )


def wait_until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not fact():
        assert time.monotonic() < deadline, "the fact did not come true"
        time.sleep(0.02)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_run_keeps_what_it_measured_and_accounts_for_the_rest(
    tmp_path: Path, server: Server, workers: int
) -> None:
    run_dir = tmp_path / "run"
    plan = plan_of(requests_per_s=100, duration_s=60, workers=workers)
    with drive_elsewhere(plan, run_dir, server.url) as driver:
        assert driver.stdout is not None
        pids = json.loads(driver.stdout.readline())
        lines = run_dir / "load" / f"worker-{workers - 1}.jsonl"
        wait_until(lambda: lines.exists() and lines.read_text().count("\n") >= 1)

        driver.send_signal(signal.SIGINT)

        assert json.loads(driver.stdout.readline()) == [True, True]
        assert driver.wait(DEADLINE_S) == 0
    sums = totals(run_dir)
    assert sums["succeeded"] > 20
    assert sums["skipped_interrupted"] == sums["skipped"] > 5000
    assert events(run_dir, "interrupted")
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_loaders_end_when_their_driver_is_killed(tmp_path: Path, server: Server) -> None:
    run_dir = tmp_path / "run"
    plan = plan_of(requests_per_s=50, duration_s=60)
    with drive_elsewhere(plan, run_dir, server.url) as driver:
        assert driver.stdout is not None
        pids = json.loads(driver.stdout.readline())
        lines = run_dir / "load" / "worker-0.jsonl"
        wait_until(lambda: lines.exists() and lines.read_text().count("\n") >= 1)

        driver.kill()

        wait_until(lambda: not any(running(pid) for pid in pids))
    assert json.loads(lines.read_text().splitlines()[-1])["final"]


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_scenario_without_a_needed_operation_is_named_before_anything_is_sent(
    tmp_path: Path, server: Server
) -> None:
    plan = plan_of(journey("enter", "fly"))
    with pytest.raises(LoadError, match="Visitor has no operation fly"):
        drive(plan, run_dir=tmp_path / "run", url=server.url)
    assert not server.requests()


def test_a_scenario_that_cannot_be_imported_shows_the_end_of_its_log(tmp_path: Path) -> None:
    scenario = tmp_path / "broken.py"
    scenario.write_text("import no_such_module\n")
    plan = plan_of()
    broken = type(plan)(
        **{name: getattr(plan, name) for name in plan.__slots__} | {"scenario": str(scenario)}
    )
    with pytest.raises(LoadError, match="No module named 'no_such_module'"):
        drive(broken, run_dir=tmp_path / "run", url="http://127.0.0.1:9")


def test_a_scenario_is_a_plain_locustfile_too(server: Server) -> None:
    """Without our flags: closed-loop users walk the journeys, Locust counts."""
    argv = [
        *(sys.executable, "-m", "locust", "-f", str(SCENARIO), "--host", server.url),
        *("--headless", "-u", "5", "-r", "100", "--json", "--loglevel", "ERROR"),
    ]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as locust:
        # Not `-t 1s`: a busy machine may need the second to start.
        wait_until(lambda: server.requests()["GET /ok"] > 5)
        locust.send_signal(signal.SIGINT)
        printed, _ = locust.communicate(timeout=DEADLINE_S)

    stats = {entry["name"]: entry for entry in json.loads(printed)}
    assert locust.returncode == 0
    assert stats.keys() == {"enter", "look"}
    assert stats["look"]["num_requests"] > 5
    assert stats["look"]["num_failures"] == 0


def test_listeners_of_locusts_request_event_and_its_own_client_work_as_ever(
    tmp_path: Path, server: Server
) -> None:
    """Every request is told of once, with the arguments that FastHttpUser gives."""
    heard = tmp_path / "heard.jsonl"
    locustfile = tmp_path / "listening.py"
    locustfile.write_text(
        f"""
import json
from locust import events
from palier.model.journey import Journey, Step
from scenarios.operation import operation
from scenarios.visitor import JourneyUser

@events.request.add_listener
def hear(request_type, name, response_time, response_length, response, context, exception,
         start_time, url, **more):
    assert not more
    assert response_time >= 0
    assert start_time > 1e9
    line = [request_type, name, response_length, response.status_code, context,
            str(exception or ""), url.split("/", 3)[3], response.text[:8]]
    with open({str(heard)!r}, "a") as file:
        file.write(json.dumps(line) + "\\n")

class Visitor(JourneyUser):
    journeys = (Journey(id="J", title="J", steps=tuple(
        Step(operation=name) for name in ("look", "lost", "close", "beside"))),)

    def context(self):
        return {{"who": self.tenant >= 0}}

    @operation
    def look(self):
        self.call("GET", "/ok")

    @operation
    def lost(self):
        self.call("GET", "/status/302")

    @operation
    def close(self):
        self.call("GET", "/close")

    @operation
    def beside(self):
        self.client.get("/ok", name="of Locust's client")
        self.call("POST", "/ok", body={{}})
"""
    )
    argv = [
        *(sys.executable, "-m", "locust", "-f", str(locustfile), "--host", server.url),
        *("--headless", "-u", "1", "--loglevel", "ERROR", "--only-summary"),
    ]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as locust:
        try:
            wait_until(lambda: heard.exists() and heard.read_text().count("\n") >= 5)
        finally:
            locust.kill()

    lines = [json.loads(line) for line in heard.read_text().splitlines()[:5]]
    who = {"who": True}
    gone = "no whole answer: the connection was closed before it"
    moved = "status 302 instead of 200: redirects are not followed"
    assert lines == [
        ["GET", "look", 29, 200, who, "", "ok", '{"items"'],
        ["GET", "lost", 29, 302, who, moved, "status/302", '{"items"'],
        ["GET", "close", 0, 0, who, gone, "close", ""],
        ["GET", "of Locust's client", 29, 200, who, "", "ok", '{"items"'],
        ["POST", "beside", 29, 200, who, "", "ok", '{"items"'],
    ]
