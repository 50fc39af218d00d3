"""Who listens in this process, and who is told what.

No input or output here: events come in by number, messages wait in queues. A listener is in the hub
before the database is asked where it stands, so nothing falls between that answer and the first
event: what is heard meanwhile waits, and what the answer already held is left out by its number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from reference_app.live.events import Hello, PlanEvent, message, told

BACKLOG_MAX = 100
"""Messages that wait for a slow reader. A plan changes a few times a year: who is a hundred behind
does not read, and will ask for the rest when it comes back."""


class Listener:
    """One open socket.

    Attributes:
        tenant_id: Whose socket it is.
        messages: What waits to be sent; None ends the socket.
        is_too_slow: It did not take its messages, and misses some by now.
    """

    __slots__ = ("_last", "_plan_id", "_until_begun", "is_too_slow", "messages", "tenant_id")

    def __init__(self, tenant_id: UUID) -> None:
        self.tenant_id = tenant_id
        self.messages: asyncio.Queue[str | None] = asyncio.Queue()
        self.is_too_slow = False
        self._last = 0  # all up to it was put, or is not for this one
        self._plan_id: UUID | None = None
        self._until_begun: list[tuple[PlanEvent, str]] | None = []

    def begin(
        self, *, since: int | None, last: int, plan_id: UUID | None, missed: Sequence[PlanEvent]
    ) -> None:
        """Tell it where it stands and what it missed; from now on events reach it.

        Args:
            since: The last number that it saw; None when it saw none.
            last: Number of the newest event when the database was asked.
            plan_id: Plan of the tenant at that moment.
            missed: Events after ``since``, up to ``last``.
        """
        self._last, self._plan_id = last, plan_id
        # Not yet ``last`` for who missed something: the line may break before they are through.
        self._put(message(Hello(last if since is None else since)))
        for event in missed:
            self._put(message(told(event)))
        waiting, self._until_begun = self._until_begun or [], None
        for event, text in waiting:
            self.offer(event, text)

    def offer(self, event: PlanEvent, text: str) -> None:
        """Take an event if it concerns this tenant and is new to it."""
        if self._until_begun is not None:
            self._until_begun.append((event, text))
            return
        if event.number <= self._last:
            return
        self._last = event.number
        if event.school_group_id is None:
            if event.plan_id == self._plan_id:
                self._put(text)
        elif event.school_group_id == self.tenant_id:
            self._plan_id = event.plan_id
            self._put(text)

    @property
    def last(self) -> int:
        """Number of the newest event that it was offered or began with."""
        return self._last

    def end(self) -> None:
        """Nothing more will come."""
        self.messages.put_nowait(None)

    def _put(self, text: str) -> None:
        if self.is_too_slow:
            return
        if self.messages.qsize() >= BACKLOG_MAX:
            self.is_too_slow = True
            self.end()
            return
        self.messages.put_nowait(text)


class Hub:
    """The listeners of this process, by tenant.

    Attributes:
        newest: Number of the newest event that was handed on; 0 before the first.
    """

    def __init__(self) -> None:
        self.newest = 0
        self._by_tenant: dict[UUID, set[Listener]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def listening(self, tenant_id: UUID) -> Iterator[Listener]:
        """A new listener, for as long as the context lasts."""
        listener = Listener(tenant_id)
        self._by_tenant.setdefault(tenant_id, set()).add(listener)
        self._count += 1
        try:
            yield listener
        finally:
            self._count -= 1
            others = self._by_tenant[tenant_id]
            others.discard(listener)
            if not others:
                del self._by_tenant[tenant_id]

    def tell(self, event: PlanEvent) -> None:
        """Hand an event to those it concerns; encoded once for all of them."""
        self.newest = event.number
        text = message(told(event))
        if event.school_group_id is None:
            # Each listener knows its plan: a few comparisons more, and no second book to keep.
            for listeners in self._by_tenant.values():
                for listener in listeners:
                    listener.offer(event, text)
            return
        for listener in self._by_tenant.get(event.school_group_id, ()):
            listener.offer(event, text)

    def end_all(self) -> None:
        """End every socket; they come back and say what they saw last."""
        for listeners in self._by_tenant.values():
            for listener in listeners:
                listener.end()
