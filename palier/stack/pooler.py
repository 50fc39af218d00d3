"""PgBouncer between the application and its databases: many clients on few server connections."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from palier.stack.address import make_url, parts_of
from palier.stack.environments import server_environment
from palier.stack.listening import start_listening
from palier.stack.ports import HOST
from palier.stack.postgres import why_not_answering
from palier.stack.process import Child
from palier.stack.programs import Program, find_program, on_path, runnable_here
from palier.stack.workspace import Workspace

HOW_TO_GET = (
    "install the package pgbouncer (Debian: `apt install pgbouncer`, macOS: `brew install "
    "pgbouncer`), or measure without it: --set pooling=app"
)

ADMIN = "palier_statistics"
"""May read PgBouncer's own statistics, and nothing of the databases behind it."""

CONSOLE = "pgbouncer"
"""The name of the database that is PgBouncer's console. Source: its documentation, "Admin"."""

REPLICA_SUFFIX = "_replica"

START_DEADLINE_S = 30.0
"""It takes a few milliseconds; a cold disk on a busy machine takes longer."""

STATEMENT_TIMEOUT = "30s"
"""B-196. The application asks for it when it connects, which a pooler refuses, so here the login
has it (decision 0021)."""

QUERY_WAIT_S = "5"
"""As long as a request waits for a connection of the application's own pool: where the pool is
must not change when a request is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooler:
    """A running PgBouncer.

    Attributes:
        url: The application's database through it.
        replica_url: Likewise its replica; None without one.
        console_url: For statistics.
        version: ``"1.18.0"``.
        origin: Where it comes from, for people.
        settings: What we set.
        process: It.
    """

    url: str = field(repr=False)
    replica_url: str | None = field(repr=False)
    console_url: str = field(repr=False)
    version: str
    origin: str
    settings: tuple[tuple[str, str], ...]
    process: Child


def find_pgbouncer(environ: Mapping[str, str] = os.environ) -> Program:
    """The program.

    Raises:
        StackError: It is not on this machine.
    """
    return find_program("PgBouncer", _candidates(environ), how_to_get=HOW_TO_GET)


def start_pooler(
    workspace: Workspace,
    program: Program,
    *,
    database_url: str,
    replica_url: str | None,
    server_connections: int,
    client_connections: int,
    cpus: Sequence[int] = (),
) -> Pooler:
    """Start PgBouncer in transaction mode on a free loopback port.

    Args:
        workspace: Owns the process.
        program: As found.
        database_url: The application's database, directly.
        replica_url: Likewise its replica; None without one.
        server_connections: To each of the two.
        client_connections: Most that may be open at once.
        cpus: Cores it may use; empty means all.

    Raises:
        StackError: It does not start; with its last log lines.
    """
    login = parts_of(database_url)
    name = login["dbname"]
    targets = {name: database_url}
    if replica_url is not None:
        targets[name + REPLICA_SUFFIX] = replica_url
    password = secrets.token_urlsafe(24)
    # Its own way of logging in to the servers, and whom it lets in itself.
    users = workspace.write_private_file(
        "pgbouncer-users.txt",
        "".join(
            f"{_quoted(user)} {_quoted(secret)}\n"
            for user, secret in ((login["user"], login["password"]), (ADMIN, password))
        ),
    )
    settings = {
        "pool_mode": "transaction",
        "default_pool_size": str(server_connections),
        # All of them from the first request on, as a pool of the application would have them.
        "min_pool_size": str(server_connections),
        "max_client_conn": str(client_connections),
        "server_idle_timeout": "0",
        "query_wait_timeout": QUERY_WAIT_S,
        # As the application would connect to the server itself.
        "server_tls_sslmode": login.get("sslmode", "prefer"),
    }
    path = runnable_here(program, workspace)
    process, port = start_listening(
        workspace,
        "pgbouncer",
        lambda port: [
            str(path),
            str(
                workspace.write_private_file(
                    "pgbouncer.ini", _configuration(targets, settings, users, port)
                )
            ),
        ],
        env=server_environment(),
        why_not_ready=lambda _process, port: why_not_answering(
            _url(port, name, login["user"], login["password"])
        ),
        deadline_s=START_DEADLINE_S,
        # At once; SIGINT would wait for the clients.
        signals=("SIGTERM",),
        unprivileged=True,
        cpus=cpus,
    )

    def through(dbname: str) -> str:
        return _url(port, dbname, login["user"], login["password"])

    return Pooler(
        url=through(name),
        replica_url=None if replica_url is None else through(name + REPLICA_SUFFIX),
        console_url=_url(port, CONSOLE, ADMIN, password),
        version=program.version,
        origin=program.origin,
        settings=tuple(sorted(settings.items())),
        process=process,
    )


def limit_statements(admin_url: str, database_url: str) -> None:
    """Give the login the time limit that it cannot ask for through a pooler."""
    login = parts_of(database_url)["user"]
    with psycopg.connect(admin_url) as connection:
        connection.execute(
            sql.SQL("ALTER ROLE {} SET statement_timeout TO {}").format(
                sql.Identifier(login), sql.Literal(STATEMENT_TIMEOUT)
            )
        )


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    found = on_path("pgbouncer", environ)
    if found is not None:
        yield "PATH", found


def _configuration(
    targets: Mapping[str, str], settings: Mapping[str, str], users: Path, port: int
) -> str:
    """``pgbouncer.ini``. Source: PgBouncer documentation, "Config"."""
    databases = [f"{name} = {_target(url)}" for name, url in targets.items()]
    pooler = {
        **settings,
        "listen_addr": HOST,
        "listen_port": str(port),
        # Like the servers: TCP only.
        "unix_socket_dir": "",
        "auth_type": "scram-sha-256",
        "auth_file": str(users),
        "stats_users": ADMIN,
        # A line a connection would be work that nobody asked for.
        "log_connections": "0",
        "log_disconnections": "0",
    }
    return "\n".join(
        ["[databases]", *databases, "[pgbouncer]", *(f"{k} = {v}" for k, v in pooler.items()), ""]
    )


def _target(url: str) -> str:
    parts = parts_of(url)
    return f"host={parts['host']} port={parts.get('port', '5432')} dbname={parts['dbname']}"


def _url(port: int, dbname: str, user: str, password: str) -> str:
    return make_url(host=HOST, port=str(port), dbname=dbname, user=user, password=password)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
