"""The application as it is served, and clients of its live changes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from app_support import CHEAP, SECRET, TOKENS, World, app_login, migrate_both

from palier.listeners.line import End, Line, open_line
from palier.model.tier import StackSpec
from palier.model.variant import Variant as StackVariant
from palier.stack.app import start_app
from palier.stack.workspace import Workspace
from reference_app.identity.principal import Principal
from reference_app.variant import Variant

Result = TypeVar("Result")

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

    async def next(self, *, signs_of_life: bool = False) -> dict[str, Any]:
        """The next message; fails when the line ends before it comes.

        Args:
            signs_of_life: Take those, too; a slow machine gives time for some in any test.
        """
        while True:
            message = await self._next()
            if signs_of_life or message["type"] != "alive":
                return message

    async def _next(self) -> dict[str, Any]:
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


class Cable:
    """A way to a service that can be cut and mended, in a thread of its own.

    Attributes:
        url: Its near end.
    """

    def __init__(self, url: str) -> None:
        self._target = int(url.rpartition(":")[2])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cable", daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self.url = ""

    def __enter__(self) -> Cable:
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._connect, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._server.close()
        self._do(self._server.wait_closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Break every connection, and take no more."""
        self._do(self._cut())

    def mend(self) -> None:
        """Take connections again."""
        self._is_cut = False

    def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _cut(self) -> None:
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, back}
        try:
            await asyncio.gather(_carry(reader, back), _carry(there, writer))
        except ConnectionError:
            pass  # it was cut
        finally:
            self._writers -= {writer, back}
            writer.transport.abort()
            back.transport.abort()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
