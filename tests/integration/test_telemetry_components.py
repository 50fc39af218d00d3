"""Telemetry of the components of higher tiers: real servers, also when they die in mid-run."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psycopg
import pytest
import redis

from palier.stack.database import create_database
from palier.stack.health import wait_until
from palier.stack.pooler import find_pgbouncer, start_pooler
from palier.stack.ports import listens
from palier.stack.postgres import start_server
from palier.stack.programs import on_path
from palier.stack.redis_server import open_redis
from palier.stack.replica import replica_url, start_replica, wait_until_caught_up
from palier.stack.web_cache import find_nginx, start_web_cache
from palier.stack.workers import start_calendar_platform
from palier.stack.workspace import Workspace
from palier.telemetry.components import (
    CalendarMeter,
    PoolerMeter,
    RedisMeter,
    ReplicaMeter,
    WebCacheMeter,
)
from palier.telemetry.meter import Meter, Rates
from palier.telemetry.sampler import Telemetry

FAST = (("fsync", "off"), ("shared_buffers", "16MB"))


@pytest.fixture
def workspace(stacks_home) -> Iterator[Workspace]:
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        yield workspace


@pytest.fixture
def reading() -> Iterator[Callable[[Meter, float], dict[str, float]]]:
    """Reads a meter; it is closed after the test."""
    used: list[Meter] = []

    def read(meter: Meter, now_s: float) -> dict[str, float]:
        used.append(meter)
        return dict(meter.read(now_s))

    yield read
    for meter in used:
        meter.close()


def test_rates_are_growth_per_second_and_a_restart_is_none():
    rates = Rates()

    assert dict(rates.of(0.0, {"a": 10})) == {}
    assert dict(rates.of(2.0, {"a": 16})) == {"a": 3.0}
    assert dict(rates.of(3.0, {"a": 1})) == {"a": 0.0}
    assert dict(rates.of(3.0, {"a": 5})) == {}
    rates.forget()
    assert dict(rates.of(9.0, {"a": 5})) == {}


def test_redis_tells_hits_misses_memory_and_keys(workspace, reading):
    server = open_redis(workspace, environ={})
    meter = RedisMeter(server.url)
    first = reading(meter, 0.0)
    with redis.Redis.from_url(server.url) as client:
        client.set("there", "x" * 100_000)
        for _ in range(6):
            client.get("there")
        client.get("not there")

        found = reading(meter, 2.0)

    assert (found["hits_per_s"], found["misses_per_s"]) == (3.0, 0.5)
    assert (first["keys"], found["keys"]) == (0, 1)
    assert found["data_bytes"] > first["data_bytes"] + 90_000
    assert (first["connections"], found["connections"]) == (0, 1)
    assert found["evicted_per_s"] == 0


@pytest.mark.db
def test_the_replica_tells_how_far_it_is_behind(workspace, reading):
    primary = start_server(workspace, settings=FAST)
    replica = start_replica(workspace, primary)
    database = create_database(primary, workspace.token)
    wait_until_caught_up(replica, database)
    meter = ReplicaMeter(database.admin_url, replica_url(replica, database.admin_url))
    with psycopg.connect(replica.maintenance_url, autocommit=True) as connection:
        connection.execute("SELECT pg_wal_replay_pause()")
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE things AS SELECT generate_series(1, 10000) AS id")

    late = reading(meter, 0.0)
    assert late["lag_bytes"] > 100_000
    assert late["lag_s"] > 0
    with psycopg.connect(replica.maintenance_url, autocommit=True) as connection:
        connection.execute("SELECT pg_wal_replay_resume()")
    wait_until_caught_up(replica, database)

    found = reading(meter, 1.0)
    assert found["lag_s"] == 0 or found["lag_bytes"] > 0
    assert found["connections"] == 0
    assert "transactions_per_s" in found


@pytest.mark.db
@pytest.mark.skipif(on_path("pgbouncer", os.environ) is None, reason="needs the package pgbouncer")
def test_pgbouncer_tells_who_waits_and_for_how_long(workspace, postgres, reading):
    pooler = start_pooler(
        workspace,
        find_pgbouncer(),
        database_url=postgres.maintenance_url,
        replica_url=None,
        server_connections=1,
        client_connections=10,
    )
    meter = PoolerMeter(pooler.console_url)

    def connect() -> psycopg.Connection:
        return psycopg.connect(pooler.url, prepare_threshold=None, autocommit=True)

    with connect() as busy, connect() as waiting:
        busy.execute("BEGIN")
        waiting.pgconn.send_query(b"SELECT 1")
        wait_until(
            lambda: None if reading(meter, 0.0)["clients_waiting"] == 1 else "nobody waits",
            deadline_s=10,
            component="pgbouncer",
        )
        found = reading(meter, 1.0)
        assert (found["clients"], found["servers"], found["servers_active"]) == (2, 1, 1)
        assert found["longest_wait_s"] > 0
        busy.execute("COMMIT")
        assert waiting.pgconn.get_result() is not None
        waiting.pgconn.get_result()

    wait_until(
        lambda: (
            None if reading(meter, time.monotonic())["clients_waiting_mean"] > 0 else "no wait yet"
        ),
        deadline_s=20,
        component="pgbouncer",
    )


@pytest.mark.skipif(on_path("nginx", os.environ) is None, reason="needs the package nginx")
def test_nginx_and_the_calendars_tell_their_requests(workspace, reading, monkeypatch):
    _, address = start_calendar_platform(workspace, seed=1)
    monkeypatch.setattr(
        "palier.stack.web_cache._why_not_ready",
        # Any server will do behind it.
        lambda process, port: None if listens(process.pids(), port) else "it does not listen",
    )
    cache = start_web_cache(workspace, find_nginx(), app_url=address)
    outside, inside = CalendarMeter(address), WebCacheMeter(cache.status_url)

    assert reading(outside, 0.0) == {"strangers": 0.0}
    found = reading(inside, 0.0)
    assert found == {"connections": 0.0, "connections_active": 0.0}
    # Its own look is a request, too.
    assert reading(inside, 1.0)["requests_per_s"] == 1.0
    assert reading(outside, 1.0)["requests_per_s"] == 0.0


@dataclass
class SmallStack:
    """A database, and one component of a higher tier."""

    admin_url: str
    addresses: dict[str, str] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)

    def processes(self) -> dict[str, tuple[int, ...]]:
        return {}

    def ended(self) -> dict[str, str]:
        return self.how


@pytest.mark.db
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_a_component_that_dies_or_stands_still_is_a_gap_that_costs_nobody_else_a_sample(
    database, workspace, tmp_path, monkeypatch, blow
):
    monkeypatch.setattr("palier.telemetry.sampler.INTERVAL_S", 0.05)
    monkeypatch.setattr("palier.telemetry.components.PATIENCE_S", 0.2)
    server = open_redis(workspace, environ={})
    assert server.process is not None
    stack = SmallStack(database, {"redis": server.url})

    def seen(source: str, name: str) -> list[float]:
        return [s.value for s in telemetry.samples if (s.source, s.name) == (source, name)]

    def until(check: Callable[[], bool]) -> None:
        wait_until(lambda: None if check() else "not yet", deadline_s=20, component="telemetry")

    with Telemetry(stack, loader_pids=tuple, t0=time.monotonic(), directory=tmp_path) as telemetry:
        until(lambda: 0.0 in seen("redis", "unavailable"))
        os.kill(server.process.pid, blow)
        until(lambda: 1.0 in seen("redis", "unavailable"))
        before = len(seen("database", "connections"))
        until(lambda: len(seen("database", "connections")) > before + 5)
        stack.how["redis"] = "signal 9"
        until(lambda: (tmp_path / "events.jsonl").exists())
        before = len(seen("database", "connections"))
        until(lambda: len(seen("database", "connections")) > before + 5)

    (line,) = (tmp_path / "events.jsonl").read_text().splitlines()
    event = json.loads(line)
    assert (event["kind"], event["component"]) == ("component", "redis")
    assert event["name"] == "redis ended with signal 9"
    assert 0 <= event["at_s"] < 60
