"""Whoever was told that a write is done sees it, however many write and read at once.

Two applications with an event loop each stand for two processes. While the writers write, readers
keep asking for the same pages, so that old pages are loaded, and kept, at every possible moment.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from app_support import Site, site, site_on
from redis_support import TestRedis, running_redis

from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

WRITERS = 64
DAY = date(2026, 1, 1)
CENTS = 1_000
DEADLINE_S = 30.0


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRedis]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module", params=["memory", "redis"])
def processes(
    request: pytest.FixtureRequest, fresh_database: Any, redis_server: TestRedis
) -> Iterator[tuple[Site, Site]]:
    variant = Variant(indexes="tier1", pagination="none", cache=request.param)
    settings = {"redis_url": redis_server.url, "redis_prefix": f"{request.param}:", "pool_size": 16}
    with (
        fresh_database() as url,
        site(url, variant, **settings) as one,
        site_on(url, one.app_url, variant, **settings) as other,
    ):
        yield one, other


class Books:
    """What has been acknowledged so far, by all writers together."""

    def __init__(self) -> None:
        self.acknowledged: set[str] = set()
        self.misses = 0
        self.hits = 0


async def write_and_look(
    up: Site, owner: Principal, unit: uuid.UUID, day: date, books: Books
) -> None:
    """Book a stay; then every page must show it, and all acknowledged before the look."""
    body = {
        "gite_id": str(unit),
        "date_debut": str(day),
        "date_fin": str(day + timedelta(days=1)),
        "client_nom": "Anne Martin",
        "prix_centimes": CENTS,
    }
    answer = await up.app.request("POST", "/api/reservations", owner, json=body)
    assert answer.status_code == 201, answer.text
    books.acknowledged.add(answer.json()["id"])
    await look(up, owner, books)


async def look(up: Site, owner: Principal, books: Books) -> None:
    known = set(books.acknowledged)
    page = await fetch(up, "/api/reservations", owner, books)
    assert known <= {row["id"] for row in page["items"]}
    assert page["total"] == len(page["items"])

    known_bookings = len(books.acknowledged)
    year = await fetch(up, f"/api/statistics?year={DAY.year}", owner, books)
    assert year["bookings"] >= known_bookings
    assert year["revenue_centimes"] == year["bookings"] * CENTS

    known_bookings = len(books.acknowledged)
    tax = await fetch(up, f"/api/tax?year={DAY.year}", owner, books)
    assert sum(month["arrivals"] for month in tax["months"]) >= known_bookings


async def fetch(up: Site, path: str, owner: Principal, books: Books) -> Any:
    answer = await up.app.request("GET", path, owner)
    assert answer.status_code == 200, answer.text
    if answer.headers["X-Cache"] == "hit":
        books.hits += 1
    else:
        books.misses += 1
    return answer.json()


async def keep_looking(up: Site, owner: Principal, books: Books, done: asyncio.Event) -> None:
    """Until the writers are done, and once more."""
    while not done.is_set():
        await look(up, owner, books)
    await look(up, owner, books)


def storm(processes: tuple[Site, Site], writers: int = WRITERS) -> Books:
    """Half of the writers at each process, and four readers."""
    owner = processes[0].world.owner()
    units = [processes[0].world.unit(owner) for _ in range(4)]
    books = Books()

    async def one_process(up: Site, part: int) -> None:
        done = asyncio.Event()
        readers = [asyncio.create_task(keep_looking(up, owner, books, done)) for _ in range(2)]
        writing = (
            write_and_look(up, owner, units[k % 4], DAY + timedelta(days=k), books)
            for k in range(part, writers, 2)
        )
        try:
            await asyncio.gather(*writing)
        finally:
            done.set()
            await asyncio.gather(*readers)

    together([(up, one_process(up, part)) for part, up in enumerate(processes)])
    assert len(books.acknowledged) == writers
    stored = processes[0].world.rows(
        "SELECT count(*) FROM reservations WHERE owner_user_id = %s", owner.user_id
    )
    assert stored == [(writers,)]
    return books


def together(work: list[tuple[Site, Any]]) -> None:
    """Run each in the event loop of its application, all at once."""
    running = [up.app.begin(task) for up, task in work]
    for future in running:
        future.result(timeout=100)


@pytest.mark.covers("B-149", "B-150", "B-151", "B-218", "X-69", "J-06", "J-07")
@pytest.mark.parametrize("repetition", range(3))
def test_64_writers_each_see_their_write_in_list_statistics_and_tax(
    processes: tuple[Site, Site], repetition: int
) -> None:
    books = storm(processes)
    assert books.hits > 0
    assert books.misses > 0


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("repetition", range(50))
def test_64_writers_see_their_writes_fifty_times(
    processes: tuple[Site, Site], repetition: int
) -> None:
    storm(processes)


def test_a_write_whose_version_cannot_be_renewed_is_refused_and_undone(
    processes: tuple[Site, Site],
) -> None:
    """The version is renewed at commit, after the statement has answered: still no 201."""
    up = processes[0]
    owner = up.world.owner()
    unit = up.world.unit(owner)
    body = {
        "gite_id": str(unit),
        "date_debut": str(DAY),
        "date_fin": str(DAY + timedelta(days=1)),
        "client_nom": "Anne Martin",
    }
    up.world.run("ALTER TABLE owner_versions RENAME TO out_of_reach")
    try:
        refused = up.call("POST", "/api/reservations", owner, json=body)
    finally:
        up.world.run("ALTER TABLE out_of_reach RENAME TO owner_versions")

    assert refused.status_code == 500
    assert up.world.rows("SELECT 1 FROM reservations WHERE gite_id = %s", unit) == []
    assert up.call("POST", "/api/reservations", owner, json=body).status_code == 201


def test_redis_that_goes_away_and_comes_back_costs_no_request_and_shows_nothing_old(
    processes: tuple[Site, Site], redis_server: TestRedis
) -> None:
    one, other = processes
    owner = one.world.owner()
    unit = one.world.unit(owner)
    path = "/api/reservations"

    def total(up: Site) -> int:
        answer = up.call("GET", path, owner)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["total"])

    assert (total(one), total(other)) == (0, 0)
    redis_server.pause()
    try:
        for night in range(3):
            one.world.reservation(
                owner, unit, DAY + timedelta(days=night), DAY + timedelta(days=night + 1)
            )
            assert (total(one), total(other)) == (night + 1, night + 1)
    finally:
        redis_server.resume()
    # what was kept before the outage is still there, and is not taken for true
    assert (total(one), total(other)) == (3, 3)
    deadline = time.monotonic() + DEADLINE_S
    while one.call("GET", path, owner).headers["X-Cache"] == "miss":
        assert time.monotonic() < deadline, "the cache does not come back"
