"""Where an engine's lines, writes and samples go."""

from __future__ import annotations

from typing import Any, Protocol

from palier.load.recorder import Sent
from palier.load.writes import Write


class Sink(Protocol):
    """The files of a single loader (``scenarios.output``), or the way to a master
    (``scenarios.outbox``)."""

    def line(self, line: dict[str, Any]) -> None:
        """Take the next line."""

    def sample(self, sent: Sent) -> None:
        """Told of every request that was sent."""

    def write(self, write: Write) -> None:
        """Told of every request that was to change something, when its fate is known."""

    def close(self) -> None:
        """Nothing more will come."""
