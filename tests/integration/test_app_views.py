"""Materialised figures: the same as counted ones, as old as they say, in no reader's way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from app_support import Site, site, site_on, worker_login

from reference_app.identity.principal import Principal
from reference_app.migrate import migrate
from reference_app.statistics import refresh
from reference_app.variant import Variant

pytestmark = pytest.mark.db

DAY = date(2026, 7, 1)
PATHS = (
    "/api/statistics?year=2026",
    "/api/statistics?year=2025",
    "/api/statistics/history",
    "/api/statistics/monthly",
    "/api/statistics/monthly?year=2026",
)
DEADLINE_S = 30.0


@pytest.fixture(scope="module", params=["off", "naive", "wrapped"])
def row_security(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module")
def house(row_security: Any, fresh_database: Any) -> Iterator[Site]:
    variant = Variant(pagination="offset", views="materialised", row_security=row_security)
    with fresh_database() as url, site(url, variant, pool_size=3) as up:
        yield up


@pytest.fixture(scope="module")
def worker(house: Site) -> str:
    return worker_login(house.world.admin_url)


def owner_with_stays(house: Site) -> Principal:
    owner = house.world.owner()
    for unit in [house.world.unit(owner) for _ in range(2)]:
        for place in range(30):
            first = DAY - timedelta(days=17 * place)
            house.world.reservation(
                owner,
                unit,
                first,
                first + timedelta(days=1 + place % 5),
                platform=("airbnb", "direct")[place % 2],
                status=("confirmed", "pending", "cancelled")[place % 3],
                cents=100 * place,
            )
    return owner


def count(worker: str) -> None:
    with psycopg.connect(worker, autocommit=True) as connection:
        connection.execute("SELECT count_figures()")


@pytest.mark.covers("B-90", "I-42")
def test_materialised_figures_are_those_that_counting_gives(
    house: Site, worker: str, row_security: Any
) -> None:
    owner, other = owner_with_stays(house), owner_with_stays(house)
    count(worker)

    variant = Variant(pagination="offset", row_security=row_security)
    with site_on(house.world.admin_url, house.app_url, variant, pool_size=2) as live:
        for who in (owner, other, house.world.owner()):
            for path in PATHS:
                found = house.call("GET", path, who).json()
                expected = live.call("GET", path, who).json()
                if isinstance(found, dict):
                    found.pop("as_of", None)
                    expected.pop("as_of", None)
                assert found == expected


def test_an_answer_says_how_old_its_figures_are_and_a_count_makes_them_new(
    house: Site, worker: str
) -> None:
    owner = owner_with_stays(house)
    count(worker)
    before = house.call("GET", PATHS[0], owner)
    house.world.reservation(owner, house.world.unit(owner), DAY, DAY + timedelta(days=1))

    stale = house.call("GET", PATHS[0], owner)
    count(worker)
    fresh = house.call("GET", PATHS[0], owner)

    assert stale.json() == before.json()
    assert fresh.json()["bookings"] == before.json()["bookings"] + 1
    assert datetime.fromisoformat(stale.json()["as_of"]) < datetime.fromisoformat(
        fresh.json()["as_of"]
    )
    for path in PATHS:
        told = house.call("GET", path, owner).headers["x-as-of"]
        assert datetime.fromisoformat(told) == datetime.fromisoformat(fresh.json()["as_of"])


@pytest.mark.covers("I-42")
def test_a_count_under_way_keeps_no_reader_out(house: Site, worker: str) -> None:
    owner = owner_with_stays(house)
    count(worker)
    before = [house.call("GET", path, owner).json() for path in PATHS]
    house.world.reservation(owner, house.world.unit(owner), DAY, DAY + timedelta(days=1))

    with psycopg.connect(worker) as counting:
        counting.execute("SELECT count_figures()")
        during = [house.call("GET", path, owner).json() for path in PATHS]

    assert during == before
    assert house.call("GET", PATHS[0], owner).json() != before[0]


def test_the_view_itself_is_nobodys_to_read(house: Site, worker: str) -> None:
    for login, statement in (
        (house.app_url, "SELECT * FROM monthly_figures"),
        (worker, "SELECT * FROM monthly_figures"),
        (house.app_url, "SELECT count_figures()"),
    ):
        with (
            psycopg.connect(login) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement.encode())


def test_row_security_lets_through_the_askers_figures_alone(
    house: Site, worker: str, row_security: Any
) -> None:
    owner, other = owner_with_stays(house), owner_with_stays(house)
    count(worker)
    with psycopg.connect(house.app_url) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", [str(owner.user_id)])
        found = connection.execute("SELECT DISTINCT owner_user_id FROM own_figures").fetchall()
    if row_security == "off":
        assert {(owner.user_id,), (other.user_id,)} <= set(found)
    else:
        assert found == [(owner.user_id,)]


def test_the_variant_can_change_both_ways(database: str) -> None:
    materialised = Variant(views="materialised")
    with site(database, Variant(), pool_size=1) as up:
        migrate(database, "after-data", materialised)
        migrate(database, "after-data", materialised)
        assert up.world.rows("SELECT count(*) FROM figures_counted") == [(1,)]
        migrate(database, "after-data", Variant())
        assert up.world.rows("SELECT to_regclass('monthly_figures')") == [(None,)]
        assert up.world.rows("SELECT to_regclass('figures_counted')") == [(None,)]


# the process --------------------------------------------------------------------------------


def start(*arguments: str, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "reference_app.statistics.refresh", *arguments],
        env={**os.environ, "APP_DATABASE_URL": url},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.covers("B-56")
def test_the_process_counts_again_and_again_and_ends_when_asked(house: Site, worker: str) -> None:
    process = start("--every", "0.1", url=worker)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if refresh.READY in line:
                break
        owner = owner_with_stays(house)
        deadline = time.monotonic() + DEADLINE_S
        while house.call("GET", PATHS[0], owner).json()["bookings"] == 0:
            assert time.monotonic() < deadline, "nothing was counted"
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, rest
    assert "Traceback" not in rest


def test_a_single_count_says_whether_it_was_made(house: Site, worker: str) -> None:
    owner = owner_with_stays(house)
    done = start("--once", url=worker)
    _, told = done.communicate(timeout=DEADLINE_S)
    assert done.returncode == 0, told
    assert house.call("GET", PATHS[0], owner).json()["bookings"] > 0

    refused = start("--once", url=house.app_url)
    _, told = refused.communicate(timeout=DEADLINE_S)
    assert refused.returncode == 5
    assert "permission denied" in told
