"""A service that stands still: what a user would have waited is what the report says.

Two logs that the load engine has no part in tell what is right. The intended starts are those of
the schedule, a value that exists before the run. The ends are noted by the service itself, on the
machine's monotonic clock. The engine's own raw samples must agree with both.
"""

from __future__ import annotations

import csv
import dataclasses
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
from command_line import CommandLine
from numpy.typing import NDArray

from palier.load.driver import LoadResult, drive
from palier.load.schedule import Schedule, make_schedule
from palier.model.parse import load_catalogue
from palier.model.plan import RunPlan, make_plan
from palier.run import conclude
from palier.runfiles import RunFiles, read_findings

pytestmark = pytest.mark.e2e

SUPPORT = Path(__file__).resolve().parents[1] / "support"

TIERS = """\
systems:
  clocked:
    title: A service that answers at once
    scenario: {scenario}
    journeys:
      one: {{title: One request, weight: 1, steps: [{{operation: look}}]}}
    tiers:
      clocked-200:
        title: 200 requests a second
        url: http://127.0.0.1:1
        load: {{users: 200, requests_per_s: 200}}
        targets:
          p95:
            role: gate
            title: Fast
            metric: response_time
            percentile: 0.95
            comparator: "<"
            limit: 300
            unit: ms
          errors:
            role: gate
            title: Right
            metric: error_ratio
            comparator: "<"
            limit: 1
            unit: "%"
"""

LAST_S = 5.0
"""The issue's freeze at the end of a run."""

TOLERANCE = 0.02
"""Of the value: what the issue grants a reported percentile."""

DELIVERY_S = 0.05
"""The service notes when it hands an answer to the kernel; hundreds of them, after a freeze, take
a moment to reach the client and be read there, on a busy machine a longer one."""


@dataclass(frozen=True)
class Server:
    """The service, and how to stop it for a while."""

    process: psutil.Process
    url: str
    log_path: Path

    def ends_s(self, t0: float) -> dict[int, float]:
        """End of the answer to each session, in seconds from t0, as the service noted it."""
        with urllib.request.urlopen(f"{self.url}/log") as answer:
            answer.read()
        ends: dict[int, float] = {}
        for line in self.log_path.read_text().splitlines():
            path, instant_ns = line.split(" ")
            if path.startswith("/session/"):
                session = int(path.rsplit("/", 1)[1])
                assert session not in ends, "a session asked twice"
                ends[session] = int(instant_ns) / 1e9 - t0
        return ends


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    log_path = tmp_path / "service.log"
    child = subprocess.Popen(
        [sys.executable, str(SUPPORT / "clocked_server.py"), str(log_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child:
        port = int(child.stdout.readline())
        yield Server(psutil.Process(child.pid), f"http://127.0.0.1:{port}", log_path)
        child.kill()


@pytest.fixture
def tiers_file(tmp_path: Path) -> Path:
    path = tmp_path / "clocked.yaml"
    path.write_text(TIERS.format(scenario=SUPPORT / "clocked_scenario.py"))
    return path


def plan_of(tiers_file: Path, *, duration_s: float, url: str) -> RunPlan:
    catalogue = load_catalogue(tiers_file)
    tier = catalogue.tier("clocked-200")
    return make_plan(
        system=catalogue.system(tier.system),
        tier=tier,
        profile=catalogue.profile("steady"),
        duration_s=duration_s,
        seed=1,
        workers=1,
        variant=tier.variant,
        url=url,
    )


def percentile(values: NDArray[np.float64], fraction: float) -> float:
    """The smallest value that at least this share of the values do not exceed."""
    return float(np.quantile(values, fraction, method="inverted_cdf"))


def raw_samples(run_dir: Path) -> list[dict[str, str]]:
    with (run_dir / "load" / "raw-0.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def drive_and_freeze(
    plan: RunPlan, run_dir: Path, server: Server, *, at_s: float, for_s: float
) -> LoadResult:
    """Drive the service, which stands still from second ``at_s`` on for so long."""
    frozen = []

    def freeze(t0: float, _loaders: tuple[int, ...]) -> None:
        def stand_still() -> None:
            server.process.suspend()
            resume = threading.Timer(t0 + at_s + for_s - time.monotonic(), server.process.resume)
            resume.start()
            frozen.append(resume)

        start = threading.Timer(t0 + at_s - time.monotonic(), stand_still)
        start.start()
        frozen.append(start)

    result = drive(plan, run_dir=run_dir, url=server.url, on_start=freeze, raw=True)
    for timer in frozen:
        timer.join()
    return result


def check_percentiles(
    plan: RunPlan, schedule: Schedule, run_dir: Path, server: Server, t0: float
) -> None:
    """Reported p95 and p99 are those of both independent logs."""
    conclude(run_dir)
    findings = read_findings(run_dir)
    reported = dict(findings.overall.response.points)
    from_s = findings.judged_from_s
    judged = [s for s in schedule.sessions if s.at_us / 1e6 >= from_s]

    ends_s = server.ends_s(t0)
    assert ends_s.keys() >= {session.index for session in judged}
    waited_s = np.array([ends_s[session.index] - session.at_us / 1e6 for session in judged])
    raw_s = np.array(
        [
            (int(row["ended_us"]) - int(row["intended_us"])) / 1e6
            for row in raw_samples(run_dir)
            if int(row["intended_us"]) / 1e6 >= from_s
        ]
    )
    for fraction in (0.95, 0.99):
        assert reported[fraction].samples == len(raw_s) == len(waited_s)
        measured_s = reported[fraction].value
        assert measured_s is not None, reported[fraction].refused
        assert measured_s == pytest.approx(percentile(raw_s, fraction), rel=TOLERANCE)
        assert measured_s == pytest.approx(
            percentile(waited_s, fraction), rel=TOLERANCE, abs=DELIVERY_S
        )


@pytest.mark.parametrize(
    ("duration_s", "freeze_s"),
    [(8.0, 1.0), pytest.param(30.0, 3.0, marks=pytest.mark.slow)],
)
def test_p95_and_p99_of_a_frozen_service_are_those_of_independent_logs(
    tmp_path: Path, server: Server, tiers_file: Path, duration_s: float, freeze_s: float
) -> None:
    plan = plan_of(tiers_file, duration_s=duration_s, url=server.url)
    schedule = make_schedule(plan)
    run_dir = tmp_path / "run"
    RunFiles(run_dir).write_plan(plan, schedule_digest=schedule.digest)

    load = drive_and_freeze(plan, run_dir, server, at_s=duration_s / 2, for_s=freeze_s)

    assert load.closes
    check_percentiles(plan, schedule, run_dir, server, load.t0)


RUN = ("run", "clocked-200", "--tiers", "clocked.yaml", "--json", "--out")


def check_red_at_the_end(palier: CommandLine, server: Server, *, duration_s: float) -> None:
    """The service stands still for the last seconds, and until nobody waits any more."""
    running = palier.start(*(*RUN, "frozen", "--duration", f"{duration_s:g}s", "--url", server.url))
    running.wait_for_load(duration_s - LAST_S)
    server.process.suspend()
    ended = running.end()
    server.process.resume()

    verdict = ended.document
    told = verdict["ledger"]
    assert verdict["verdict"] == "FAIL", verdict["reasons"]
    assert ended.exit_code == 3
    assert told["planned"] == told["started"] + told["skipped"]
    unanswered = told["timed_out"] + told["abandoned"] + told["skipped"]
    assert told["started"] + told["skipped"] == told["succeeded"] + told["failed"] + unanswered
    # A line of the loader can be read a little late; nearly all of five seconds are lost anyway.
    assert unanswered > 0.8 * LAST_S * 200
    errors = {target["id"]: target for target in verdict["targets"]}["errors"]
    assert errors["verdict"] == "fail"


def test_a_service_frozen_to_the_end_fails_and_every_request_is_accounted_for(
    tmp_path: Path, server: Server, tiers_file: Path
) -> None:
    """With a time-out of two seconds: the drain is as long as a request may take."""
    plan = plan_of(tiers_file, duration_s=8, url=server.url)
    plan = dataclasses.replace(plan, request_timeout_s=2.0, drain_s=2.0)
    run_dir = tmp_path / "run"
    RunFiles(run_dir).write_plan(plan, schedule_digest=make_schedule(plan).digest)

    load = drive_and_freeze(plan, run_dir, server, at_s=8 - LAST_S, for_s=LAST_S + 4)

    conclusion, _ = conclude(run_dir)
    told = conclusion.verdict.ledger
    assert load.closes
    assert told.closes
    assert told.succeeded > 0
    assert told.timed_out + told.abandoned + told.skipped > 0.9 * LAST_S * 200
    assert conclusion.verdict.verdict == "FAIL"


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_same_run_passes_without_a_freeze_and_does_not_with_one(
    palier: CommandLine, server: Server, tiers_file: Path
) -> None:
    """The measurement can tell: what is red with the freeze is green without it."""
    for attempt in ("first", "second"):
        ended = palier.run(*(*RUN, f"unfrozen-{attempt}", "--duration", "20s", "--url", server.url))
        if ended.exit_code != 4:
            break  # a busy machine may leave one run undecided: once more, as .ci/run does
    assert ended.document["verdict"] == "PASS", ended.document["reasons"]
    assert ended.exit_code == 0

    check_red_at_the_end(palier, server, duration_s=20)
