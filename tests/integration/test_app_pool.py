"""The pool of one process: what holds a connection, and for how long."""

from __future__ import annotations

import asyncio
import time

import psycopg
import pytest
from app_support import SECRET

from reference_app.database import STATEMENT_TIMEOUT_S, Database
from reference_app.settings import Settings

pytestmark = pytest.mark.db


@pytest.mark.covers("B-196")
def test_no_statement_holds_a_connection_longer_than_thirty_seconds(database: str) -> None:
    async def run() -> str:
        pool = Database(Settings(database_url=database, pool_size=1, jwt_secret=SECRET))
        await pool.open()
        try:
            found = await pool.first(None, "SHOW statement_timeout", {}, lambda limit: limit)
        finally:
            await pool.close()
        return str(found)

    assert asyncio.run(run()) == f"{STATEMENT_TIMEOUT_S}s" == "30s"


def wait_for_sleepers(url: str, wanted: int) -> None:
    deadline = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND query = 'SELECT pg_sleep(20)' AND wait_event = 'PgSleep'"
        ).fetchone() != (wanted,):
            assert time.monotonic() < deadline, f"fewer than {wanted} statements run"
            time.sleep(0.01)


@pytest.mark.covers("B-196")
def test_a_pool_has_as_many_connections_as_it_was_told_and_no_more(database: str) -> None:
    async def run() -> tuple[int, int, bool]:
        settings = Settings(
            database_url=database, pool_size=3, pool_timeout_s=0.2, jwt_secret=SECRET
        )
        pool = Database(settings)
        await pool.open()
        try:
            held = [
                asyncio.create_task(pool.rows(None, "SELECT pg_sleep(20)", {}, lambda _: None))
                for _ in range(3)
            ]
            await asyncio.to_thread(wait_for_sleepers, database, 3)
            with pytest.raises(psycopg.OperationalError):
                await pool.rows(None, "SELECT 1", {}, lambda one: one)
            most = pool.statistics()["pool_size"]
            for task in held:
                task.cancel()
            await asyncio.gather(*held, return_exceptions=True)
            return most, pool.statistics()["pool_max"], all(task.cancelled() for task in held)
        finally:
            await pool.close()

    assert asyncio.run(run()) == (3, 3, True)
