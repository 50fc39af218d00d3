"""100 requests a minute and owner, over HTTP and with a real Redis."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from app_support import Site, site, site_on
from redis_support import TestRedis, running_redis

from reference_app.rate_limit import WINDOW_S
from reference_app.variant import Variant

pytestmark = pytest.mark.db

LIMIT = 100


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRedis]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def alone(fresh_database: Any) -> Iterator[Site]:
    """One process without a Redis."""
    with fresh_database() as url, site(url, Variant(), rate_limit_per_min=LIMIT) as up:
        yield up


@pytest.fixture
def two(database: str, redis_server: TestRedis) -> Iterator[tuple[Site, Site]]:
    """Two processes that count together."""
    settings = {
        "redis_url": redis_server.url,
        "redis_prefix": "mine:",
        "rate_limit_per_min": LIMIT,
        "pool_size": 4,
    }
    with (
        site(database, Variant(), **settings) as one,
        site_on(database, one.app_url, Variant(), **settings) as other,
    ):
        yield one, other


@pytest.mark.covers("B-146", "B-53", "T-136")
def test_the_hundred_and_first_request_in_a_minute_is_refused_with_when_to_come_back(
    alone: Site,
) -> None:
    owner = alone.world.owner()
    calls = [("GET", "/api/session", owner, {})] * LIMIT
    assert {answer.status_code for answer in alone.app.together(calls)} == {200}

    refused = alone.call("GET", "/api/units", owner)

    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "/problems/too-many-requests"
    assert 1 <= int(refused.headers["retry-after"]) <= WINDOW_S
    assert refused.headers["ratelimit-policy"] == f'"user";q={LIMIT};w={WINDOW_S}'
    assert refused.headers["ratelimit"] == f'"user";r=0;t={refused.headers["retry-after"]}'


def test_answers_say_how_much_is_left(alone: Site) -> None:
    owner = alone.world.owner()
    paths = ("/api/units", f"/api/units/{uuid.uuid4()}", "/api/units")

    left = [alone.call("GET", path, owner).headers["ratelimit"] for path in paths]

    assert [re.findall(r"r=(\d+)", told) for told in left] == [["99"], ["98"], ["97"]]


def test_one_owner_at_the_limit_is_nobody_elses_business(alone: Site) -> None:
    busy, calm = alone.world.owner(), alone.world.owner()
    calls = [("GET", "/api/session", busy, {})] * (LIMIT + 1)
    assert Counter(a.status_code for a in alone.app.together(calls)) == {200: LIMIT, 429: 1}

    assert alone.call("GET", "/api/units", calm).status_code == 200


def test_the_number_is_for_owners_and_nobody_signed_in_has_none(alone: Site) -> None:
    admin = alone.world.group()
    for who, path in ((admin, "/api/session"), (None, "/health/live")):
        answers = alone.app.together([("GET", path, who, {})] * (LIMIT + 1))
        assert {answer.status_code for answer in answers} == {200}
        assert "ratelimit" not in answers[0].headers


@pytest.mark.covers("B-146", "T-136")
def test_processes_that_share_a_redis_count_together(two: tuple[Site, Site]) -> None:
    owner = two[0].world.owner()
    calls = [("GET", "/api/session", owner, {})] * 30
    counted: Counter[int] = Counter()
    for _ in range(3):
        for up in two:
            counted.update(answer.status_code for answer in up.app.together(calls))

    assert counted == {200: LIMIT, 429: 80}


def test_as_time_goes_by_there_is_room_again(
    two: tuple[Site, Site], redis_server: TestRedis
) -> None:
    owner = two[0].world.owner()
    # few at once: on a busy machine a hundred would wait for Redis longer than they are meant to
    calls = [("GET", "/api/session", owner, {})] * (LIMIT // 10)
    for _ in range(10):
        assert {answer.status_code for answer in two[0].app.together(calls)} == {200}
    assert two[1].call("GET", "/api/session", owner).status_code == 429

    # As if the first three had come a minute ago: the script reads the times from this list.
    with redis_server.client() as client:
        key = f"mine:rate:{owner.user_id}"
        assert 0 < client.ttl(key) <= WINDOW_S
        for place in (-1, -2, -3):
            client.lset(key, place, int(client.lindex(key, place)) - WINDOW_S * 1_000_000)
        client.script_flush()  # as a restart would: the script has to be told again
    counted = Counter(answer.status_code for answer in two[1].app.together(calls[:5]))

    assert counted == {200: 3, 429: 2}


def test_without_its_redis_each_process_goes_on_counting(
    two: tuple[Site, Site], redis_server: TestRedis
) -> None:
    owner = two[0].world.owner()
    calls = [("GET", "/api/session", owner, {})] * (LIMIT + 10)
    redis_server.stop()
    try:
        counted = Counter(answer.status_code for answer in two[0].app.together(calls))
        assert counted == {200: LIMIT, 429: 10}
    finally:
        redis_server.start()
