"""Which request this task works for.

A context variable, because it has to reach the database and the log past everything in between,
and none of that should carry it in its arguments. Each request is a task with a context of its own.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """A request, as far as statements and logs speak of it.

    Attributes:
        request_id: As in ``X-Request-ID``; empty when no request is answered.
        may_write: Whether its method allows it to change anything.
    """

    request_id: str = ""
    may_write: bool = False


NOBODY = Origin()
"""Nobody asked: start-up, checks of our own."""

origin: ContextVar[Origin] = ContextVar("origin", default=NOBODY)
