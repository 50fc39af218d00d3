"""A read replica: a streaming standby of our own server, or somebody's by URL."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import psycopg

from palier.errors import StackError
from palier.stack.address import parts_of, shown, with_address
from palier.stack.binaries import Binaries, find_binaries, runnable_as
from palier.stack.database import Database
from palier.stack.environments import server_environment
from palier.stack.health import wait_until
from palier.stack.ports import HOST
from palier.stack.postgres import (
    START_DEADLINE_S,
    SUPERUSER,
    Server,
    append_settings,
    start_on_free_port,
    why_not_answering,
)
from palier.stack.postgres import URL_VARIABLE as DATABASE_VARIABLE
from palier.stack.workspace import Workspace, unprivileged_user

URL_VARIABLE = "PALIER_REPLICA_URL"

SLOT = "palier_replica"

COPY_DEADLINE_S = 3_600.0
"""The largest tier's data is copied file by file."""

CATCH_UP_DEADLINE_S = 600.0
"""All that was written since the copy began: seconds, more on a slow disk."""


def require_own_replica(environ: Mapping[str, str]) -> None:
    """Whoever brings the server must bring its replica; ours come together.

    Raises:
        StackError: There is only the server.
    """
    if environ.get(DATABASE_VARIABLE) and not environ.get(URL_VARIABLE):
        raise StackError(
            what="this variant reads from a replica, and "
            f"{shown(environ[DATABASE_VARIABLE])} is yours",
            where=URL_VARIABLE,
            fix=f"set {URL_VARIABLE} to a streaming replica of that server, with a role that may "
            f"connect to every database; or unset {DATABASE_VARIABLE} for servers of our own; or "
            "measure without: --set reads=primary",
        )


def open_replica(
    workspace: Workspace,
    primary: Server,
    *,
    cpus: Sequence[int] = (),
    environ: Mapping[str, str] = os.environ,
) -> Server:
    """A replica of our own server, or the one that belongs to somebody's.

    Raises:
        StackError: As the two functions below.
    """
    if primary.process is None:
        return use_replica(primary, environ)
    return start_replica(workspace, primary, cpus=cpus)


def start_replica(
    workspace: Workspace,
    primary: Server,
    *,
    cpus: Sequence[int] = (),
    binaries: Binaries | None = None,
) -> Server:
    """Copy our own server and keep the copy up to date by streaming.

    The primary keeps its log until the replica has it (a replication slot), so the replica can
    be late but never lost. It has the primary's settings.

    Args:
        workspace: Owns the process and the data.
        primary: A server that we started.
        cpus: Cores it may use; empty means all.
        binaries: The primary's programs; None for the best of this machine.

    Raises:
        StackError: It cannot be copied or does not start; with its last log lines.
    """
    if primary.data_directory is None:
        raise AssertionError("somebody else's server has its own replica, see use_replica")
    found = find_binaries() if binaries is None else binaries
    binaries = runnable_as(found, unprivileged_user(), workspace.home)
    parts = parts_of(primary.maintenance_url)
    data = workspace.make_private_directory("replica")
    workspace.run(
        "replica-copy",
        [
            binaries.program("pg_basebackup"),
            f"--pgdata={data}",
            *("--host", parts["host"], "--port", parts["port"], "--username", SUPERUSER),
            *("--wal-method", "stream", "--checkpoint", "fast"),
            # Makes it a standby that finds its primary, the password included.
            *("--write-recovery-conf", "--create-slot", "--slot", SLOT),
            # Worth nothing after the stack has ended.
            "--no-sync",
        ],
        env=server_environment() | {"PGPASSWORD": parts["password"]},
        deadline_s=COPY_DEADLINE_S,
        unprivileged=True,
    )
    settings = {
        "cluster_name": f"palier-{workspace.token}-replica",
        # A long report must not be cancelled because the primary removed a row it still reads.
        "hot_standby_feedback": "on",
    }
    append_settings(data, settings)
    process, port = start_on_free_port(workspace, binaries, name="replica", data=data, cpus=cpus)
    url = with_address(primary.maintenance_url, host=HOST, port=str(port))
    wait_until(
        lambda: why_not_answering(url),
        deadline_s=START_DEADLINE_S,
        component="replica",
        process=process,
    )
    return Server(
        maintenance_url=url,
        version=primary.version,
        version_number=primary.version_number,
        origin=f"streaming from our own server, {binaries.origin}",
        settings=tuple(sorted({**dict(primary.settings), **settings}.items())),
        data_directory=data,
        process=process,
    )


def use_replica(primary: Server, environ: Mapping[str, str] = os.environ) -> Server:
    """Somebody's own replica of somebody's own server.

    Raises:
        StackError: None is named, it cannot be reached, or it is no replica.
    """
    require_own_replica({**environ, DATABASE_VARIABLE: primary.maintenance_url})
    url = environ[URL_VARIABLE]
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            number = connection.info.server_version
            version, standby = _row(
                connection, "SELECT current_setting('server_version'), pg_is_in_recovery()"
            )
    except psycopg.OperationalError as error:
        raise StackError(
            what=f"cannot reach the replica {shown(url)}: {str(error).strip()}",
            where=URL_VARIABLE,
            fix="check the address",
        ) from error
    if not standby:
        raise StackError(
            what=f"{shown(url)} is no replica: it takes writes of its own",
            where=URL_VARIABLE,
            fix="name a hot standby that streams from the server of PALIER_DATABASE_URL",
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


def wait_until_caught_up(replica: Server, database: Database) -> None:
    """Wait until the replica has replayed all that was committed before this call.

    Raises:
        StackError: It has not after ``CATCH_UP_DEADLINE_S``, or never will: it is no replica of
            this server.
    """
    with psycopg.connect(database.admin_url) as primary:
        (written,) = _row(primary, "SELECT pg_current_wal_flush_lsn()::text")
    with psycopg.connect(replica.maintenance_url, autocommit=True) as standby:

        def why_not_there() -> str | None:
            """Its position in the log alone would not do: another server's log has one, too."""
            behind, there = _row(
                standby,
                "SELECT pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn())::bigint,"
                " EXISTS (SELECT FROM pg_database WHERE datname = %s)",
                (written, database.name),
            )
            if behind > 0:
                return f"it is {behind:,} bytes of log behind the primary"
            return None if there else f"it has no database {database.name}"

        wait_until(
            why_not_there,
            deadline_s=CATCH_UP_DEADLINE_S,
            component="replica",
            process=replica.process,
            fix=f"read its log; with {URL_VARIABLE}, check that it streams from your server",
        )


def replica_url(replica: Server, url: str) -> str:
    """The address of the same database, role and password on the replica."""
    parts = parts_of(replica.maintenance_url)
    return with_address(url, host=parts.get("host", HOST), port=parts.get("port", "5432"))


def _row(
    connection: psycopg.Connection, statement: LiteralString, parameters: Sequence[object] = ()
) -> tuple[Any, ...]:
    row = connection.execute(statement, parameters).fetchone()
    if row is None:
        raise AssertionError("a SELECT without FROM always has a row")
    return row
