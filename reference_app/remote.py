"""Redis, which may be away: short time-outs, and a rest after each failure.

Nothing here is needed to answer a request. Who asks gets an answer or :class:`RemoteAwayError`
within a second, and goes on without it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

TIMEOUT_S = 1.0
"""To connect, to be answered, to get one of the connections. An answer takes less than a
millisecond, but a busy process may not read it for a while: taken for an outage, that would cost
the cache just when it is needed most."""

REST_S = 1.0
"""After a failure nobody asks for so long. Then one finds out for all: an outage costs a request
in a while, not each."""

CONNECTIONS_MAX = 8
"""Commands last a fraction of a millisecond, so a process has few of them under way."""

LOG_EVERY_S = 10.0

logger = logging.getLogger("reference_app")

Answer = TypeVar("Answer")


class RemoteAwayError(Exception):
    """Redis did not answer, or was not asked because it has just not answered."""


class Remote:
    """One pool of connections to one Redis.

    Args:
        url: ``redis://host:port/0``.
        prefix: Of every key of ours; others may use the same Redis.
        connections: At most so many.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "",
        connections: int = CONNECTIONS_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.prefix = prefix
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            # A retry would wait as long again; a miss is cheaper.
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = Redis(connection_pool=self._pool)
        self._scripts: dict[str, AsyncScript] = {}
        self._clock = clock
        self._rests_until: float | None = None
        self._next_log: float | None = None
        self._unlogged = 0

    async def ask(self, question: Callable[[Redis], Awaitable[Answer]]) -> Answer:
        """Run one command, or one pipeline.

        Raises:
            RemoteAwayError: It did not answer in time, refused, or is being left alone.
        """
        if self._rests_until is not None:
            if self._clock() < self._rests_until:
                raise RemoteAwayError("left alone for a moment after a failure")
            # This one finds out whether it is back; the others go on without meanwhile.
            self._rests_until = self._clock() + TIMEOUT_S + REST_S
        try:
            answer = await question(self._redis)
        except (RedisError, OSError) as error:
            self._rests_until = self._clock() + REST_S
            self._log(error)
            raise RemoteAwayError(str(error)) from error
        self._rests_until = None
        return answer

    async def run_script(self, script: str, key: str, *arguments: int) -> Any:
        """Run a script on one key of ours, known to the server by its digest.

        Raises:
            RemoteAwayError: As :meth:`ask`.
        """
        registered = self._scripts.get(script)
        if registered is None:
            registered = self._scripts[script] = self._redis.register_script(script)
        return await self.ask(lambda _: registered(keys=[self.prefix + key], args=arguments))

    async def close(self) -> None:
        """Close every connection."""
        await self._redis.aclose()
        await self._pool.disconnect()

    def _log(self, error: Exception) -> None:
        """Once in a while: during an outage there is a failure a second and process."""
        now = self._clock()
        if self._next_log is not None and now < self._next_log:
            self._unlogged += 1
            return
        logger.warning(
            "redis unavailable: %s: %s (%d more since the last such line)",
            *(type(error).__name__, error, self._unlogged),
        )
        self._next_log = now + LOG_EVERY_S
        self._unlogged = 0
