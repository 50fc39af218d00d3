"""What a run needs, what is here, and how to get the rest."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import resource
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
import psycopg

from palier.errors import ExitCode, PalierError
from palier.stack.address import shown
from palier.stack.cleanup import list_stacks
from palier.stack.cpus import plan_cpus, usable_cores
from palier.stack.pooler import find_pgbouncer
from palier.stack.ports import ephemeral_ports
from palier.stack.postgres import URL_VARIABLE, start_server, use_server
from palier.stack.programs import Program
from palier.stack.redis_server import URL_VARIABLE as REDIS_VARIABLE
from palier.stack.redis_server import find_redis, version_of
from palier.stack.redis_server import shown as redis_shown
from palier.stack.registry import default_home, ensure_home
from palier.stack.web_cache import find_nginx
from palier.stack.workspace import Workspace, unprivileged_user

CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")

Status = Literal["ok", "warning", "missing"]

PYTHON_MIN = (3, 11)

MEMORY_MIN_GIB = 2.0
"""PostgreSQL's buffers, a few application processes, the loaders and their archive."""

DISK_MIN_GIB = 5.0
"""The data of the largest tier that fits a laptop, its indexes, and its write-ahead log."""

OPEN_FILES_MIN = 4_096
"""A loader holds one connection a session; a few thousand at once are common."""

EPHEMERAL_PORTS_MIN = 10_000
"""Each new connection to the application uses one, and a minute more after it is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at.

    Attributes:
        name: What.
        status: ``missing`` when it is not there or does not work, ``warning`` when a run works
            but its numbers may suffer.
        found: What is here.
        fix: What to do about it; empty when there is nothing to do.
        required: False for what only some tiers need.
    """

    name: str
    status: Status
    found: str
    fix: str = ""
    required: bool = True


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
        _cores(),
        _memory(),
        _disk(home),
        _open_files(),
        _ports(),
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


def _cores() -> Check:
    plan = plan_cpus(usable_cores())
    if plan.shared:
        return Check(
            name="cores", status="warning", found=plan.why, fix="measure on a machine with more"
        )
    allowed = _cgroup_cores()
    count = len(plan.generator) + len(plan.system)
    if allowed is not None and allowed < count:
        return Check(
            name="cores",
            status="warning",
            found=f"{count} visible, but this container may use {allowed:g} of them at a time",
            fix="raise the container's CPU limit, or pin it to whole cores",
        )
    return Check(name="cores", status="ok", found=plan.why)


def _cgroup_cores() -> float | None:
    """CPU limit of this container in cores; None without one. Source: cgroup v2, cpu.max."""
    try:
        quota, period = CPU_LIMIT.read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)


def _memory() -> Check:
    free_gib = psutil.virtual_memory().available / 2**30
    return _at_least(
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
    return _at_least(
        "disk", free_gib, DISK_MIN_GIB, f"GiB free in {home}", "free some, or set PALIER_HOME"
    )


def _at_least(name: str, value: float, least: float, what: str, fix: str) -> Check:
    found = f"{value:.1f} {what}"
    if value >= least:
        return Check(name=name, status="ok", found=found)
    return Check(name=name, status="warning", found=f"{found}; {least:g} are advised", fix=fix)


def _open_files() -> Check:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= OPEN_FILES_MIN:
        shown_limit = "no limit" if soft == resource.RLIM_INFINITY else f"{soft:,} at once"
        return Check(name="open files", status="ok", found=shown_limit)
    reachable = hard == resource.RLIM_INFINITY or hard >= OPEN_FILES_MIN
    return Check(
        name="open files",
        status="warning",
        found=f"{soft:,} at once; large tiers hold more connections than that",
        fix=f"ulimit -n {OPEN_FILES_MIN}" if reachable else "raise nofile in limits.conf",
    )


def _ports() -> Check:
    first, last = ephemeral_ports()
    count = last - first + 1
    found = f"{count:,} for outgoing connections ({first} to {last})"
    if count >= EPHEMERAL_PORTS_MIN:
        return Check(name="ports", status="ok", found=found)
    return Check(
        name="ports",
        status="warning",
        found=found,
        fix="sysctl -w net.ipv4.ip_local_port_range='32768 60999'",
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
