"""Where an engine's lines, writes and samples go."""

from __future__ import annotations

from typing import Protocol

from palier.load.recorder import Sent
from palier.load.writes import Write


class Sink(Protocol):
    """The files of a single loader (``scenarios.output``), or the way to a master
    (``scenarios.outbox``).

    Attributes:
        wants_samples: True if it is to be told of every request.
    """

    @property
    def wants_samples(self) -> bool: ...

    def line(self, text: str, *, seq: int, final: bool) -> None:
        """Take the next line.

        Args:
            text: The line, with its line end.
            seq: Its number.
            final: True for the last one.
        """

    def sample(self, sent: Sent) -> None:
        """Told of a request that was sent."""

    def write(self, write: Write) -> None:
        """Told of every request that was to change something, when its fate is known."""

    def close(self) -> None:
        """Nothing more will come."""
