"""Whether a system has anything left to do: facts to wait for between two loads, not a time.

Three of them: a lone request is answered as fast as before any load, no statement is at work in
the database, and no queue table holds more than it did. Of somebody's own service only the first
can be seen.
"""

from __future__ import annotations

import http.client
import statistics
import time
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from palier.errors import StackError
from palier.telemetry.link import APPLICATION_NAME, Link

QUEUES: Final = ("sync_queue",)
"""Tables of tasks that somebody works off later; a system may lack them."""

LONE_REQUESTS: Final = 5
"""So many in a row have to be fast: one alone may slip into a gap of a queue that stays."""

LOOK_EVERY_S: Final = 0.1

PATIENCE_S: Final = 10.0
"""For one lone request; it is what a load waits for an answer, too."""

SLOWER: Final = 2.0
"""A lone request may take this many times what it took before: answers vary by themselves."""

_AT_WORK = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
      AND state <> 'idle' AND pid <> pg_backend_pid() AND application_name <> %s
"""


class Seen(Protocol):
    """What of a stack is looked at."""

    @property
    def admin_url(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a system has to do at one moment.

    Attributes:
        alone_s: Slowest of a few lone requests; infinite when one was not answered.
        at_work: Statements that the database works on.
        queued: Tasks in its queue tables.
        silent: What the database said instead; empty when it answered.
    """

    alone_s: float
    at_work: int = 0
    queued: int = 0
    silent: str = ""


class Backlog:
    """Remembers how a system is at rest, and waits until it is so again.

    Args:
        url: Of the service; a request for ``/`` is sent to it, and any answer will do.
        stack: Its parts; None when they are not ours to look into.
        fast_s: A lone request that is faster than this is fast, whatever it took before.

    Raises:
        StackError: The service does not answer.
    """

    def __init__(self, url: str, stack: Seen | None, *, fast_s: float) -> None:
        self._url = url
        self._link = None if stack is None else Link(stack.admin_url)
        before = [self._answered_in() for _ in range(LONE_REQUESTS)]
        if max(before) >= PATIENCE_S:
            raise StackError(
                what=f"a lone request for / got no answer within {PATIENCE_S:g} s",
                where=url,
                fix="start the service, or let it answer plain HTTP requests there",
            )
        self._fast_s = max(fast_s, SLOWER * statistics.median(before))
        self._queued = 0 if self._link is None else _look_at_database(self._link)[1]

    def __enter__(self) -> Backlog:
        return self

    def __exit__(self, *_: object) -> None:
        if self._link is not None:
            self._link.close()

    def wait_until_gone(self, at_most_s: float) -> str:
        """Wait for the system to be at rest.

        Returns:
            What was left at the end of the time; empty when nothing was.
        """
        end = time.monotonic() + at_most_s
        while left := self._words(self._look()):
            if time.monotonic() >= end:
                return left
            time.sleep(LOOK_EVERY_S)
        return ""

    def _look(self) -> Left:
        slowest = 0.0
        for _ in range(LONE_REQUESTS):
            slowest = max(slowest, self._answered_in())
            if slowest > self._fast_s:
                break
        if self._link is None:
            return Left(alone_s=slowest)
        try:
            at_work, queued = _look_at_database(self._link)
        except psycopg.Error as error:
            return Left(alone_s=slowest, silent=str(error).strip())
        return Left(alone_s=slowest, at_work=at_work, queued=queued)

    def _words(self, left: Left) -> str:
        parts = []
        if left.alone_s > self._fast_s:
            parts.append(f"a lone request takes more than {self._fast_s * 1000:.0f} ms")
        if left.silent:
            parts.append(f"the database does not answer ({left.silent})")
        if left.at_work:
            parts.append(f"the database works on {left.at_work} statements")
        if left.queued > self._queued:
            parts.append(f"{left.queued - self._queued} tasks more than before are queued")
        return ", ".join(parts)

    def _answered_in(self) -> float:
        """Seconds until a lone request was answered, with whatever; at least ``PATIENCE_S`` when it
        was not."""
        parts = urlsplit(self._url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE_S)
        began = time.monotonic()
        try:
            connection.request("GET", parts.path or "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            # A system that refuses or breaks off is not at rest.
            return PATIENCE_S
        finally:
            connection.close()
        return time.monotonic() - began


def _look_at_database(link: Link) -> tuple[int, int]:
    """Statements at work, and tasks in the queues."""
    connection = link.connection()
    [(at_work,)] = connection.execute(_AT_WORK, (APPLICATION_NAME,)).fetchall()
    queued = 0
    for table in QUEUES:
        [(there,)] = connection.execute("SELECT to_regclass(%s)", (table,)).fetchall()
        if there is not None:
            waiting = sql.SQL("SELECT count(*) FROM {} WHERE status IN ('pending', 'processing')")
            [(count,)] = connection.execute(waiting.format(sql.Identifier(table))).fetchall()
            queued += int(count)
    return int(at_work), queued
