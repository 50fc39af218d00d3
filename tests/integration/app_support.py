"""The reference application in this process, on a real database, and a world to put into it."""

from __future__ import annotations

import asyncio
import re
import threading
import time
import uuid
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import httpx
import psycopg
from litestar import Litestar
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from reference_app.app import create_app
from reference_app.identity.passwords import hash_password
from reference_app.identity.principal import Principal
from reference_app.identity.tokens import Tokens
from reference_app.migrate import migrate
from reference_app.settings import Settings
from reference_app.variant import Variant

SECRET = "only for tests, and long enough for HS256"
TOKENS = Tokens(SECRET, ttl_s=600)
PASSWORD = "palier-1"
CHEAP = 2
"""log2 of the scrypt cost in tests."""

PASSWORD_HASH = hash_password(PASSWORD, b"salt of all test", CHEAP)

Result = TypeVar("Result")


def migrate_both(admin_url: str, variant: Variant) -> None:
    """The schema of an empty database."""
    migrate(admin_url, "before-data", variant)
    migrate(admin_url, "after-data", variant)


def app_login(admin_url: str) -> str:
    """A login that acts as ``app_user`` and for a guest as ``app_guest``; see palier.stack."""
    return _login(admin_url, "app", ("app_user", "app_guest"))


def worker_login(admin_url: str) -> str:
    """A login that acts as ``app_worker``."""
    return _login(admin_url, "worker", ("app_worker",))


def _login(admin_url: str, purpose: str, roles: tuple[str, ...]) -> str:
    """Dropped with the database, whose name it carries; acts as the first of the roles."""
    parts = conninfo_to_dict(admin_url)
    role = f"{parts['dbname']}_{purpose}"
    password = uuid.uuid4().hex
    with psycopg.connect(admin_url) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOINHERIT PASSWORD {} IN ROLE {}").format(
                sql.Identifier(role),
                sql.Literal(password),
                sql.SQL(", ").join(map(sql.Identifier, roles)),
            )
        )
        connection.execute(
            sql.SQL("ALTER ROLE {} SET role TO {}").format(
                sql.Identifier(role), sql.Identifier(roles[0])
            )
        )
    return make_conninfo(admin_url, user=role, password=password)


class RunningApp:
    """The application with an event loop in a thread of its own, called from plain tests."""

    def __init__(self, app: Litestar) -> None:
        self.app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="app", daemon=True)
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://app", timeout=60
        )

    @contextmanager
    def running(self) -> Iterator[RunningApp]:
        """From start-up to shutdown, which one task must see to."""
        self._thread.start()
        started: Future[None] = Future()
        stop = asyncio.Event()
        serving = asyncio.run_coroutine_threadsafe(self._serve(started, stop), self._loop)
        try:
            wait([started, serving], timeout=60, return_when=FIRST_COMPLETED)
            if serving.done():
                serving.result()
            yield self
        finally:
            self._loop.call_soon_threadsafe(stop.set)
            serving.result(timeout=60)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _serve(self, started: Future[None], stop: asyncio.Event) -> None:
        async with self.app.lifespan(), self._client:
            started.set_result(None)
            await stop.wait()

    def wait(self, work: Awaitable[Result]) -> Result:
        """Run something in the application's loop."""
        return self.begin(work).result(timeout=60)

    def begin(self, work: Awaitable[Result]) -> Future[Result]:
        """Like :meth:`wait`, without waiting."""

        async def run() -> Result:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), self._loop)

    def call(
        self, method: str, path: str, *, as_: Principal | None = None, **options: Any
    ) -> httpx.Response:
        """One request; ``as_`` signs it."""
        return self.wait(self.request(method, path, as_, **options))

    def together(
        self, calls: Sequence[tuple[str, str, Principal | None, Mapping[str, Any]]]
    ) -> list[httpx.Response]:
        """All requests at once: (method, path, who, options)."""

        async def run() -> list[httpx.Response]:
            return await asyncio.gather(
                *(
                    self.request(method, path, who, **options)
                    for method, path, who, options in calls
                )
            )

        return self.wait(run())

    async def request(
        self, method: str, path: str, who: Principal | None, **options: Any
    ) -> httpx.Response:
        """One request, from inside the application's loop."""
        headers = dict(options.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {TOKENS.issue(who)}"
        return await self._client.request(method, path, headers=headers, **options)


@dataclass(frozen=True, slots=True)
class World:
    """Rows written past the application, as the owner of the tables."""

    admin_url: str
    connection: psycopg.Connection[Any]

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode(), parameters).fetchall()

    def run(self, query: str, *parameters: Any) -> None:
        self.connection.execute(query.encode(), parameters)

    def wait_for_lock(self, operation: str) -> None:
        """Wait until a statement of this name waits for a lock."""
        deadline = time.monotonic() + 30
        while not self.rows(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND starts_with(query, %s)",
            f"/* {operation} */",
        ):
            assert time.monotonic() < deadline, f"{operation} does not wait for a lock"
            time.sleep(0.005)

    def owner(self) -> Principal:
        """A new owner without anything."""
        user_id = uuid.uuid4()
        self.run(
            "INSERT INTO users (id, email, password_hash, role) VALUES (%s, %s, %s, 'owner')",
            user_id,
            f"{user_id}@example.com",
            PASSWORD_HASH,
        )
        return Principal(user_id, "owner", user_id)

    def unit(self, owner: Principal, name: str = "Les Tilleuls") -> UUID:
        """A gîte of an owner."""
        unit_id = uuid.uuid4()
        self.run(
            "INSERT INTO gites (id, owner_user_id, nom, ville, code_postal, capacite)"
            " VALUES (%s, %s, %s, 'Dole', '39100', 6)",
            unit_id,
            owner.user_id,
            name,
        )
        return unit_id

    def reservation(
        self,
        owner: Principal,
        unit_id: UUID,
        first: date,
        last: date,
        *,
        guest: str = "Anne Martin",
        platform: str = "direct",
        status: str = "confirmed",
        cents: int = 10_000,
    ) -> UUID:
        """A stay in a gîte."""
        reservation_id = uuid.uuid4()
        self.run(
            "INSERT INTO reservations (id, gite_id, owner_user_id, date_debut, date_fin,"
            " client_nom, voyageurs, plateforme, status, prix_centimes)"
            " VALUES (%s, %s, %s, %s, %s, %s, 2, %s, %s, %s)",
            *(reservation_id, unit_id, owner.user_id, first, last),
            *(guest, platform, status, cents),
        )
        return reservation_id

    def group(self, plan: str | None = "pro", status: str = "active") -> Principal:
        """A new school group with a subscription, and its administrator."""
        group_id, user_id = uuid.uuid4(), uuid.uuid4()
        self.run("INSERT INTO school_groups (id, name) VALUES (%s, 'Groupe')", group_id)
        if plan is not None:
            self.run(
                "INSERT INTO subscriptions (id, school_group_id, plan_id, status, cycle,"
                " starts_on, ends_on) SELECT gen_random_uuid(), %s, id, %s, 'yearly',"
                " '2026-01-01', '2027-01-01' FROM subscription_plans WHERE slug = %s",
                group_id,
                status,
                plan,
            )
        self.run(
            "INSERT INTO users (id, email, password_hash, role, school_group_id)"
            " VALUES (%s, %s, %s, 'group_admin', %s)",
            user_id,
            f"{user_id}@example.com",
            PASSWORD_HASH,
            group_id,
        )
        return Principal(user_id, "group_admin", group_id)

    def school(self, admin: Principal, name: str = "École du Centre") -> UUID:
        """A school of a group; past the limits of its plan if need be."""
        school_id = uuid.uuid4()
        with self.connection.transaction():
            self.run("SET LOCAL session_replication_role = replica")
            self.run(
                "INSERT INTO schools (id, school_group_id, name, city) VALUES (%s, %s, %s, 'Dole')",
                school_id,
                admin.tenant_id,
                name,
            )
        return school_id

    def support(self) -> Principal:
        """Somebody who helps customers."""
        user_id = uuid.uuid4()
        self.run(
            "INSERT INTO users (id, email, password_hash, role) VALUES (%s, %s, %s, 'support')",
            user_id,
            f"{user_id}@example.com",
            PASSWORD_HASH,
        )
        return Principal(user_id, "support", None)

    def super_admin(self) -> Principal:
        """An account above the groups."""
        user_id = uuid.uuid4()
        self.run(
            "INSERT INTO users (id, email, password_hash, role) VALUES (%s, %s, %s, 'super_admin')",
            user_id,
            f"{user_id}@example.com",
            PASSWORD_HASH,
        )
        return Principal(user_id, "super_admin", None)


@dataclass(frozen=True, slots=True)
class Site:
    """An application, its database and what is in it."""

    app: RunningApp
    world: World
    app_url: str = field(repr=False)

    def call(
        self, method: str, path: str, as_: Principal | None = None, **options: Any
    ) -> httpx.Response:
        return self.app.call(method, path, as_=as_, **options)


@contextmanager
def site(admin_url: str, variant: Variant, **settings: Any) -> Iterator[Site]:
    """Bring a migrated database and an application on it up, and down again."""
    migrate_both(admin_url, variant)
    with site_on(admin_url, app_login(admin_url), variant, **settings) as running:
        yield running


@contextmanager
def site_on(admin_url: str, app_url: str, variant: Variant, **settings: Any) -> Iterator[Site]:
    """An application on a database that is migrated and has a login."""
    chosen = {"pool_size": 8, "password_log2_n": CHEAP, "pool_timeout_s": 20.0, **settings}
    app = create_app(Settings(database_url=app_url, jwt_secret=SECRET, variant=variant, **chosen))
    with (
        psycopg.connect(admin_url, autocommit=True) as connection,
        RunningApp(app).running() as running,
    ):
        _fill_the_pool(running, variant)
        yield Site(running, World(admin_url, connection), app_url)


def _fill_the_pool(app: RunningApp, variant: Variant) -> None:
    """Wait until all connections stand.

    Connecting draws from the global random numbers, in the application's thread; hypothesis
    rightly complains when that happens while it draws.
    """
    deadline = time.monotonic() + 30
    while variant.pooling != "none":
        found = dict(
            re.findall(r"^app_pool_pool_(\w+) ([\d.]+)$", app.call("GET", "/metrics").text, re.M)
        )
        if found.get("available") == found["max"]:
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.005)
