"""An exchange: the one request of an operation, and what came of it."""

from __future__ import annotations

from typing import Final

from palier.load.writes import Fate, Intent, Write
from scenarios.client.answer import Answer
from scenarios.operation import Failed

_REQUEST_ID: Final = b"x-request-id"


class Exchange:
    """The one request of a running operation. Instants of ``time.monotonic_ns``.

    Attributes:
        operation: Name of the operation.
        method: HTTP method.
        path: Path and query.
        started_ns: When it was sent; None before.
        ended_ns: When its last byte had come, or it was given up; None before.
        status: HTTP status; None when no answer came.
        message: What went wrong; empty when nothing did.
        intent: What the request was to write, if anything.
        came: The whole answer, right or wrong; None before, and when none came.
        answer: The right answer, once it has come whole; None before and otherwise.
    """

    # One is made for every request: what it begins with lies in the class.
    method = path = message = ""
    started_ns: int | None = None
    ended_ns: int | None = None
    status: int | None = None
    intent: Intent | None = None
    came: Answer | None = None
    answer: Answer | None = None

    def __init__(self, operation: str) -> None:
        self.operation = operation

    @property
    def request_id(self) -> str | None:
        """The answer's request id, if it has one. Worked out when asked for."""
        given = None if self.came is None else self.came.header(_REQUEST_ID)
        return None if given is None else given.decode("latin-1")

    def write(self, *, tenant: int, session: int) -> Write | None:
        """What became of the intent, for who keeps account of writes; None without one, and before
        the request ended.

        Args:
            tenant: Index of the tenant whose session it was.
            session: Index of the session.
        """
        intent = self.intent
        if intent is None or self.ended_ns is None:
            return None
        given = intent.id
        if given is None and self.answer is not None:
            given = _id_of(self.answer)
        return Write(
            at_ns=self.ended_ns,
            operation=self.operation,
            tenant=tenant,
            session=session,
            kind=intent.kind,
            action=intent.action,
            id=given,
            row=intent.row,
            fate=self._fate(),
        )

    def _fate(self) -> Fate:
        if self.answer is not None and self.answer.status < 300:
            return "acknowledged"
        if self.status is not None and 400 <= self.status < 500:
            return "refused"
        return "unanswered"


def _id_of(answer: Answer) -> str | None:
    """Id of what was created; None when the answer does not say."""
    try:
        given = answer.json()["id"]
    except (Failed, KeyError, TypeError):
        return None
    return given if isinstance(given, str) else None
