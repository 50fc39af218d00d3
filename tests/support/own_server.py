"""A PostgreSQL of a test's own, which it may stop and start again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from palier.stack.environments import server_environment
from palier.stack.health import wait_until
from palier.stack.postgres import start_server, why_not_answering
from palier.stack.workspace import Workspace

FAST = (("fsync", "off"), ("shared_buffers", "16MB"))


class OwnServer:
    """Keeps its data and its port over a restart."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        server = start_server(workspace, settings=FAST)
        assert server.process is not None
        self._process = server.process
        self._command = psutil.Process(server.process.pid).cmdline()
        self.url = server.maintenance_url

    def stop(self) -> None:
        """As its administrator would: every connection is cut off."""
        self._workspace.stop(self._process)

    def start(self) -> None:
        """Again, and wait until it answers."""
        self._process = self._workspace.start(
            "postgres",
            self._command,
            env=server_environment(),
            signals=("SIGINT", "SIGQUIT"),
            unprivileged=True,
        )
        wait_until(
            lambda: why_not_answering(self.url),
            deadline_s=60,
            component="postgres",
            process=self._process,
        )


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """Gone with the block."""
    with Workspace.create(purpose="test") as workspace:
        yield OwnServer(workspace)
