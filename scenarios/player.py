"""What the engine asks of whoever plays a session: our own scenarios, and stock Locust's users."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from palier.load.outcome import Outcome
from palier.load.writes import Write
from scenarios.operation import Operation


class Request(Protocol):
    """The request of the operation that ran last. Instants of ``time.monotonic_ns``.

    Attributes:
        started_ns: When it was sent; None if it was not.
        ended_ns: When it ended.
        message: What went wrong; empty when nothing did.
    """

    started_ns: int | None
    ended_ns: int | None
    message: str

    @property
    def status(self) -> int | None:
        """HTTP status; None when no answer came."""

    @property
    def request_id(self) -> str | None:
        """The answer's request id, if it has one."""


class Player(Protocol):
    """Plays one session after the other.

    Attributes:
        session: Number of the session.
        observations: Largest value seen of each fact worth judging, by name.
        tallies: How often each question was answered yes, and how often it was asked.
        on_send: Told the instant at which a request is sent.
        on_write: Told what became of a write.
    """

    session: int
    observations: dict[str, float]
    tallies: dict[str, list[int]]
    on_send: Callable[[int], None] | None
    on_write: Callable[[Write], None] | None

    @property
    def operations(self) -> Mapping[str, Operation]:
        """What it can do, by name."""

    @property
    def exchange(self) -> Request:
        """The request of the operation that ran last."""

    def begin(self, *, tenant: int, session: int) -> None:
        """Become another visitor."""

    def perform(self, name: str) -> Outcome:
        """Run one operation to its end.

        Raises:
            CannotFollow: Nothing was sent, because an earlier operation failed.
        """
