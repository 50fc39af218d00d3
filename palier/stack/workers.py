"""Processes of ours beside the application: workers, and the outside world they talk to."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Mapping, Sequence

from palier.stack.environments import python_environment
from palier.stack.health import wait_until
from palier.stack.listening import start_listening
from palier.stack.ports import HOST, listens
from palier.stack.process import Child
from palier.stack.workspace import Workspace

OUTSIDE_WORLD = "calendar_platform"
"""Name of the part that answers for every host that is not ours: calendars, receivers, cards."""

CALENDAR_MODULE = "palier.stack.calendar_platform"

CALENDAR_HOSTS = (
    "calendar.airbnb.example",
    "calendar.booking.example",
    "calendar.abritel.example",
)
"""Names in the seeded feed addresses; the platform answers for all of them."""

START_DEADLINE_S = 60.0
"""Importing a worker takes a second, more on a busy machine."""


def start_worker(
    workspace: Workspace,
    name: str,
    module: str,
    *arguments: str,
    ready_line: str,
    environment: Mapping[str, str],
    cpus: Sequence[int] = (),
) -> Child:
    """Start ``python -m module arguments`` and wait until it says that it is ready.

    Args:
        workspace: Owns the process.
        name: Component.
        module: What to run; it ends on SIGTERM.
        arguments: Of its command line, which every user of the machine can see.
        ready_line: Part of the line it writes when it has begun to work.
        environment: All it knows; added to a clean environment.
        cpus: Cores it may use; empty means all.

    Raises:
        StackError: It ended, or was not ready in time; with its last log lines.
    """
    process = workspace.start(
        name,
        [sys.executable, "-P", "-m", module, *arguments],
        env=python_environment() | dict(environment),
        cpus=cpus,
    )
    wait_until(
        lambda: None if ready_line in process.output() else f"it has not said {ready_line!r}",
        deadline_s=START_DEADLINE_S,
        component=name,
        process=process,
    )
    return process


def start_calendar_platform(
    workspace: Workspace,
    *,
    seed: int,
    environment: Mapping[str, str] | None = None,
    cpus: Sequence[int] = (),
) -> tuple[Child, str]:
    """Start the booking platforms' calendars, a forward proxy that is the whole outside world.

    Args:
        workspace: Owns the process.
        seed: Decides what is in the feeds.
        environment: What it must know of the stack; added to a clean environment.
        cpus: Cores it may use; empty means all.

    Returns:
        The process and its address.

    Raises:
        StackError: It does not start; with its last log lines.
    """
    process, port = start_listening(
        workspace,
        OUTSIDE_WORLD,
        lambda port: [
            sys.executable,
            "-P",
            *("-m", CALENDAR_MODULE),
            *("--host", HOST, "--port", str(port)),
            *("--seed", str(seed)),
        ],
        env=python_environment() | dict(environment or {}),
        why_not_ready=_why_not_answering,
        deadline_s=START_DEADLINE_S,
        cpus=cpus,
    )
    return process, f"http://{HOST}:{port}"


def _why_not_answering(process: Child, port: int) -> str | None:
    if not listens(process.pids(), port):
        return f"it does not listen on port {port}"
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"GET /health: {error}"
    finally:
        connection.close()
    return None if answer.status == 200 else f"GET /health answered {answer.status}"
