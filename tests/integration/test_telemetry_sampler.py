"""Telemetry of real processes and a real database, also when that fails in mid-run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from signal_support import send_to_all

from palier.stack.health import wait_until
from palier.stack.postgres import start_server
from palier.stack.workspace import Workspace
from palier.telemetry.processes import CORES, MachineMeter, Usage, UsageMeter, others, usage_of
from palier.telemetry.sampler import Telemetry
from palier.telemetry.samples import read_samples

pytestmark = pytest.mark.db


@dataclass
class FakeStack:
    admin_url: str
    pids: dict[str, tuple[int, ...]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    dead: dict[str, str] = field(default_factory=dict)

    def processes(self) -> dict[str, tuple[int, ...]]:
        return self.pids

    def ended(self) -> dict[str, str]:
        return self.dead


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty looks a second, and little patience."""
    monkeypatch.setattr("palier.telemetry.sampler.INTERVAL_S", 0.05)
    monkeypatch.setattr("palier.telemetry.sampler.PATIENCE_S", 0.5)


def seen(telemetry: Telemetry, source: str, name: str) -> list[float]:
    return [s.value for s in telemetry.samples if (s.source, s.name) == (source, name)]


def until(check: Callable[[], bool]) -> None:
    wait_until(lambda: None if check() else "not yet", deadline_s=20, component="telemetry")


TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@contextmanager
def busy(seconds_of_cpu: float) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a child that burns CPU time and ends; then both have nothing to do."""
    burn = f"import time\nwhile time.process_time() < {seconds_of_cpu}: pass\n"
    parent = f"import subprocess,sys,signal; subprocess.run([sys.executable,'-S','-c',{burn!r}]);"
    parent += "print('done', flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-S", "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_cpu_time_of_processes_that_have_ended_is_not_lost():
    """PostgreSQL without a pool is one short-lived process for each request."""
    with busy(0.3) as process:
        usage = usage_of([process.pid])

    # The kernel tells user and system time of parent and child in whole ticks, rounded down.
    assert 0.3 - 4 * TICK_S <= usage.cpu_s < 1.5
    assert usage.processes == 1
    assert usage.memory_bytes > 1_000_000


def test_a_process_that_is_gone_uses_nothing():
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as process:
        pass

    assert usage_of([process.pid]) == Usage(cpu_s=0.0, memory_bytes=0, processes=0)


def test_cores_are_cpu_seconds_per_second_and_a_restart_gives_no_negative_ones(monkeypatch):
    readings = iter(
        Usage(cpu_s=cpu_s, memory_bytes=0, processes=1) for cpu_s in (10.0, 13.0, 0.5, 1.5)
    )
    monkeypatch.setattr("palier.telemetry.processes.usage_of", lambda _: next(readings))
    meter = UsageMeter()

    cores = [
        [value for _, name, value in meter.read(now_s, {"app": ()}) if name == "cpu_cores"]
        for now_s in (0.0, 2.0, 4.0, 5.0)
    ]

    assert cores == [[], [1.5], [], [1.0]]


def test_the_machine_is_read_in_shares_between_zero_and_one():
    meter = MachineMeter()
    found: dict[str, float] = {}
    until(lambda: bool(found.update({name: v for _, name, v in meter.read()}) or len(found) == 4))

    assert found.pop("cores") == CORES
    assert set(found) == {"cpu_ratio", "steal_ratio", "memory_used_ratio"}
    assert all(0 <= value <= 1 for value in found.values())


@pytest.mark.covers("T-58", "T-74", "T-75", "T-131")
def test_a_run_leaves_samples_of_everything_on_its_clock_and_the_statements(
    database, tmp_path, quick
):
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("CREATE EXTENSION pg_stat_statements")
        # Roles belong to the whole server, which may be shared with other tests.
        role = f"telemetry_{uuid4().hex}"
        admin.execute(f"CREATE ROLE {role}")
        admin.execute("CREATE TABLE reservations (id int)")
        admin.execute("CREATE INDEX idx_reservations_plateforme ON reservations (id)")
        admin.execute(f"GRANT SELECT ON reservations TO {role}")
        admin.execute(f"SET ROLE {role}")
        admin.execute("SELECT 'before the run' FROM reservations")
        stack = FakeStack(database, {"app": (os.getpid(),)})
        t0 = time.monotonic() + 0.2
        with Telemetry(
            stack, loader_pids=lambda: (os.getpid(),), t0=t0, directory=tmp_path
        ) as telemetry:
            until(lambda: len(seen(telemetry, "database", "connections")) > 0)
            for _ in range(12):
                admin.execute("SELECT id FROM reservations /* list */")
            until(lambda: len(seen(telemetry, "database", "transactions_per_s")) > 3)
            until(lambda: len(seen(telemetry, "app", "cpu_cores")) > 3)
        admin.execute("RESET ROLE")
        admin.execute(f"DROP OWNED BY {role}")
        admin.execute(f"DROP ROLE {role}")

    samples = read_samples(tmp_path / "telemetry.parquet")
    assert samples == tuple(sorted(telemetry.samples))
    assert samples[0].at_s < 0 < samples[-1].at_s < time.monotonic() - t0
    assert {sample.source for sample in samples} == {
        *("app", "loaders", "palier", "machine", "others", "database"),
    }
    # Ours is not counted: the connection above is the only one.
    assert set(seen(telemetry, "database", "connections")) == {1.0}
    assert max(seen(telemetry, "database", "unavailable")) == 0.0

    document = json.loads((tmp_path / "statements.json").read_text())
    assert (document["schema"], document["problem"]) == (1, None)
    calls = {found["query"]: found["calls"] for found in document["statements"]}
    assert calls["SELECT id FROM reservations /* list */"] == 12
    assert not any("before the run" in query or "$1 FROM reservations" in query for query in calls)

    facts = {fact.name: fact.value for fact in telemetry.facts(from_s=-1, to_s=60, system_cores=2)}
    assert facts["database_connections_peak"] == 1
    assert facts["tier1_index_count"] == 1
    assert facts["database_size"] > 1_000_000
    assert facts["slowest_statement_mean"] > 0
    # The tests' own server is not among the watched processes.
    assert "database_cpu" not in facts


def test_what_nobody_of_ours_used_is_the_rest_of_the_busy_time() -> None:
    ours = [
        ("machine", "cpu_ratio", 0.75),
        ("app", "cpu_cores", 0.5),
        ("loaders", "cpu_cores", 0.1),
    ]

    ((source, name, cores),) = others(ours)

    assert (source, name) == ("others", "cpu_cores")
    assert cores == pytest.approx(max(0.0, 0.75 * CORES - 0.6))


def test_somebody_elses_service_leaves_the_loaders_and_the_machine(tmp_path, quick):
    with Telemetry(
        None, loader_pids=lambda: (os.getpid(),), t0=time.monotonic(), directory=tmp_path
    ) as telemetry:
        until(lambda: len(seen(telemetry, "loaders", "cpu_cores")) > 1)

    assert {sample.source for sample in telemetry.samples} == {"loaders", "palier", "machine"}
    document = json.loads((tmp_path / "statements.json").read_text())
    assert document["problem"] == "the service is not ours to look into"


def test_a_database_without_the_extension_says_so(database, tmp_path, quick):
    with Telemetry(
        FakeStack(database), loader_pids=tuple, t0=time.monotonic(), directory=tmp_path
    ) as telemetry:
        until(lambda: len(seen(telemetry, "database", "connections")) > 1)

    document = json.loads((tmp_path / "statements.json").read_text())
    assert "pg_stat_statements is not active" in document["problem"]
    assert {fact.name for fact in telemetry.facts(from_s=0, to_s=60, system_cores=1)} >= {
        "database_size",
        "tier1_index_count",
    }


def test_a_database_that_dies_in_mid_run_is_a_gap_and_no_crash(stacks_home, tmp_path, quick):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        server = start_server(workspace, settings=(("fsync", "off"),))
        assert server.process is not None
        with Telemetry(
            FakeStack(server.maintenance_url, {"postgres": server.pids()}),
            loader_pids=tuple,
            t0=time.monotonic(),
            directory=tmp_path,
        ) as telemetry:
            until(lambda: len(seen(telemetry, "database", "connections")) > 1)
            server.process.stop()
            until(lambda: 1.0 in seen(telemetry, "database", "unavailable"))
            before = len(seen(telemetry, "machine", "memory_used_ratio"))
            until(lambda: len(seen(telemetry, "machine", "memory_used_ratio")) > before + 3)

    document = json.loads((tmp_path / "statements.json").read_text())
    assert "connection" in document["problem"]
    names = {fact.name for fact in telemetry.facts(from_s=0, to_s=60, system_cores=1)}
    assert "database_connections_peak" in names
    assert "database_size" not in names


def test_a_frozen_database_delays_neither_the_other_samples_nor_the_end_for_long(
    stacks_home, tmp_path, quick
):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        server = start_server(workspace, settings=(("fsync", "off"),))
        with Telemetry(
            FakeStack(server.maintenance_url),
            loader_pids=tuple,
            t0=time.monotonic(),
            directory=tmp_path,
        ) as telemetry:
            until(lambda: len(seen(telemetry, "database", "connections")) > 1)
            frozen = server.pids()
            send_to_all(frozen, signal.SIGSTOP)
            frozen_at = len(seen(telemetry, "machine", "memory_used_ratio"))
            until(lambda: len(seen(telemetry, "machine", "memory_used_ratio")) > frozen_at + 5)
            until(lambda: 1.0 in seen(telemetry, "database", "unavailable"))
            leaving = time.monotonic()
        assert time.monotonic() - leaving < 10
        send_to_all(frozen, signal.SIGCONT)

    assert read_samples(Path(tmp_path) / "telemetry.parquet")
