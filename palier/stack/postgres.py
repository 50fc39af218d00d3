"""PostgreSQL: a server of our own for the length of a stack, or somebody's by URL."""

from __future__ import annotations

import locale
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from palier.errors import StackError
from palier.stack.address import make_url, shown, with_login
from palier.stack.binaries import OLDEST_MAJOR, Binaries, find_binaries, runnable_as
from palier.stack.environments import server_environment
from palier.stack.health import wait_until
from palier.stack.listening import start_listening
from palier.stack.ports import HOST
from palier.stack.process import Child
from palier.stack.workspace import Workspace, unprivileged_user

URL_VARIABLE = "PALIER_DATABASE_URL"

SUPERUSER = "palier"

INITDB_DEADLINE_S = 60.0
START_DEADLINE_S = 30.0
"""Both take about a second; a cold disk on a busy machine takes longer."""

DEFAULT_SETTINGS: Mapping[str, str] = {
    # Room for the largest pool of a tier; a connection that is not used costs little.
    "max_connections": "200",
    # A quarter of the memory of the 1 GB instances the first tiers stand for.
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    # Loading data must not run into a checkpoint every few seconds.
    "max_wal_size": "2GB",
    # Data on solid-state disks, as every provider has them.
    "random_page_cost": "1.1",
    # Statements of a web service last milliseconds; compiling one lasts longer than running it.
    "jit": "off",
    "shared_preload_libraries": "pg_stat_statements",
    "track_io_timing": "on",
    "timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] %q%a ",
}
"""What differs from PostgreSQL's own defaults. Durability does not: ``fsync``,
``synchronous_commit`` and ``full_page_writes`` stay on, because a service pays for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running PostgreSQL.

    Attributes:
        maintenance_url: Connection of a role that may create databases and roles.
        version: ``"18.6"``.
        version_number: ``180006``.
        origin: Where it comes from, for people.
        settings: What we set; empty for somebody else's server.
        data_directory: None for somebody else's server.
        process: The postmaster; None for somebody else's server.
    """

    maintenance_url: str = field(repr=False)
    version: str
    version_number: int
    origin: str
    settings: tuple[tuple[str, str], ...]
    data_directory: Path | None
    process: Child | None

    def url(self, dbname: str) -> str:
        """The same role in another database."""
        return with_login(self.maintenance_url, dbname=dbname)

    def pids(self) -> tuple[int, ...]:
        """Postmaster and all its children; empty for somebody else's server."""
        return () if self.process is None else self.process.pids()


def open_server(
    workspace: Workspace,
    *,
    settings: Sequence[tuple[str, str]] = (),
    cpus: Sequence[int] = (),
    environ: Mapping[str, str] = os.environ,
) -> Server:
    """The server of ``PALIER_DATABASE_URL``, else one of our own in the workspace.

    Raises:
        StackError: It cannot be reached, started or used; says what to do.
    """
    url = environ.get(URL_VARIABLE)
    if url:
        return use_server(url)
    return start_server(workspace, settings=settings, cpus=cpus)


def start_server(
    workspace: Workspace,
    *,
    settings: Sequence[tuple[str, str]] = (),
    cpus: Sequence[int] = (),
    name: str = "postgres",
    binaries: Binaries | None = None,
) -> Server:
    """Make a cluster in the workspace and start a server on a free loopback port.

    It listens on TCP only, as a database on another machine would; passwords are needed there
    (SCRAM), because every user of this machine can reach the port.

    Args:
        workspace: Owns the processes and the data.
        settings: Override ``DEFAULT_SETTINGS``.
        cpus: Cores it may use; empty means all.
        name: Component; also names the data directory.
        binaries: Programs to use; None for the best of this machine.

    Raises:
        StackError: No programs, or the server does not start; with its last log lines.
    """
    found = find_binaries() if binaries is None else binaries
    binaries = runnable_as(found, unprivileged_user(), workspace.home)
    password = secrets.token_urlsafe(24)
    data = _make_cluster(workspace, binaries, name=name, password=password)
    chosen = {**DEFAULT_SETTINGS, "cluster_name": f"palier-{workspace.token}", **dict(settings)}
    append_settings(data, chosen)
    process, port = start_on_free_port(workspace, binaries, name=name, data=data, cpus=cpus)

    url = make_url(host=HOST, port=str(port), dbname="postgres", user=SUPERUSER, password=password)
    wait_until(
        lambda: why_not_answering(url),
        deadline_s=START_DEADLINE_S,
        component=name,
        process=process,
    )
    with psycopg.connect(url) as connection:
        version_number = connection.info.server_version
    return Server(
        maintenance_url=url,
        version=binaries.version,
        version_number=version_number,
        origin=binaries.origin,
        settings=tuple(sorted(chosen.items())),
        data_directory=data,
        process=process,
    )


def use_server(url: str) -> Server:
    """Somebody's own server, after checking that it is new enough and lets us work.

    Raises:
        StackError: It cannot be reached, is too old, or the role may not create databases.
    """
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            number = connection.info.server_version
            row = connection.execute(
                "SELECT rolsuper OR rolcreatedb, rolsuper OR rolcreaterole, current_user,"
                " current_setting('server_version')"
                " FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.OperationalError as error:
        raise StackError(
            what=f"cannot reach the database server {shown(url)}: {str(error).strip()}",
            where=URL_VARIABLE,
            fix="check the address, or unset the variable to use the embedded server",
        ) from error
    if number < OLDEST_MAJOR * 10_000:
        raise StackError(
            what=f"the server {shown(url)} is PostgreSQL {number // 10_000}",
            where=URL_VARIABLE,
            fix=f"use PostgreSQL {OLDEST_MAJOR} or newer, or unset the variable",
        )
    if row is None:
        raise AssertionError("current_user is always a role")
    may_create_databases, may_create_roles, user, version = row
    missing = [
        right
        for right, granted in (("CREATEDB", may_create_databases), ("CREATEROLE", may_create_roles))
        if not granted
    ]
    if missing:
        raise StackError(
            what=f"role {user} lacks {' and '.join(missing)} on {shown(url)}",
            where=URL_VARIABLE,
            fix=f'ask its administrator for: ALTER ROLE "{user}" {" ".join(missing)}',
        )
    return Server(
        maintenance_url=url,
        version=str(version).split()[0],
        version_number=number,
        origin=URL_VARIABLE,
        settings=(),
        data_directory=None,
        process=None,
    )


def _make_cluster(workspace: Workspace, binaries: Binaries, *, name: str, password: str) -> Path:
    """Run initdb; the data directory belongs to the user the server will run as."""
    data = workspace.make_private_directory(name)
    password_file = workspace.write_private_file(f"{name}.password", password)
    # Byte order for speed and the same order everywhere, but lower('É') = 'é': guest search
    # needs it. Before version 17 only the system's library has such a locale.
    locale_options = (
        ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        if binaries.major >= 17
        else ("--locale=C", f"--lc-ctype={_utf8_character_types()}")
    )
    try:
        workspace.run(
            f"{name}-initdb",
            [
                binaries.program("initdb"),
                f"--pgdata={data}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                *locale_options,
                # The cluster is worth nothing before its data is loaded.
                "--no-sync",
            ],
            env=server_environment(),
            deadline_s=INITDB_DEADLINE_S,
            unprivileged=True,
        )
    finally:
        password_file.unlink()
    return data


def _utf8_character_types() -> str:
    """A locale of this system that knows upper and lower case of every letter; else ``C``."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8"):
            with suppress(locale.Error):
                locale.setlocale(locale.LC_CTYPE, name)
                return name
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "C"


def start_on_free_port(
    workspace: Workspace, binaries: Binaries, *, name: str, data: Path, cpus: Sequence[int]
) -> tuple[Child, int]:
    """Start the server and wait until it listens."""
    return start_listening(
        workspace,
        name,
        lambda port: [
            binaries.program("postgres"),
            *("-D", str(data)),
            *("-c", f"port={port}"),
            *("-c", f"listen_addresses={HOST}"),
            *("-c", "unix_socket_directories="),
        ],
        env=server_environment(),
        why_not_ready=lambda _process, _port: _why_not_listening(data),
        deadline_s=START_DEADLINE_S,
        # Fast shutdown, then immediate shutdown, which takes its children along.
        signals=("SIGINT", "SIGQUIT"),
        unprivileged=True,
        cpus=cpus,
    )


def _why_not_listening(data: Path) -> str | None:
    """Read what the postmaster says of itself in the last line of its lock file.

    Source: src/include/utils/pidfile.h, LOCK_FILE_LINE_PM_STATUS.
    """
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return "it has not begun"
    status = lines[7].strip() if len(lines) > 7 else "starting"
    return None if status == "ready" else f"it says: {status}"


def why_not_answering(url: str) -> str | None:
    try:
        with psycopg.connect(url, connect_timeout=5):
            return None
    except psycopg.OperationalError as error:
        return str(error).strip()


def append_settings(data: Path, settings: Mapping[str, str]) -> None:
    """Add to postgresql.conf; what comes last wins."""
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.writelines(f"{key} = {_quoted(value)}\n" for key, value in settings.items())


def _quoted(value: str) -> str:
    """A value of postgresql.conf. Source: PostgreSQL documentation, section 19.1.2."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
