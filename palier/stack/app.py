"""The reference application on Granian, and its schema."""

from __future__ import annotations

import http.client
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from palier.model.tier import StackSpec
from palier.model.variant import Variant
from palier.stack.address import parts_of, without_password
from palier.stack.environments import python_environment, variant_json
from palier.stack.listening import start_listening
from palier.stack.ports import HOST, listens
from palier.stack.process import Child
from palier.stack.workspace import Workspace

APP_TARGET = "reference_app.app:create_app"
MIGRATE_MODULE = "reference_app.migrate"

START_DEADLINE_S = 60.0
"""Importing the application takes a second or two for each process, more on a busy machine."""

MIGRATE_DEADLINE_S = 3_600.0
"""Building indexes over the largest tier's data is minutes of honest work."""

_WORKER_KILL_S = 3
"""Granian kills a worker that does not end in this time, before we would kill Granian."""

_WORKER_STARTED = "Started worker-"
"""Granian's line for each worker that has loaded the application."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The running application.

    Attributes:
        url: ``http://127.0.0.1:port``.
        process: Granian's main process; its workers are descendants.
    """

    url: str
    process: Child


def migrate(
    workspace: Workspace,
    *,
    admin_url: str,
    stage: Literal["before-data", "after-data"],
    variant: Variant,
) -> None:
    """Apply one stage of the schema (docs/architecture.md, "The reference application").

    Raises:
        StackError: It failed; with its last log lines.
    """
    workspace.run(
        f"migrate-{stage}",
        [
            sys.executable,
            "-P",
            *("-m", MIGRATE_MODULE),
            # Arguments are visible to every user of the machine, environments are not.
            *("--url", without_password(admin_url)),
            *("--stage", stage),
            *("--variant", variant_json(variant)),
        ],
        env=python_environment() | {"PGPASSWORD": parts_of(admin_url).get("password", "")},
        deadline_s=MIGRATE_DEADLINE_S,
    )


def start_app(
    workspace: Workspace,
    *,
    spec: StackSpec,
    variant: Variant,
    environment: Mapping[str, str],
    cpus: Sequence[int] = (),
    target: str = APP_TARGET,
) -> App:
    """Start the application and wait until it says that it is ready.

    Args:
        workspace: Owns the process.
        spec: Number of processes, pool size, password cost.
        variant: Switches.
        environment: What it must know of the stack: ``APP_DATABASE_URL`` and more.
        cpus: Cores it may use; empty means all.
        target: ``module:factory`` of the ASGI application.

    Raises:
        StackError: It does not start or get ready; with its last log lines.
    """
    whole = python_environment() | {
        "APP_POOL_SIZE": str(spec.pool_size),
        "APP_POOL_MIN": str(spec.pool_min or spec.pool_size),
        "APP_STATEMENT_RETRIES": str(spec.statement_retries),
        "APP_JWT_SECRET": secrets.token_urlsafe(32),
        "APP_VARIANT": variant_json(variant),
        "APP_PASSWORD_LOG2_N": str(spec.password_hash_log2_n),
        **environment,
    }
    process, port = start_listening(
        workspace,
        "app",
        lambda port: [
            sys.executable,
            "-P",
            *("-m", "granian"),
            *("--interface", "asgi", "--factory"),
            *("--host", HOST, "--port", str(port)),
            *("--workers", str(spec.app_processes)),
            *("--loop", "uvloop", "--http", "1"),
            *("--workers-kill-timeout", str(_WORKER_KILL_S)),
            target,
        ],
        env=whole,
        why_not_ready=partial(_why_not_ready, spec.app_processes),
        deadline_s=START_DEADLINE_S,
        cpus=cpus,
    )
    return App(url=f"http://{HOST}:{port}", process=process)


def _why_not_ready(workers: int, process: Child, port: int) -> str | None:
    """None when all workers are there and one answers 200 to ``GET /health/ready``, else why not.

    Args:
        workers: Asked number of worker processes; the port answers as soon as the first is up.
        process: Granian's main process.
        port: Where it should listen.
    """
    if not listens(process.pids(), port):
        return f"it does not listen on port {port}"
    started = process.output().count(_WORKER_STARTED)
    if started < workers:
        return f"{started} of {workers} worker processes have started"
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        body = answer.read(200).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"GET /health/ready: {error}"
    finally:
        connection.close()
    return None if answer.status == 200 else f"GET /health/ready answered {answer.status} {body}"
