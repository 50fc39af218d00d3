"""The application as it is served, and clients of its live changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from app_support import CHEAP, SECRET, TOKENS, World, app_login, migrate_both

from palier.listeners.line import End, Line, open_line
from palier.model.tier import StackSpec
from palier.model.variant import Variant as StackVariant
from palier.stack.app import start_app
from palier.stack.workspace import Workspace
from reference_app.identity.principal import Principal
from reference_app.variant import Variant

PATIENCE_S = 30.0
"""Longest wait for something that happens in milliseconds on an idle machine."""


@dataclass(frozen=True, slots=True)
class Served:
    """Processes of the application, the database behind them, and the rows in it."""

    url: str
    world: World


@contextmanager
def served(admin_url: str, home: Path, *, processes: int = 1, **settings: str) -> Iterator[Served]:
    """The application on its real server, on a migrated database."""
    migrate_both(admin_url, Variant(row_security="wrapped"))
    environment = {
        "APP_DATABASE_URL": app_login(admin_url),
        "APP_JWT_SECRET": SECRET,
        "APP_LOG_LEVEL": "INFO",
        **{f"APP_{name.upper()}": value for name, value in settings.items()},
    }
    with (
        Workspace.create(purpose="test", home=home) as workspace,
        psycopg.connect(admin_url, autocommit=True) as connection,
    ):
        app = start_app(
            workspace,
            spec=StackSpec(app_processes=processes, pool_size=4, password_hash_log2_n=CHEAP),
            variant=StackVariant(row_security="wrapped"),
            environment=environment,
        )
        yield Served(app.url, World(admin_url, connection))


def change_plan(world: World, admin: Principal, plan: str) -> None:
    """Another plan for a group, past the application."""
    world.run(
        "UPDATE subscriptions SET plan_id = (SELECT id FROM subscription_plans WHERE slug = %s)"
        " WHERE school_group_id = %s",
        plan,
        admin.tenant_id,
    )


class Client:
    """A listener that keeps what it was told."""

    def __init__(self, line: Line, messages: asyncio.Queue[str]) -> None:
        self.line = line
        self._messages = messages

    async def next(self) -> dict[str, Any]:
        """The next message; fails when the line ends before it comes."""
        getting = asyncio.ensure_future(self._messages.get())
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait([getting, self.line.ended], return_when=asyncio.FIRST_COMPLETED)
        if not getting.done():
            getting.cancel()
            raise AssertionError(f"no message: {self.line.ended.result()}")
        message: dict[str, Any] = json.loads(getting.result())
        return message

    async def end(self) -> End:
        """How the line ends."""
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.shield(self.line.ended)

    def waiting(self) -> int:
        """Messages that came and were not taken."""
        return self._messages.qsize()


@asynccontextmanager
async def listening(
    url: str, who: Principal, since: int | None = None, *, token: str | None = None
) -> AsyncIterator[Client]:
    """A listener; its first message is the server's hello."""
    messages: asyncio.Queue[str] = asyncio.Queue()
    line = await open_line(
        url,
        path="/api/live" + ("" if since is None else f"?since={since}"),
        token=TOKENS.issue(who) if token is None else token,
        on_message=lambda text, _ns: messages.put_nowait(text),
    )
    try:
        yield Client(line, messages)
    finally:
        line.close()
        await line.ended
