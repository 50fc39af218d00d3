"""Starting a component that listens on a port, and knowing that the answer there is ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from palier.errors import StackError
from palier.stack.health import last_lines, wait_until
from palier.stack.ports import free_port, somebody_else_listens
from palier.stack.process import Child
from palier.stack.workspace import Workspace

_PORT_TRIES = 5

_TAKEN = "Address already in use"
"""Every server words the error EADDRINUSE by the C library's text."""


def start_listening(
    workspace: Workspace,
    name: str,
    command: Callable[[int], Sequence[str]],
    *,
    env: Mapping[str, str],
    why_not_ready: Callable[[Child, int], str | None],
    deadline_s: float,
    signals: tuple[str, ...] = ("SIGTERM",),
    unprivileged: bool = False,
    cpus: Sequence[int] = (),
) -> tuple[Child, int]:
    """Start a server on a free loopback port and wait until it is ready.

    Another port is tried when somebody was quicker to take the first.

    Args:
        workspace: Owns the process.
        name: Component.
        command: Program and arguments, given the port; may write the configuration for it.
        env: Its whole environment.
        why_not_ready: None when the process is ready on the port, else why it is not yet.
        deadline_s: Longest wait, in seconds.
        signals: Names of the signals that end it, politest first.
        unprivileged: Give up root, when we are root.
        cpus: Cores it may use; empty means all.

    Returns:
        The process and its port.

    Raises:
        StackError: It does not start or get ready; with its last log lines.
    """
    for remaining in reversed(range(_PORT_TRIES)):
        port = free_port()
        process = workspace.start(
            name, command(port), env=env, signals=signals, unprivileged=unprivileged, cpus=cpus
        )
        try:
            wait_until(
                partial(why_not_ready, process, port),
                deadline_s=deadline_s,
                component=name,
                process=process,
            )
        except StackError:
            taken = any(_TAKEN in line for line in last_lines(process.log_path))
            workspace.stop(process)
            if taken and remaining:
                continue
            raise
        if somebody_else_listens(process.pids(), port) and remaining:
            workspace.stop(process)
            continue
        return process, port
    raise AssertionError("the last try returns or raises")
