"""Phase 3's levels, and the pool and retries of FrançaisFluide, on real servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from app_support import SECRET, Site, app_login, migrate_both, site, site_on
from fluide_support import correct, learner, used
from redis_support import TestRedis

from palier.model.parse import load_catalogue
from reference_app.database import Database
from reference_app.settings import Settings
from reference_app.variant import Variant

pytestmark = pytest.mark.db

LEVELS = Variant(indexes="full", row_security="wrapped", learning_cache="levels", web_cache=True)


@pytest.fixture
def two_processes(fresh_database: Any, tmp_path: Path) -> Iterator[tuple[Site, Site, TestRedis]]:
    """Two applications on one database and one Redis."""
    redis = TestRedis(tmp_path)
    redis.start()
    with ExitStack() as stack:
        stack.callback(redis.stop)
        url = stack.enter_context(fresh_database())
        first = stack.enter_context(site(url, LEVELS, redis_url=redis.url))
        second = stack.enter_context(site_on(url, first.app_url, LEVELS, redis_url=redis.url))
        yield first, second, redis


@pytest.mark.covers("B-195", "X-43")
def test_what_one_process_made_the_other_finds_in_redis_and_then_in_itself(
    two_processes: tuple[Site, Site, TestRedis],
) -> None:
    first, second, redis = two_processes
    anna = learner(first.world)
    exercise = first.call("GET", "/api/exercises").json()[0]["id"]

    def where(up: Site, path: str) -> str:
        return str(up.call("GET", path, anna).headers["x-cache-level"])

    texts = [correct(up, anna) for up in (first, first, second, second)]

    assert [answer.headers["x-cache-level"] for answer in texts] == [
        "origin", "process", "redis", "process",
    ]  # fmt: skip
    assert len({answer.json()["corrected"] for answer in texts}) == 1
    for path in (f"/api/exercises/{exercise}", "/api/explanations/genre"):
        assert [where(up, path) for up in (first, second, second)] == ["origin", "redis", "process"]
    assert used(first, anna)["corrections"] == 4
    with redis.client() as client:
        lifetimes = {key.split(b":")[2]: client.ttl(key) for key in client.keys("learning:*")}
    assert 1795 <= lifetimes[b"corrections"] <= 1800
    assert 3595 <= lifetimes[b"exercises"] <= 3600
    assert 86_395 <= lifetimes[b"explanations"] <= 86_400


@pytest.mark.covers("B-195")
def test_a_web_cache_may_keep_what_is_public_and_nothing_else(
    two_processes: tuple[Site, Site, TestRedis],
) -> None:
    first, _, _ = two_processes
    anna = learner(first.world)

    public = [
        first.call("GET", path).headers["cache-control"]
        for path in ("/api/exercises", "/api/explanations")
    ]
    own = [
        first.call("GET", path, anna).headers.get("cache-control", "")
        for path in ("/api/explanations/genre", "/api/quota", "/api/corrections")
    ]

    assert public == ["public, max-age=3600", "public, max-age=86400"]
    assert not any("public" in one for one in own)


def test_a_redis_that_goes_away_costs_no_answer(
    two_processes: tuple[Site, Site, TestRedis],
) -> None:
    first, second, redis = two_processes
    anna = learner(first.world)
    correct(first, anna)
    redis.stop()

    assert correct(second, anna).status_code == 201
    assert second.call("GET", "/api/explanations/genre", anna).status_code == 200


# B-196 ------------------------------------------------------------------------------------


@pytest.mark.covers("B-196", "T-206", "T-207", "T-208", "X-51", "X-64")
@pytest.mark.parametrize("tier", ["ff-1", "ff-2", "ff-3", "ff-4"])
def test_the_tiers_of_francaisfluide_have_the_stated_pool(tier: str) -> None:
    stack = load_catalogue(Path("tiers.yaml")).tier(tier).stack

    assert stack is not None
    assert (stack.pool_min, stack.pool_size, stack.statement_retries) == (5, 20, 3)


def test_no_other_tier_repeats_statements() -> None:
    others = [
        tier.id
        for tier in load_catalogue(Path("tiers.yaml")).tiers()
        if tier.system != "francaisfluide"
        and tier.stack is not None
        and (tier.stack.statement_retries, tier.stack.pool_min) != (0, None)
    ]

    assert others == []


@pytest.mark.covers("B-196", "T-206")
def test_a_pool_begins_with_five_connections_and_grows_to_twenty(database: str) -> None:
    async def run() -> tuple[int, int]:
        settings = Settings(
            database_url=database, pool_min=5, pool_size=20, pool_timeout_s=20, jwt_secret=SECRET
        )
        pool = Database(settings)
        await pool.open()
        try:
            deadline = time.monotonic() + 30
            while pool.statistics()["pool_available"] < 5:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
            before = pool.statistics()["pool_size"]
            sleeping = [
                pool.rows(None, "SELECT pg_sleep(0.5)", {}, lambda _: None) for _ in range(40)
            ]
            await asyncio.gather(*sleeping)
            return before, pool.statistics()["pool_size"]
        finally:
            await pool.close()

    before, after = asyncio.run(run())
    assert before == 5
    assert 5 < after <= 20


def _cutting(admin_url: str, times: int) -> None:
    """Cuts the connection of the statement itself, the first ``times`` times it runs."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE tries")
        connection.execute("GRANT USAGE ON SEQUENCE tries TO app_user")
        connection.execute(
            f"""CREATE FUNCTION try_it() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = public AS $$
            DECLARE number bigint := nextval('tries');
            BEGIN
                IF number <= {times} THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
                RETURN number;
            END $$"""
        )


@pytest.mark.covers("B-196", "T-208")
@pytest.mark.parametrize(
    ("broken", "retries", "repeatable", "tries"),
    [(3, 3, True, 4), (4, 3, True, None), (1, 0, True, None), (1, 3, False, None)],
)
def test_what_changes_nothing_is_asked_again_up_to_three_times(
    database: str, broken: int, retries: int, repeatable: bool, tries: int | None
) -> None:
    migrate_both(database, Variant())
    _cutting(database, broken)

    async def run() -> int | None:
        settings = Settings(
            database_url=app_login(database),
            pool_size=8,
            pool_timeout_s=20,
            statement_retries=retries,
            jwt_secret=SECRET,
        )
        pool = Database(settings)
        await pool.open()
        try:
            return await pool.first(
                None, "SELECT try_it()", {}, lambda number: number, repeatable=repeatable
            )
        except psycopg.OperationalError:
            return None
        finally:
            await pool.close()

    assert asyncio.run(run()) == tries


def test_what_the_server_undid_is_asked_again_even_if_it_writes(database: str) -> None:
    migrate_both(database, Variant())
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE tries")
        connection.execute("GRANT USAGE ON SEQUENCE tries TO app_user")
        connection.execute(
            """CREATE FUNCTION try_it() RETURNS bigint LANGUAGE plpgsql AS $$
            DECLARE number bigint := nextval('tries');
            BEGIN
                IF number <= 2 THEN RAISE SQLSTATE '40P01'; END IF;
                RETURN number;
            END $$"""
        )

    async def run() -> Any:
        pool = Database(
            Settings(
                database_url=app_login(database),
                pool_size=2,
                statement_retries=3,
                jwt_secret=SECRET,
            )
        )
        await pool.open()
        try:
            return await pool.first(None, "SELECT try_it()", {}, lambda number: number)
        finally:
            await pool.close()

    assert asyncio.run(run()) == 3
