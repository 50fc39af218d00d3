"""The stack of a tier: everything up in order, everything down whatever happens."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from palier.model.tier import StackSpec
from palier.model.variant import Variant
from palier.stack.app import App, migrate, start_app
from palier.stack.cleanup import cleanup_stale
from palier.stack.components import AFTER_APPLICATION, BEFORE_APPLICATION, WEBHOOK_SECRET
from palier.stack.database import (
    Database,
    create_app_login,
    create_database,
    create_worker_login,
    database_name,
    drop_database,
    drop_stale_databases,
)
from palier.stack.health import how_it_ended
from palier.stack.parts import Component, Part, Site
from palier.stack.postgres import DEFAULT_SETTINGS, Server, open_server
from palier.stack.process import Child
from palier.stack.redis_server import URL_VARIABLE as REDIS_VARIABLE
from palier.stack.redis_server import forget_keys
from palier.stack.registry import Purpose, StackRecord
from palier.stack.signals import ended_by_signals, shielded
from palier.stack.workspace import Workspace

Seeder = Callable[[str, Callable[[], None]], None]
"""Writes the data, given the URL of the database's owner; calls the second argument, which builds
constraints and indexes, when all rows are in."""

_CONNECTIONS_FOR_OTHERS = 20
"""Seed, telemetry, scheduler, superuser reserve, and a person looking."""

_CONNECTIONS_OF_A_WORKER = 10
"""Room for what it may do at a time."""

Teller = Callable[[str], None]
"""Told what is being done, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A running stack.

    Attributes:
        url: Where the load goes: the application, or what stands before it.
        server: The database server.
        database: Its database.
        app: The application.
        app_settings: What it was told beside the tier's sizes and switches.
        parts: Everything else, in the order of its start.
        spec: What was asked for.
        cpus: Cores the components are bound to; empty means all.
    """

    url: str
    server: Server
    database: Database
    app: App
    app_settings: Mapping[str, str]
    parts: tuple[Part, ...]
    spec: StackSpec
    cpus: tuple[int, ...]

    @property
    def admin_url(self) -> str:
        """Connection of the owner of the database."""
        return self.database.admin_url

    @property
    def addresses(self) -> dict[str, str]:
        """Where telemetry asks the parts that keep statistics of themselves."""
        return {part.name: part.address for part in self.parts if part.address is not None}

    def processes(self) -> dict[str, tuple[int, ...]]:
        """Pids of each component on this machine at this moment; may be empty."""
        found = {"app": self.app.process.pids()}
        if self.server.process is not None:
            found["postgres"] = self.server.pids()
        return found | {part.name: part.pids() for part in self.parts if part.processes}

    def ended(self) -> dict[str, str]:
        """Components of which a process has ended although nobody ended it, and how."""
        children: dict[str, tuple[Child, ...]] = {"app": (self.app.process,)}
        if self.server.process is not None:
            children["postgres"] = (self.server.process,)
        children |= {part.name: part.processes for part in self.parts}
        return {
            name: how_it_ended(exit_code)
            for name, processes in children.items()
            for process in processes
            if (exit_code := process.exit_code()) is not None
        }

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
                "settings": dict(self.app_settings),
            },
            **{part.name: dict(part.described) for part in self.parts},
            "cpus": list(self.cpus),
        }


@contextmanager
def bring_up(
    *,
    spec: StackSpec,
    variant: Variant,
    seeder: Seeder,
    state_dir: Path,
    seed: int = 1,
    app_settings: Mapping[str, str] | None = None,
    cpus: Sequence[int] = (),
    purpose: Purpose = "run",
    tell: Teller = lambda _: None,
    home: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Stack]:
    """Bring a tier's stack up with its data, and take all of it down at the end.

    PostgreSQL, tables, data, constraints and indexes, logins, then what the application needs,
    the application, and what needs it.
    Taken down after success, any exception, Ctrl-C and SIGTERM; after a kill -9 of this process
    the kernel ends most of it, and the next start the rest.

    Args:
        spec: Components and sizes.
        variant: Switches of schema and application.
        seeder: Called once after the first stage of the schema; calls the second.
        state_dir: Where the logs of the components stay.
        seed: Of what the calendar platforms tell.
        app_settings: ``APP_*`` variables that are not the application's own defaults.
        cpus: Cores of the system under test; empty means all.
        purpose: Who wants it.
        tell: Told each step.
        home: Directory of all stacks; None for the user's.
        environ: ``PATH`` and the addresses of somebody's own servers are read
            (``PALIER_DATABASE_URL``, ``PALIER_REPLICA_URL``, ``PALIER_REDIS_URL``).

    Raises:
        StackError: A component did not start, or the tier needs one we cannot bring up.
    """
    refuse_missing(variant, spec, environ)
    with ended_by_signals():
        cleanup_stale(home)
        with Workspace.create(purpose=purpose, logs=state_dir, home=home) as workspace:
            tell("starting PostgreSQL")
            server = _open_server(workspace, spec, cpus, environ)
            order = _Order(
                spec, variant, seeder, seed, app_settings or {}, tuple(cpus), tell, environ
            )
            try:
                yield _assemble(workspace, server, order)
            finally:
                tell("taking the stack down")
                _leave_elsewhere(workspace, server, environ)


def up_detached(
    *,
    spec: StackSpec,
    variant: Variant,
    seeder: Seeder,
    name: str,
    seed: int = 1,
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
    refuse_missing(variant, spec, environ)
    with ended_by_signals():
        cleanup_stale(home)
        workspace = Workspace.create(purpose="up", detached=True, home=home)
        try:
            tell("starting PostgreSQL")
            server = _open_server(workspace, spec, cpus, environ)
            if server.process is None:
                # Whoever ends the stack later must be able to drop its database there.
                workspace.note(maintenance_url=server.maintenance_url)
            if environ.get(REDIS_VARIABLE):
                workspace.note(redis_url=environ[REDIS_VARIABLE])
            order = _Order(spec, variant, seeder, seed, {}, tuple(cpus), tell, environ)
            try:
                stack = _assemble(workspace, server, order)
            except BaseException:
                _leave_elsewhere(workspace, server, environ)
                raise
            workspace.note(tier=name, url=stack.url, admin_url=stack.admin_url)
            return workspace.let_go()
        except BaseException:
            workspace.close()
            raise


@dataclass(frozen=True, slots=True)
class _Order:
    """What ``bring_up`` and ``up_detached`` were asked for; see there."""

    spec: StackSpec
    variant: Variant
    seeder: Seeder
    seed: int
    app_settings: Mapping[str, str]
    cpus: tuple[int, ...]
    tell: Teller
    environ: Mapping[str, str]


def _open_server(
    workspace: Workspace, spec: StackSpec, cpus: Sequence[int], environ: Mapping[str, str]
) -> Server:
    needed = (
        spec.app_processes * spec.pool_size
        + _workers_of(spec) * _CONNECTIONS_OF_A_WORKER
        + _CONNECTIONS_FOR_OTHERS
    )
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


def _workers_of(spec: StackSpec) -> int:
    return (
        spec.sync_workers
        + spec.bulk_workers
        + spec.automation_workers
        + spec.webhook_workers
        + spec.monitoring
    )


def _assemble(workspace: Workspace, server: Server, order: _Order) -> Stack:
    tell, spec, variant = order.tell, order.spec, order.variant
    tell(f"PostgreSQL {server.version} ({server.origin}) is up; creating the tables")
    database = create_database(server, workspace.token, detached=workspace.detached)
    _fill(workspace, database, order)
    site = Site(
        workspace=workspace,
        spec=spec,
        variant=variant,
        seed=order.seed,
        cpus=order.cpus,
        environ=order.environ,
        database=database,
        environment={
            "APP_DATABASE_URL": create_app_login(database),
            WEBHOOK_SECRET: secrets.token_urlsafe(32),
        },
        worker_url=create_worker_login(database),
    )
    before, site = _start(BEFORE_APPLICATION, site, tell)
    tell(f"starting the application, {spec.app_processes} process(es)")
    app = start_app(
        workspace,
        spec=spec,
        variant=variant,
        environment={**site.environment, **order.app_settings},
        cpus=order.cpus,
    )
    after, site = _start(AFTER_APPLICATION, replace(site, url=app.url), tell)
    url = app.url if site.url is None else site.url
    tell(f"the application is ready at {url}")
    return Stack(
        url=url,
        server=server,
        database=database,
        app=app,
        app_settings=order.app_settings,
        parts=(*before, *after),
        spec=spec,
        cpus=order.cpus,
    )


def _fill(workspace: Workspace, database: Database, order: _Order) -> None:
    """Tables, rows, then what would have slowed the rows down."""
    migrate(workspace, admin_url=database.admin_url, stage="before-data", variant=order.variant)

    def after_data() -> None:
        order.tell("building constraints and indexes")
        migrate(workspace, admin_url=database.admin_url, stage="after-data", variant=order.variant)

    order.tell("writing the data")
    order.seeder(database.admin_url, after_data)


def _start(
    components: Sequence[Component], site: Site, tell: Teller
) -> tuple[tuple[Part, ...], Site]:
    """Start those that the tier has, each knowing the ones before it."""
    parts = []
    for component in components:
        if component.needed(site.variant, site.spec):
            tell(f"starting {component.title}")
            part = component.start(site)
            parts.append(part)
            site = site.beside(part)
    return tuple(parts), site


def _leave_elsewhere(workspace: Workspace, server: Server, environ: Mapping[str, str]) -> None:
    """Leave somebody's servers as they were; ours disappear as a whole with the workspace."""
    redis_url = environ.get(REDIS_VARIABLE)
    if server.process is not None and not redis_url:
        return
    with shielded(), ExitStack() as both:
        if redis_url:
            both.callback(forget_keys, redis_url, workspace.token)
        if server.process is None:
            both.callback(drop_database, server, database_name(workspace.token))
        # First the application, or it would connect again while its database is dropped.
        both.callback(workspace.end_processes)


def refuse_missing(
    variant: Variant, spec: StackSpec, environ: Mapping[str, str] = os.environ
) -> None:
    """Refuse before anything is started, rather than measure another architecture.

    Args:
        variant: Switches.
        spec: Sizes.
        environ: ``PATH`` and the addresses of somebody's own servers are read.

    Raises:
        StackError: A switch asks for a component that cannot be had here; says how to get it.
    """
    for component in (*BEFORE_APPLICATION, *AFTER_APPLICATION):
        if component.needed(variant, spec):
            component.find(environ)
