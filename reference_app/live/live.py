"""What is live in one process: the feed, the hub, and what their sockets need."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge

from reference_app.database import Database
from reference_app.identity.principal import Principal
from reference_app.identity.tokens import Tokens
from reference_app.live.feed import Feed
from reference_app.live.hub import Hub
from reference_app.live.missed import Standing, where_it_stands
from reference_app.settings import Settings


class Live:
    """The live changes of one process.

    Args:
        database: Asked where a group stands.
        tokens: Of those who listen.
        settings: Where to listen, and how long to wait for it.
        registry: Of the process's metrics.

    Attributes:
        hub: Who listens.
    """

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        settings: Settings,
        registry: CollectorRegistry,
    ) -> None:
        self.hub = Hub()
        self._database = database
        self._tokens = tokens
        self._feed = Feed(
            settings.live_url or settings.database_url,
            tell=self.hub.tell,
            end_all=self.hub.end_all,
            registry=registry,
        )
        self._patience_s = settings.pool_timeout_s
        sockets = Gauge("app_live_sockets", "Open sockets of live changes", registry=registry)
        sockets.set_function(lambda: len(self.hub))

    async def close(self) -> None:
        """End every socket, and stop listening."""
        self.hub.end_all()
        await self._feed.close()

    async def begin(self) -> None:
        """Listen from now on.

        Raises:
            psycopg.OperationalError: The database cannot be reached.
        """
        await self._feed.begin(self._patience_s)

    async def standing(self, who: Principal, since: int | None) -> Standing:
        """Where a group stands; see :func:`where_it_stands`."""
        return await where_it_stands(self._database, who, since)

    def admits(self, token: str) -> Callable[[], object]:
        """A question that raises InvalidTokenError once the token has ended."""
        return lambda: self._tokens.read(token)
