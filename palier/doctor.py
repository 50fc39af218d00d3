"""What a run needs, what is here, and how to get the rest."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import psycopg

from palier.errors import ExitCode, PalierError
from palier.machine.check import Check, Status, at_least
from palier.machine.connections import Needed, look_at_files, look_at_ports
from palier.machine.names import look_at_name
from palier.machine.processors import look_at_cores, look_at_governor
from palier.stack.address import shown
from palier.stack.cleanup import list_stacks
from palier.stack.cpus import plan_cpus, usable_cores
from palier.stack.pooler import find_pgbouncer
from palier.stack.postgres import URL_VARIABLE, start_server, use_server
from palier.stack.programs import Program
from palier.stack.redis_server import URL_VARIABLE as REDIS_VARIABLE
from palier.stack.redis_server import find_redis, version_of
from palier.stack.redis_server import shown as redis_shown
from palier.stack.registry import default_home, ensure_home
from palier.stack.web_cache import find_nginx
from palier.stack.workspace import Workspace, unprivileged_user

PYTHON_MIN = (3, 11)

MEMORY_MIN_GIB = 2.0
"""PostgreSQL's buffers, a few application processes, the loaders and their archive."""

DISK_MIN_GIB = 5.0
"""The data of the largest tier that fits a laptop, its indexes, and its write-ahead log."""

USUAL = Needed(usual=200, stalled=10_000)
"""Connections of a tier of 1,000 requests a second: the ten seconds that a request may take, and
what it needs at the least. `palier run` looks again, at what its own plan needs."""


def examine(environ: Mapping[str, str] = os.environ, home: Path | None = None) -> tuple[Check, ...]:
    """Look at this machine; starts a PostgreSQL server for a moment, because that is the question.

    Args:
        environ: ``PALIER_DATABASE_URL``, ``PALIER_REDIS_URL`` and ``PATH`` are read.
        home: Directory of all stacks; None for the user's.
    """
    home = default_home(environ) if home is None else home
    return (
        _python(),
        _package("Locust", "locust"),
        _package("Granian", "granian"),
        _psycopg(),
        _postgresql(environ, home),
        look_at_cores(plan_cpus(usable_cores())),
        look_at_governor(),
        _memory(),
        _disk(home),
        look_at_files(USUAL),
        look_at_ports(USUAL),
        look_at_name("http://localhost"),
        _user(),
        _left_behind(home),
        _redis(environ),
        _program("PgBouncer", lambda: find_pgbouncer(environ)),
        _program("nginx", lambda: find_nginx(environ)),
    )


def exit_code(checks: tuple[Check, ...]) -> ExitCode:
    """5 when something that every run needs is missing, else 0."""
    broken = any(check.required and check.status == "missing" for check in checks)
    return ExitCode.ENVIRONMENT if broken else ExitCode.PASS


def render(checks: tuple[Check, ...]) -> str:
    """A line for each check, its fix below it, and one sentence at the end."""
    width = max(len(check.name) for check in checks)
    marks: Mapping[Status, str] = {"ok": "ok     ", "warning": "warning", "missing": "MISSING"}
    lines = []
    for check in checks:
        optional = check.status == "missing" and not check.required
        mark = "-      " if optional else marks[check.status]
        lines.append(f"{mark}  {check.name:<{width}}  {check.found}")
        if check.fix:
            lines.append(f"{'':<{width + 11}}-> {check.fix}")
    if exit_code(checks) is ExitCode.PASS:
        lines.append("\nEverything that a run needs is here.")
    else:
        broken = [c.name for c in checks if c.required and c.status == "missing"]
        lines.append(f"\nA run cannot start without: {', '.join(broken)}.")
    return "\n".join(lines)


def _python() -> Check:
    version = platform.python_version()
    if sys.version_info >= PYTHON_MIN:
        return Check(name="Python", status="ok", found=f"{version}, {sys.executable}")
    wanted = ".".join(map(str, PYTHON_MIN))
    return Check(
        name="Python", status="missing", found=version, fix=f"install Python {wanted} or newer"
    )


def _package(title: str, name: str) -> Check:
    # Not imported: importing locust patches the standard library.
    if importlib.util.find_spec(name) is None:
        return Check(
            name=title, status="missing", found="not installed", fix="make setup, or pip install ."
        )
    return Check(name=title, status="ok", found=importlib.metadata.version(name))


def _psycopg() -> Check:
    version = importlib.metadata.version("psycopg")
    if psycopg.pq.__impl__ != "python":
        found = f"{version} with C speed-ups ({psycopg.pq.__impl__})"
        return Check(name="psycopg", status="ok", found=found)
    return Check(
        name="psycopg",
        status="warning",
        found=f"{version} in pure Python: several times slower, and measured as the application's",
        fix="pip install 'psycopg[binary]'",
    )


def _postgresql(environ: Mapping[str, str], home: Path) -> Check:
    """Use the server of the URL, or really start one of ours."""
    url = environ.get(URL_VARIABLE)
    try:
        if url:
            server = use_server(url)
            found = f"{server.version} at {shown(url)} ({URL_VARIABLE})"
        else:
            with Workspace.create(purpose="test", home=home) as workspace:
                before = time.monotonic()
                server = start_server(workspace, settings=(("fsync", "off"),))
                took_s = time.monotonic() - before
            user = "" if unprivileged_user() is None else " as an unprivileged user"
            found = f"{server.version} ({server.origin}), started{user} in {took_s:.1f} s"
    except PalierError as error:
        return Check(name="PostgreSQL", status="missing", found=error.what, fix=error.fix)
    return Check(name="PostgreSQL", status="ok", found=found)


def _memory() -> Check:
    free_gib = psutil.virtual_memory().available / 2**30
    return at_least(
        "memory",
        free_gib,
        MEMORY_MIN_GIB,
        "GiB available",
        "end other programs, or use a machine with more",
    )


def _disk(home: Path) -> Check:
    try:
        free_gib = shutil.disk_usage(ensure_home(home)).free / 2**30
    except PalierError as error:
        return Check(name="disk", status="missing", found=error.what, fix=error.fix)
    return at_least(
        "disk", free_gib, DISK_MIN_GIB, f"GiB free in {home}", "free some, or set PALIER_HOME"
    )


def _user() -> Check:
    try:
        user = unprivileged_user()
    except PalierError as error:
        return Check(name="user", status="missing", found=error.what, fix=error.fix)
    if user is None:
        return Check(name="user", status="ok", found="not root")
    return Check(
        name="user", status="ok", found=f"root; PostgreSQL will run as user {user[0]} instead"
    )


def _left_behind(home: Path) -> Check:
    try:
        records = list_stacks(home)
    except PalierError as error:
        return Check(name="stacks", status="warning", found=error.what, fix=error.fix)
    stale = sum(record.stale() for record in records)
    up = sum(record.owner is None for record in records)
    if not stale and not up:
        return Check(name="stacks", status="ok", found="none left behind")
    return Check(
        name="stacks",
        status="warning",
        found=f"{up} left up, {stale} left by killed commands; they use cores a run needs",
        fix="palier down",
    )


def _redis(environ: Mapping[str, str]) -> Check:
    """Somebody's own server is asked for an answer; ours only looked for."""
    url = environ.get(REDIS_VARIABLE)
    if not url:
        return _program("Redis", lambda: find_redis(environ))
    try:
        version = version_of(url)
    except PalierError as error:
        return Check(
            name="Redis", status="missing", found=error.what, fix=error.fix, required=False
        )
    found = f"{version} at {redis_shown(url)} ({REDIS_VARIABLE})"
    return Check(name="Redis", status="ok", found=found, required=False)


def _program(title: str, find: Callable[[], Program]) -> Check:
    try:
        program = find()
    except PalierError as error:
        return Check(
            name=title,
            status="missing",
            found=f"{error.what}; only some larger tiers need it",
            fix=error.fix,
            required=False,
        )
    where = program.origin if program.origin != "PATH" else str(program.path)
    return Check(name=title, status="ok", found=f"{program.version} ({where})", required=False)
