"""A full disk, a database or a service that is not there: one clear error, nothing left behind."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from command_line import CommandLine, Ended, Running

from palier.stack.database import NAME_PREFIX
from palier.stack.postgres import Server

pytestmark = pytest.mark.e2e

ENVIRONMENT = 5


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for a short run and for what a run holds back, but not much more."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.getuid() != 0:
        pytest.skip("only root may mount a small disk to be filled")
    mount = ["mount", "-t", "tmpfs", "-o", "size=128m", "palier-test", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path, leave_bytes: int = 0) -> None:
    """Use all the space of the disk but some."""
    state = os.statvfs(disk)
    rest = state.f_bavail * state.f_frsize - leave_bytes
    (disk / "filler").write_bytes(b"\0" * rest)


def check_environment_error(ended: Ended, palier: CommandLine, *words: str) -> None:
    assert ended.exit_code == ENVIRONMENT, ended.stderr
    assert ended.told_no_traceback()
    assert ended.stdout == ""
    assert len(ended.errors) == 1
    assert "  where: " in ended.stderr
    assert "  fix:   " in ended.stderr
    for word in words:
        assert word in ended.stderr
    assert palier.stacks() == []


RUN = ("run", "lou-0", "--profile", "everyone", "--json", "--out", "disk/run")


def test_a_disk_that_is_full_from_the_start_is_one_error(palier: CommandLine, disk: Path) -> None:
    fill(disk, leave_bytes=8192)

    ended = palier.run(*RUN, "--duration", "2s")

    check_environment_error(ended, palier, "No space left on device", "disk/run")
    assert "starting PostgreSQL" not in ended.stderr


@pytest.mark.parametrize(
    "leave_bytes", [0, pytest.param(65536, marks=pytest.mark.slow)], ids=["nothing", "a little"]
)
def test_a_disk_that_fills_up_in_mid_load_ends_the_run_with_all_it_measured(
    palier: CommandLine, disk: Path, leave_bytes: int
) -> None:
    running = palier.start(*RUN, "--duration", "60s")
    running.wait_for_load(2.0)
    fill(disk, leave_bytes)

    ended = running.end()

    assert ended.exit_code == 4, ended.stderr
    assert ended.told_no_traceback()
    verdict = ended.document
    assert verdict["verdict"] == "INVALID"
    assert any("disk was full" in reason for reason in verdict["reasons"]), verdict["reasons"]
    ledger = verdict["ledger"]
    assert ledger["planned"] == ledger["started"] + ledger["skipped"]
    assert ledger["succeeded"] > 0
    assert (disk / "run" / "report.html").is_file()
    assert running.left() == []
    assert palier.stacks() == []


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_database_server_that_is_not_there_is_one_error(palier: CommandLine) -> None:
    url = f"postgresql://somebody:secret@127.0.0.1:{closed_port()}/postgres"

    ended = palier.run("run", "lou-0", "--out", "run", env={"PALIER_DATABASE_URL": url})

    check_environment_error(ended, palier, "PALIER_DATABASE_URL", "cannot reach")
    assert "secret" not in ended.stderr


def test_a_service_that_is_not_there_is_one_error(palier: CommandLine) -> None:
    url = f"http://127.0.0.1:{closed_port()}"

    ended = palier.run("run", "lou-0", "--url", url, "--out", "run")

    check_environment_error(ended, palier, f"nothing answers at {url}")


def databases_and_roles(server: Server) -> set[str]:
    with psycopg.connect(server.maintenance_url) as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database UNION SELECT rolname FROM pg_roles"
        )
        return {str(name) for (name,) in rows if str(name).startswith(NAME_PREFIX)}


@pytest.mark.parametrize("ending", ["by itself", pytest.param("by Ctrl-C", marks=pytest.mark.slow)])
def test_a_run_on_somebodys_own_server_works_and_leaves_no_database_there(
    palier: CommandLine, postgres: Server, ending: str
) -> None:
    before = databases_and_roles(postgres)
    running: Running = palier.start(
        *("run", "lou-0", "--profile", "everyone", "--duration", "3s", "--json", "--out", "run"),
        env={"PALIER_DATABASE_URL": postgres.maintenance_url},
    )
    running.wait_for_load(1.0)
    during = databases_and_roles(postgres) - before
    assert len(during) == 3, "a database and its two logins"
    if ending == "by Ctrl-C":
        running.ctrl_c()

    ended = running.end()

    assert ended.exit_code in ((130,) if ending == "by Ctrl-C" else (0, 4)), ended.stderr
    assert ended.told_no_traceback()
    ledger = ended.document["ledger"]
    assert ledger["started"] == ledger["succeeded"] > 0
    assert databases_and_roles(postgres) & during == set()
    assert palier.stacks() == []
    assert not [line for line in running.seen.values() if "initdb" in line]
