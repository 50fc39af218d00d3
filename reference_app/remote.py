"""Redis, which may be away: a short time limit, and a rest after each failure.

Nothing here is needed to answer a request. Who asks gets an answer or :class:`RemoteAwayError`
within a second or two, and goes on without it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from reference_app.redis_line import Line, LineError, RefusedError, Value, connect, parse_address

TIMEOUT_S = 1.0
"""To connect, and to be answered. An answer takes less than a millisecond, but a busy process may
not read it for a while: taken for an outage, that would cost the cache just when it is needed
most."""

REST_S = 1.0
"""After a failure nobody asks for so long. Then one finds out for all: an outage costs a request
in a while, not each."""

LOG_EVERY_S = 10.0

logger = logging.getLogger("reference_app")


class RemoteAwayError(Exception):
    """Redis did not answer, refused, or was not asked because it has just not answered."""


class UnknownScriptError(RemoteAwayError):
    """Redis was restarted since it was told the script, or never was."""


class Remote:
    """One Redis, as this process sees it.

    Args:
        url: ``redis://host:port/0``.
        prefix: Of every key of ours; others may use the same Redis.
        connecting: Makes a connection.
        clock: Seconds that only go forward.

    Raises:
        ValueError: The address is none.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "",
        connecting: Callable[[], Awaitable[Line]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        address = parse_address(url)
        self.prefix = prefix
        self._connecting = connecting or (lambda: connect(address, TIMEOUT_S))
        self._clock = clock
        self._line: Line | None = None
        self._attempt: asyncio.Task[Line] | None = None
        self._rests_until: float | None = None
        self._next_log: float | None = None
        self._unlogged = 0

    async def ask(self, *command: Value) -> Any:
        """Run one command.

        Raises:
            RemoteAwayError: It did not answer in time, refused, or is being left alone.
        """
        if self._rests_until is not None:
            if self._clock() < self._rests_until:
                raise RemoteAwayError("left alone for a moment after a failure")
            # This one finds out whether it is back; the others go on without meanwhile.
            self._rests_until = self._clock() + 2 * TIMEOUT_S + REST_S
        try:
            line = self._line
            if line is None or not line.is_open:
                line = await self._connected()
            answer = await line.ask(*command)
        except LineError as error:
            self._rests_until = self._clock() + REST_S
            self._log(error)
            raise RemoteAwayError(str(error)) from error
        except RefusedError as error:
            # It is there; what is wrong with this command is not wrong with the next one.
            self._rests_until = None
            if str(error).startswith("NOSCRIPT"):
                raise UnknownScriptError(str(error)) from error
            self._log(error)
            raise RemoteAwayError(str(error)) from error
        self._rests_until = None
        return answer

    async def run_script(self, script: str, key: str, *arguments: int) -> Any:
        """Run a script on one key of ours, known to the server by its digest.

        Raises:
            RemoteAwayError: As :meth:`ask`.
        """
        digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        try:
            return await self.ask("EVALSHA", digest, 1, self.prefix + key, *arguments)
        except UnknownScriptError:
            return await self.ask("EVAL", script, 1, self.prefix + key, *arguments)

    async def close(self) -> None:
        """Close the connection."""
        if self._attempt is not None:
            await asyncio.wait([self._attempt])
        if self._line is not None:
            await self._line.close()

    async def _connected(self) -> Line:
        """One attempt for all who need it at the moment; they fail together, too."""
        if self._attempt is None or self._attempt.done():
            self._attempt = asyncio.create_task(self._connect())
            self._attempt.add_done_callback(_look_at)
        # Shielded: who goes away must not end it for the others.
        return await asyncio.shield(self._attempt)

    async def _connect(self) -> Line:
        self._line = await self._connecting()
        return self._line

    def _log(self, error: Exception) -> None:
        """Once in a while: during an outage there is a failure a second and process."""
        now = self._clock()
        if self._next_log is not None and now < self._next_log:
            self._unlogged += 1
            return
        logger.warning(
            "redis unavailable: %s (%d more since the last such line)", error, self._unlogged
        )
        self._next_log = now + LOG_EVERY_S
        self._unlogged = 0


def _look_at(attempt: asyncio.Task[Line]) -> None:
    """Everybody who waited may be gone; a failure is theirs, not the event loop's."""
    if not attempt.cancelled():
        attempt.exception()
