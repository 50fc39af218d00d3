"""A run over several machines: network and time namespaces stand for them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from palier.analysis.analyse import analyse
from palier.analysis.findings import HealthCheck
from palier.load.archive import read_ledger
from palier.load.driver import LoadResult, drive
from palier.model.plan import RunPlan
from palier.runfiles import read_run

SUPPORT = Path(__file__).parent.parent / "support"
sys.path.insert(0, str(SUPPORT))

from load_plans import plan_of  # noqa: E402

pytestmark = pytest.mark.slow

END_S = 40.0
"""A worker that is cut off waits ten seconds for its master."""


@dataclass(frozen=True)
class Host:
    """A network namespace with one wire to us."""

    name: str
    wire: str
    our_address: str

    def command(self, *argv: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *argv]

    def cut(self) -> None:
        ip("link", "set", self.wire, "down")


def ip(*argv: str) -> None:
    subprocess.run(["ip", *argv], check=True, capture_output=True)


@contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    tag = f"pl{os.getpid() % 100_000}"
    made = []
    with ExitStack() as until_end:
        for number in range(count):
            name, wire = f"{tag}-{number}", f"{tag}v{number}"
            try:
                ip("netns", "add", name)
            except subprocess.CalledProcessError as error:
                pytest.skip(f"no network namespaces here: {error.stderr!r}")
            until_end.callback(ip, "netns", "del", name)
            ip("link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", name)
            until_end.callback(ip, "link", "del", wire)
            ours, theirs = f"10.213.{number}.1", f"10.213.{number}.2"
            ip("addr", "add", f"{ours}/30", "dev", wire)
            ip("link", "set", wire, "up")
            ip("-n", name, "addr", "add", f"{theirs}/30", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "route", "add", "default", "via", ours)
            made.append(Host(name, wire, ours))
        yield made


@contextmanager
def server(log: Path, address: str) -> Iterator[str]:
    everywhere = "0.0.0.0"
    argv = [sys.executable, str(SUPPORT / "load_server.py"), str(log), everywhere]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        yield f"http://{address}:{int(child.stdout.readline())}"
        child.kill()


class Workers:
    """`palier worker`, started as soon as the master listens."""

    def __init__(self, folder: Path, start: Callable[[int], list[list[str]]]) -> None:
        self._folder = folder
        self._start = start
        self.processes: list[subprocess.Popen[bytes]] = []

    def on_listening(self, port: int) -> None:
        for argv in self._start(port):
            with (self._folder / f"remote-{len(self.processes)}.log").open("wb") as log:
                self.processes.append(
                    subprocess.Popen(
                        argv,
                        stdin=subprocess.PIPE,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )

    def kill(self, number: int) -> None:
        os.killpg(self.processes[number].pid, signal.SIGKILL)

    def end(self) -> list[int]:
        """Exit codes; every one has to end by itself."""
        deadline = time.monotonic() + END_S
        return [one.wait(max(0.0, deadline - time.monotonic())) for one in self.processes]


def palier_worker(address: str, port: int) -> list[str]:
    return [
        str(Path(sys.executable).with_name("palier")),
        "worker",
        "--master",
        f"{address}:{port}",
    ]


@contextmanager
def remote(folder: Path, start: Callable[[int], list[list[str]]]) -> Iterator[Workers]:
    workers = Workers(folder, start)
    try:
        yield workers
    finally:
        for process in workers.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            assert process.stdin is not None
            process.stdin.close()


def spread(plan: RunPlan, remote_workers: int) -> RunPlan:
    return replace(plan, remote_workers=remote_workers)


def events(run_dir: Path, name: str) -> list[dict[str, Any]]:
    lines = (run_dir / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["name"] == name]


def check(run_dir: Path, name: str) -> HealthCheck:
    run = read_run(run_dir)
    findings = analyse(
        plan=run.plan,
        ledger=run.ledger,
        histograms=run.histograms,
        health_lines=run.health_lines,
        telemetry=run.telemetry,
        events=run.events,
        run=run.run,
    )
    return next(one for one in findings.health if one.name == name)


@pytest.mark.parametrize("how", ["cut", "kill"])
def test_a_machine_that_goes_silent_is_seen_and_the_others_do_its_work(
    tmp_path: Path, how: str
) -> None:
    run_dir = tmp_path / "run"
    plan = spread(plan_of(requests_per_s=90, duration_s=8, workers=3), 2)
    struck: list[float] = []
    with hosts(2) as (first, second), server(tmp_path / "log", second.our_address) as url:

        def start(port: int) -> list[list[str]]:
            return [h.command(*palier_worker(h.our_address, port)) for h in (first, second)]

        with remote(tmp_path, start) as workers:

            def strike(t0: float) -> None:
                first.cut() if how == "cut" else workers.kill(0)
                struck.append(time.monotonic() - t0)

            def on_start(t0: float, _pids: tuple[int, ...]) -> None:
                threading.Timer(t0 + 2.6 - time.monotonic(), strike, [t0]).start()

            # The service is reached over a wire of its own, which stays.
            result = drive(
                plan,
                run_dir=run_dir,
                url=url,
                bind=("0.0.0.0", 0),
                on_listening=workers.on_listening,
                on_start=on_start,
            )
            codes = workers.end()

    assert result.closes
    (lost,) = events(run_dir, "worker_lost")
    assert result.lost_workers == (lost["worker"],)
    assert lost["exit_code"] is None
    # Within 2 s of its last sign of life, plus what a busy machine adds to ours.
    assert lost["seen_s"] - lost["reported_until_s"] < 2.0 + 1.0
    assert len(lost["taken_over_by"]) == 2
    ledger = read_ledger(run_dir / "ledger.parquet").sum(numeric_only=True)
    assert ledger["skipped_worker_lost"] == lost["unknown"] > 0
    assert ledger["succeeded"] > 0.6 * ledger["planned"]
    assert not check(run_dir, "loaders").ok
    assert codes[1] == 0
    if how == "cut":
        assert codes[0] is not None  # it gave up by itself


def run_beside(
    tmp_path: Path, start: Callable[[int], list[list[str]]]
) -> tuple[LoadResult, Path, list[int]]:
    """A run of one worker here and one that is started so."""
    run_dir = tmp_path / "run"
    plan = spread(plan_of(requests_per_s=60, duration_s=3, workers=2), 1)
    with server(tmp_path / "log", "127.0.0.1") as url, remote(tmp_path, start) as workers:
        result = drive(
            plan, run_dir=run_dir, url=url, bind=("127.0.0.1", 0), on_listening=workers.on_listening
        )
        return result, run_dir, workers.end()


def test_a_machine_with_another_clock_sends_when_it_should(tmp_path: Path) -> None:
    """Its monotonic clock is 5,000 s ahead, as that of a machine started long before ours."""
    ahead = ["unshare", "--fork", "--time", "--monotonic", "5000"]
    if subprocess.run([*ahead, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no time namespaces here")

    result, run_dir, codes = run_beside(
        tmp_path, lambda port: [[*ahead, *palier_worker("127.0.0.1", port)]]
    )

    assert result.closes
    assert result.lost_workers == ()
    assert codes == [0]
    offsets = [event for event in events(run_dir, "clock") if not event["local"]]
    assert len(offsets) == 2
    assert all(abs(one["offset_ms"] - 5_000_000) < 1000 for one in offsets)
    ledger = read_ledger(run_dir / "ledger.parquet").sum(numeric_only=True)
    assert ledger["succeeded"] == ledger["planned"]
    assert check(run_dir, "clocks").ok


def test_a_worker_at_the_end_of_a_long_wire_is_heard_and_its_clock_is_doubted(
    tmp_path: Path,
) -> None:
    wires: list[subprocess.Popen[str]] = []

    def start(port: int) -> list[list[str]]:
        wires.append(
            subprocess.Popen(
                [sys.executable, str(SUPPORT / "slow_wire.py"), str(port), "0.03"],
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        assert wires[0].stdout is not None
        return [palier_worker("127.0.0.1", int(wires[0].stdout.readline()))]

    try:
        result, run_dir, codes = run_beside(tmp_path, start)
    finally:
        for wire in wires:
            with wire:
                wire.kill()

    assert result.closes
    assert result.lost_workers == ()
    assert codes == [0]
    offsets = [event for event in events(run_dir, "clock") if not event["local"]]
    assert offsets[0]["bound_ms"] >= 30
    assert not check(run_dir, "clock offsets").ok
