"""The stack of a higher tier, all of it: Redis, replica, pooler, web cache, workers."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import redis
from psycopg.rows import dict_row

from palier.model.identity import owner_email, password
from palier.model.parse import load_catalogue
from palier.model.tier import DataSpec, StackSpec
from palier.model.variant import Variant
from palier.stack.address import parts_of
from palier.stack.cleanup import cleanup_stale, down_all, list_stacks
from palier.stack.health import wait_until
from palier.stack.identity import identify
from palier.stack.programs import on_path
from palier.stack.redis_server import open_redis
from palier.stack.topology import Stack, bring_up, up_detached
from palier.stack.workspace import Workspace
from seed.dataset import seed_database

pytestmark = [
    pytest.mark.db,
    pytest.mark.skipif(
        on_path("pgbouncer", os.environ) is None or on_path("nginx", os.environ) is None,
        reason="needs the packages pgbouncer and nginx",
    ),
]

TIERS = Path(__file__).parents[2] / "tiers.yaml"

SEED = 7

SPEC = StackSpec(
    app_processes=2,
    pool_size=3,
    password_hash_log2_n=4,
    sync_workers=2,
    pooler_connections=4,
    postgres_settings=(("fsync", "off"), ("shared_buffers", "32MB")),
)

VARIANT = Variant(
    indexes="tier1",
    pagination="offset",
    cache="redis",
    views="materialised",
    sync="queue",
    reads="replica",
    pooling="pgbouncer",
    compression=True,
    web_cache=True,
)

PARTS = (
    *("app", "postgres", "redis", "replica", "pgbouncer", "calendar_platform"),
    *("sync_worker", "sync_scheduler", "view_refresh", "web_cache"),
)


def small_data(admin_url: str, after_data: Callable[[], None]) -> None:
    tier = load_catalogue(TIERS).tier("lou-5")
    data = DataSpec(tenants=10, units_per_tenant=2, reservations_per_unit=20)
    seed_database(admin_url, replace(tier, data=data), SEED, after_data=after_data)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with bring_up(
        spec=SPEC,
        variant=VARIANT,
        seeder=small_data,
        state_dir=tmp_path_factory.mktemp("logs"),
        seed=SEED,
        purpose="test",
        environ={"PATH": os.environ["PATH"]},
    ) as stack:
        yield stack


class Client:
    """One signed-in owner on one connection through everything."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
        self._token = ""

    def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, object, dict[str, str]]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._token:
            names["Authorization"] = f"Bearer {self._token}"
        if body is not None:
            names["Content-Type"] = "application/json"
        self._connection.request(method, path, None if body is None else json.dumps(body), names)
        answer = self._connection.getresponse()
        content = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, json.loads(content) if content else None, found

    def sign_in(self, owner: int) -> None:
        status, answer, _ = self.ask(
            "POST", "/api/auth", {"email": owner_email(owner), "password": password(SEED)}
        )
        assert status == 200, answer
        assert isinstance(answer, dict)
        self._token = answer["access_token"]

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def owner(stack: Stack) -> Iterator[Client]:
    client = Client(stack.url)
    client.sign_in(0)
    yield client
    client.close()


def test_every_part_runs_and_is_accounted_for_by_its_name(stack):
    processes = stack.processes()

    assert set(processes) == set(PARTS)
    assert all(processes.values())
    everything = [pid for pids in processes.values() for pid in pids]
    assert len(everything) == len(set(everything)), "a process is counted twice"
    assert len(processes["sync_worker"]) == 2


def test_the_environment_tells_versions_and_settings_and_no_secret(stack):
    told = stack.describe()

    assert set(PARTS) <= set(told)
    for part in ("postgres", "redis", "replica", "pgbouncer", "web_cache"):
        assert told[part]["version"]
        assert told[part]["origin"]
        assert told[part]["settings"]
    text = json.dumps(told)
    for address in (stack.admin_url, *stack.addresses.values()):
        secret = urlsplit(address).password
        assert secret is None or secret not in text
        assert secret is None or secret not in repr(stack)


def test_an_owner_works_through_all_of_it(stack, owner):
    status, page, headers = owner.ask("GET", "/api/units")
    assert status == 200, page
    _, again, kept = owner.ask("GET", "/api/units")

    assert again == page
    # Another owner's answer is never this one: the web cache is not asked.
    assert "x-cache" not in headers or headers["x-cache"].lower() in ("hit", "miss")
    other = Client(stack.url)
    other.sign_in(1)
    assert other.ask("GET", "/api/units")[1] != page
    other.close()
    assert headers["etag"] == kept["etag"]
    assert owner.ask("GET", "/api/units", If_None_Match=headers["etag"])[0] == 304


def test_the_application_talks_to_the_pooler_alone(stack, owner):
    owner.ask("GET", "/api/units")
    with psycopg.connect(stack.admin_url) as connection:
        rows = connection.execute(
            "SELECT pid, client_port FROM pg_stat_activity WHERE usename = %s",
            (f"{stack.database.name}_app",),
        ).fetchall()

    assert 1 <= len(rows) <= SPEC.pooler_connections
    ports = {int(parts_of(stack.addresses["pgbouncer"])["port"])}
    assert ports.isdisjoint(port for _, port in rows)


def test_what_is_kept_lies_in_redis_below_the_prefix_of_the_stack(stack, owner):
    owner.ask("GET", "/api/reservations")
    with redis.Redis.from_url(stack.addresses["redis"], decode_responses=True) as connection:
        keys = set(connection.scan_iter())

    prefix = f"palier:{stack.database.name.removeprefix('palier_')}:"
    assert keys
    assert all(key.startswith(prefix) for key in keys)


@pytest.mark.covers("B-174", "B-176")
def test_reports_are_read_from_the_replica_through_the_pooler(stack, owner):
    def reports() -> int:
        """Transactions of the application on the replica, as PgBouncer counts them."""
        with psycopg.connect(
            stack.addresses["pgbouncer"], autocommit=True, row_factory=dict_row
        ) as console:
            rows = console.execute(b"SHOW STATS").fetchall()
        return sum(
            int(row["total_xact_count"])
            for row in rows
            if row["database"] == f"{stack.database.name}_replica"
        )

    before = reports()
    status, answer, _ = owner.ask("GET", "/api/tax?year=2025")

    assert status == 200, answer
    wait_until(
        lambda: None if reports() > before else "nothing was read there",
        deadline_s=20,
        component="replica",
    )


def test_the_replica_follows(stack):
    with psycopg.connect(stack.admin_url, autocommit=True) as primary:
        primary.execute("CREATE TABLE IF NOT EXISTS followed (id int)")
    with psycopg.connect(stack.addresses["replica"], autocommit=True) as replica:
        wait_until(
            lambda: (
                None
                if replica.execute("SELECT to_regclass('followed')").fetchone() != (None,)
                else "not there yet"
            ),
            deadline_s=20,
            component="replica",
        )


def test_synchronisations_are_worked_off_from_the_platforms_calendars(stack):
    """The scheduler's first wave; what feeds said last is nothing that the seed writes."""
    with psycopg.connect(stack.admin_url, autocommit=True) as connection:
        wait_until(
            lambda: (
                None
                if connection.execute("SELECT EXISTS (SELECT FROM sync_events)").fetchone()
                == (True,)
                else "no event of a feed"
            ),
            deadline_s=60,
            component="sync_worker",
        )
    with urllib.request.urlopen(f"{stack.addresses['calendar_platform']}/counts") as answer:
        counts = json.load(answer)
    assert counts["requests"] > 0
    assert counts["strangers"] == {}


def test_a_stack_that_stays_up_has_all_of_it_and_down_ends_all_of_it(stacks_home):
    def no_data(admin_url: str, after_data: Callable[[], None]) -> None:
        after_data()

    before = {process.pid for process in psutil.Process().children()}
    record = up_detached(
        spec=replace(SPEC, app_processes=1, sync_workers=1),
        variant=VARIANT,
        seeder=no_data,
        name="lou-6",
        home=stacks_home,
        environ={"PATH": os.environ["PATH"]},
    )
    names = {process.name for process in record.processes}
    assert {"redis", "replica", "pgbouncer", "web_cache", "sync_worker", "app"} <= names
    client = Client(record.facts["url"])
    assert client.ask("GET", "/health/ready")[0] == 200
    client.close()

    assert down_all(stacks_home).ended == (record.token,)

    assert not any(process.process.alive() for process in record.processes)
    # The stack was let go, so nobody else takes notice of its end.
    for process in psutil.Process().children():
        if process.pid not in before:
            process.wait(10)


def test_your_own_redis_is_left_as_it_was(stacks_home, tmp_path, postgres):
    with Workspace.create(purpose="test", home=stacks_home) as yours:
        url = open_redis(yours, environ={}).url
        with redis.Redis.from_url(url, decode_responses=True) as connection:
            connection.set("yours", "kept")
            with bring_up(
                spec=replace(SPEC, app_processes=1),
                variant=Variant(cache="redis"),
                seeder=lambda _, after_data: after_data(),
                state_dir=tmp_path,
                home=stacks_home,
                environ={
                    "PALIER_DATABASE_URL": postgres.maintenance_url,
                    "PALIER_REDIS_URL": url,
                },
            ) as stack:
                assert "redis" not in stack.processes()
                assert stack.describe()["redis"]["origin"] == "PALIER_REDIS_URL"
                assert set(connection.scan_iter()) > {"yours"}

            assert set(connection.scan_iter()) == {"yours"}


def test_the_end_of_every_part_is_noticed_and_the_rest_is_still_taken_down(stacks_home, tmp_path):
    with bring_up(
        spec=SPEC,
        variant=VARIANT,
        seeder=lambda _, after_data: after_data(),
        state_dir=tmp_path,
        home=stacks_home,
        environ={"PATH": os.environ["PATH"]},
    ) as stack:
        assert stack.ended() == {}
        everything = [identify(pid) for pids in stack.processes().values() for pid in pids]
        leaders = [
            stack.app.process,
            stack.server.process,
            # One of the two sync workers is enough.
            *(part.processes[0] for part in stack.parts),
        ]
        for leader in leaders:
            assert leader is not None
            os.kill(leader.pid, signal.SIGKILL)

        wait_until(
            lambda: str(alive) if (alive := set(PARTS) - set(stack.ended())) else None,
            deadline_s=20,
            component="killed parts",
        )
        assert set(stack.ended().values()) == {"signal 9"}

    assert not any(process.alive() for process in everything)


HARNESS = """
import json, os, signal, sys
from pathlib import Path
from palier.model.tier import StackSpec
from palier.model.variant import Variant
from palier.stack.topology import bring_up

with bring_up(
    spec=StackSpec(pool_size=2, postgres_settings=(("fsync", "off"),)),
    variant=Variant(**json.loads(sys.argv[3])),
    seeder=lambda url, after_data: after_data(),
    state_dir=Path(sys.argv[2]),
    home=Path(sys.argv[1]),
) as stack:
    print(json.dumps([pid for pids in stack.processes().values() for pid in pids]), flush=True)
    signal.pause()
"""


def test_after_a_killed_command_nothing_of_a_higher_tier_is_left(stacks_home, tmp_path):
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", HARNESS, str(stacks_home), str(tmp_path / "logs")),
            json.dumps(
                {"cache": "redis", "sync": "queue", "pooling": "pgbouncer"} | {"web_cache": True}
            ),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("PALIER_")},
    )
    with process:
        assert process.stdout is not None
        components = [identify(pid) for pid in json.loads(process.stdout.readline())]
        assert len(components) > 10
        process.kill()

    assert len(cleanup_stale(stacks_home)) == 1

    wait_until(
        lambda: str(alive) if (alive := [c for c in components if c.alive()]) else None,
        deadline_s=20,
        component="killed command's components",
    )
    assert list_stacks(stacks_home) == ()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs Linux")
def test_cores_of_the_system_hold_every_part(stacks_home, tmp_path):
    core = max(os.sched_getaffinity(0))
    with bring_up(
        spec=replace(SPEC, app_processes=1, sync_workers=1),
        variant=replace(VARIANT, reads="primary"),
        seeder=lambda _, after_data: after_data(),
        state_dir=tmp_path,
        cpus=(core,),
        home=stacks_home,
        environ={"PATH": os.environ["PATH"]},
    ) as stack:
        for name, pids in stack.processes().items():
            assert {frozenset(os.sched_getaffinity(pid)) for pid in pids} == {frozenset({core})}, (
                name
            )
