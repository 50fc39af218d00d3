"""Kept answers over HTTP, on a real PostgreSQL and a real Redis."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from app_support import Site, site, site_on
from redis_support import TestRedis, running_redis

from reference_app.identity.principal import Principal
from reference_app.migrate import migrate
from reference_app.variant import Variant

pytestmark = pytest.mark.db

DAY = date(2026, 7, 1)
PAGES = (
    "/api/reservations",
    "/api/statistics?year=2026",
    "/api/statistics/history",
    f"/api/dashboard?date={DAY}",
    "/api/tax?year=2026",
)


@dataclass(frozen=True)
class Pair:
    """Two processes' worth of one deployment: the same database, and the same Redis if any."""

    one: Site
    other: Site


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRedis]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module", params=["memory", "redis"])
def pair(
    request: pytest.FixtureRequest, fresh_database: Any, redis_server: TestRedis
) -> Iterator[Pair]:
    variant = Variant(indexes="tier1", pagination="offset", cache=request.param)
    settings = {"redis_url": redis_server.url, "pool_size": 4}
    with (
        fresh_database() as url,
        site(url, variant, **settings) as one,
        site_on(url, one.app_url, variant, **settings) as other,
    ):
        yield Pair(one, other)


def stay(unit_id: uuid.UUID, first: date = DAY, **more: Any) -> dict[str, Any]:
    return {
        "gite_id": str(unit_id),
        "date_debut": str(first),
        "date_fin": str(first + timedelta(days=1)),
        "client_nom": "Anne Martin",
        "prix_centimes": 10_000,
        **more,
    }


def seen(up: Site, path: str, owner: Principal) -> tuple[str, Any]:
    answer = up.call("GET", path, owner)
    assert answer.status_code == 200, answer.text
    return answer.headers["X-Cache"], answer.json()


@pytest.mark.covers("F-12", "J-07", "T-132", "B-149", "B-152", "B-218")
@pytest.mark.parametrize("path", [*PAGES, "/api/units"])
def test_the_second_load_is_a_hit_and_the_same_answer(pair: Pair, path: str) -> None:
    owner = pair.one.world.owner()
    unit = pair.one.world.unit(owner)
    pair.one.world.reservation(owner, unit, DAY, DAY + timedelta(days=2))

    first = seen(pair.one, path, owner)
    second = seen(pair.one, path, owner)

    assert (first[0], second[0]) == ("miss", "hit")
    assert first[1] == second[1]


@pytest.mark.covers("B-150", "B-151", "F-12", "J-06", "X-69", "T-165")
@pytest.mark.parametrize("path", [*PAGES, "/api/units"])
def test_a_write_through_one_process_is_seen_through_the_other(pair: Pair, path: str) -> None:
    owner = pair.one.world.owner()
    unit = pair.one.world.unit(owner)
    for up in (pair.one, pair.other):
        seen(up, path, owner)
    kept = seen(pair.other, path, owner)
    assert kept[0] == "hit"

    if path == "/api/units":
        written = pair.one.call("PATCH", f"/api/units/{unit}", owner, json={"nom": "Le Pré"})
    else:
        written = pair.one.call("POST", "/api/reservations", owner, json=stay(unit))
    assert written.is_success, written.text
    after = seen(pair.other, path, owner)

    assert after[0] == "miss"
    assert after[1] != kept[1]
    assert seen(pair.other, path, owner) == ("hit", after[1])


def test_somebody_elses_write_ends_nothing(pair: Pair) -> None:
    owner, other = pair.one.world.owner(), pair.one.world.owner()
    unit = pair.one.world.unit(other)
    seen(pair.one, PAGES[0], owner)

    assert pair.one.call("POST", "/api/reservations", other, json=stay(unit)).status_code == 201

    assert seen(pair.one, PAGES[0], owner)[0] == "hit"


@pytest.mark.covers("B-150")
def test_a_write_past_the_application_is_seen(pair: Pair) -> None:
    """As the worker, the archive or a person at a prompt write: nobody tells the cache."""
    owner = pair.one.world.owner()
    unit = pair.one.world.unit(owner)
    seen(pair.one, PAGES[0], owner)

    pair.one.world.reservation(owner, unit, DAY, DAY + timedelta(days=1))

    state, page = seen(pair.one, PAGES[0], owner)
    assert (state, page["total"]) == ("miss", 1)


@pytest.mark.covers("B-148")
def test_filters_and_pages_are_kept_apart(pair: Pair) -> None:
    owner = pair.one.world.owner()
    unit = pair.one.world.unit(owner)
    for nights in range(51):
        pair.one.world.reservation(
            owner, unit, DAY + timedelta(days=nights), DAY + timedelta(days=nights + 1)
        )

    paths = [
        f"/api/reservations{query}"
        for query in ("", "?page=2", "?from=2026-07-02", "?to=2026-07-02", "?q=Anne", "?q=Jean")
    ]
    counts = [len(seen(pair.one, path, owner)[1]["items"]) for path in paths]

    assert counts == [50, 1, 50, 2, 50, 0]
    again = [seen(pair.one, path, owner) for path in paths]
    assert [state for state, _ in again] == ["hit"] * 6
    assert [len(page["items"]) for _, page in again] == counts


def test_what_is_not_found_is_not_kept(pair: Pair) -> None:
    owner = pair.one.world.owner()
    missing = f"/api/reservations/{uuid.uuid4()}"
    assert [pair.one.call("GET", missing, owner).status_code for _ in range(2)] == [404, 404]


def test_without_a_cache_nothing_is_said_of_one(fresh_database: Any) -> None:
    with fresh_database() as url, site(url, Variant()) as up:
        answer = up.call("GET", "/api/units", up.world.owner())
        assert answer.status_code == 200
        assert "X-Cache" not in answer.headers


def test_a_database_without_versions_is_read_each_time(fresh_database: Any) -> None:
    """Migrated for another variant: the application must not trust what it cannot check."""
    variant = Variant(cache="memory")
    with fresh_database() as url, site(url, variant) as up:
        owner = up.world.owner()
        migrate(url, "after-data", Variant())
        unit = up.world.unit(owner)

        for total in (0, 1):
            state, page = seen(up, "/api/reservations", owner)
            assert (state, page["total"]) == ("miss", total)
            day = DAY + timedelta(days=total)
            up.world.reservation(owner, unit, day, day + timedelta(days=1))

        migrate(url, "after-data", variant)
        assert [seen(up, "/api/units", owner)[0] for _ in range(2)] == ["miss", "hit"]
