"""The stack of a tier: everything up in order, everything down whatever happens."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from palier.errors import StackError
from palier.model.tier import StackSpec
from palier.model.variant import Variant
from palier.stack.app import App, migrate, start_app
from palier.stack.cleanup import cleanup_stale
from palier.stack.database import (
    Database,
    create_app_login,
    create_database,
    database_name,
    drop_database,
    drop_stale_databases,
)
from palier.stack.postgres import DEFAULT_SETTINGS, Server, open_server
from palier.stack.registry import Purpose, StackRecord
from palier.stack.signals import ended_by_signals, shielded
from palier.stack.workspace import Workspace

Seeder = Callable[[str, Callable[[], None]], None]
"""Writes the data, given the URL of the database's owner; calls the second argument, which builds
constraints and indexes, when all rows are in."""

_CONNECTIONS_FOR_OTHERS = 20
"""Seed, telemetry, superuser reserve, and a person looking."""

Teller = Callable[[str], None]
"""Told what is being done, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A running stack.

    Attributes:
        url: Address of the application.
        server: The database server.
        database: Its database.
        app: The application.
        spec: What was asked for.
        cpus: Cores the components are bound to; empty means all.
    """

    url: str
    server: Server
    database: Database
    app: App
    spec: StackSpec
    cpus: tuple[int, ...]

    @property
    def admin_url(self) -> str:
        """Connection of the owner of the database."""
        return self.database.admin_url

    def processes(self) -> dict[str, tuple[int, ...]]:
        """Pids of each component on this machine at this moment; may be empty."""
        found = {"app": self.app.process.pids()}
        if self.server.process is not None:
            found["postgres"] = self.server.pids()
        return found

    def describe(self) -> dict[str, object]:
        """What ``environment.json`` says about the stack; holds no secrets."""
        return {
            "postgres": {
                "version": self.server.version,
                "origin": self.server.origin,
                "settings": dict(self.server.settings),
            },
            "app": {
                "server": f"granian {metadata.version('granian')}",
                "processes": self.spec.app_processes,
                "pool_size": self.spec.pool_size,
                "password_hash_log2_n": self.spec.password_hash_log2_n,
            },
            "cpus": list(self.cpus),
        }


@contextmanager
def bring_up(
    *,
    spec: StackSpec,
    variant: Variant,
    seeder: Seeder,
    state_dir: Path,
    cpus: Sequence[int] = (),
    purpose: Purpose = "run",
    tell: Teller = lambda _: None,
    home: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Stack]:
    """Bring a tier's stack up with its data, and take all of it down at the end.

    PostgreSQL, tables, data, constraints and indexes, the application's login, the application.
    Taken down after success, any exception, Ctrl-C and SIGTERM; after a kill -9 of this process
    the kernel ends most of it, and the next start the rest.

    Args:
        spec: Components and sizes.
        variant: Switches of schema and application.
        seeder: Called once after the first stage of the schema; calls the second.
        state_dir: Where the logs of the components stay.
        cpus: Cores of the system under test; empty means all.
        purpose: Who wants it.
        tell: Told each step.
        home: Directory of all stacks; None for the user's.
        environ: ``PALIER_DATABASE_URL`` is read.

    Raises:
        StackError: A component did not start, or the tier needs one we cannot bring up.
    """
    refuse_unbuilt(spec, variant)
    with ended_by_signals():
        cleanup_stale(home)
        with Workspace.create(purpose=purpose, logs=state_dir, home=home) as workspace:
            tell("starting PostgreSQL")
            server = _open_server(workspace, spec, cpus, environ)
            try:
                yield _assemble(workspace, server, spec, variant, seeder, cpus, tell)
            finally:
                tell("taking the stack down")
                _leave_elsewhere(workspace, server)


def up_detached(
    *,
    spec: StackSpec,
    variant: Variant,
    seeder: Seeder,
    name: str,
    cpus: Sequence[int] = (),
    tell: Teller = lambda _: None,
    home: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> StackRecord:
    """Bring a stack up that outlives this process, until ``cleanup.down_all`` ends it.

    Args:
        name: Tier, for people and for `palier seed`.

    Returns:
        Its record; ``facts`` has ``tier``, ``url`` and ``admin_url``.

    Raises:
        StackError: As ``bring_up``; nothing is left then.
    """
    refuse_unbuilt(spec, variant)
    with ended_by_signals():
        cleanup_stale(home)
        workspace = Workspace.create(purpose="up", detached=True, home=home)
        try:
            tell("starting PostgreSQL")
            server = _open_server(workspace, spec, cpus, environ)
            if server.process is None:
                # Whoever ends the stack later must be able to drop its database there.
                workspace.note(maintenance_url=server.maintenance_url)
            try:
                stack = _assemble(workspace, server, spec, variant, seeder, cpus, tell)
            except BaseException:
                _leave_elsewhere(workspace, server)
                raise
            workspace.note(tier=name, url=stack.url, admin_url=stack.admin_url)
            return workspace.let_go()
        except BaseException:
            workspace.close()
            raise


def _open_server(
    workspace: Workspace, spec: StackSpec, cpus: Sequence[int], environ: Mapping[str, str]
) -> Server:
    needed = spec.app_processes * spec.pool_size + _CONNECTIONS_FOR_OTHERS
    enough = str(max(needed, int(DEFAULT_SETTINGS["max_connections"])))
    server = open_server(
        workspace,
        settings=(("max_connections", enough), *spec.postgres_settings),
        cpus=cpus,
        environ=environ,
    )
    if server.process is None:
        drop_stale_databases(server)
    return server


def _assemble(
    workspace: Workspace,
    server: Server,
    spec: StackSpec,
    variant: Variant,
    seeder: Seeder,
    cpus: Sequence[int],
    tell: Teller,
) -> Stack:
    database = create_database(server, workspace.token, detached=workspace.detached)
    tell(f"PostgreSQL {server.version} ({server.origin}) is up; creating the tables")
    migrate(workspace, admin_url=database.admin_url, stage="before-data", variant=variant)

    def after_data() -> None:
        tell("building constraints and indexes")
        migrate(workspace, admin_url=database.admin_url, stage="after-data", variant=variant)

    tell("writing the data")
    seeder(database.admin_url, after_data)
    app_url = create_app_login(database)
    tell(f"starting the application, {spec.app_processes} process(es)")
    app = start_app(workspace, spec=spec, variant=variant, database_url=app_url, cpus=cpus)
    tell(f"the application is ready at {app.url}")
    return Stack(
        url=app.url, server=server, database=database, app=app, spec=spec, cpus=tuple(cpus)
    )


def _leave_elsewhere(workspace: Workspace, server: Server) -> None:
    """Leave somebody's server as it was; ours disappears as a whole with the workspace."""
    if server.process is None:
        with shielded():
            # First the application, or it would connect again while its database is dropped.
            workspace.end_processes()
            drop_database(server, database_name(workspace.token))


BUILT: Mapping[str, tuple[object, ...]] = {
    "units_table": ("wide",),
    "cache": ("none",),
    "views": ("live",),
    "sync": ("inline",),
    "reads": ("primary",),
    "pooling": ("none", "app"),
    "web_cache": (False,),
}
"""Values of the switches that have a code path or a component behind them; the others would
measure something else than they say. Switches that are not here have all of theirs."""


def refuse_unbuilt(spec: StackSpec, variant: Variant) -> None:
    """Refuse before anything is started.

    Raises:
        StackError: A switch or a component is wanted that this version does not have.
    """
    unbuilt = [
        (name, value, values[0])
        for name, values in BUILT.items()
        if (value := getattr(variant, name)) not in values
    ]
    wanted = [f"{name}={_written(value)}" for name, value, _ in unbuilt] + [*spec.components]
    if wanted:
        switches = " ".join(f"--set {name}={_written(other)}" for name, _, other in unbuilt)
        instead = f"measure without: {switches}" if switches else "choose a tier without them"
        raise StackError(
            what=f"this version does not have {', '.join(wanted)} yet",
            where="the tier's stack and variant",
            fix=f"{instead}; or bring such a system up yourself and use --url",
        )


def _written(value: object) -> str:
    """A value as it is typed after ``--set``."""
    return str(value).lower() if isinstance(value, bool) else str(value)
