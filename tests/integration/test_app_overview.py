"""E-Pilot's materialised views: right, hourly, in no reader's way, and never what decides."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from app_support import Site, site, site_on, worker_login

from reference_app.migrate import migrate
from reference_app.statistics.refresh import EVERY_S
from reference_app.variant import Variant

pytestmark = pytest.mark.db

VARIANT = Variant(indexes="full", row_security="wrapped", views="materialised")
PATHS = ("/api/overview", "/api/overview/plan-modules")


@pytest.fixture(scope="module")
def office(fresh_database: Any) -> Iterator[Site]:
    with fresh_database() as url, site(url, VARIANT, pool_size=3) as up:
        yield up


@pytest.fixture(scope="module")
def worker_url(office: Site) -> str:
    return worker_login(office.world.admin_url)


def refresh(worker_url: str) -> None:
    with psycopg.connect(worker_url, autocommit=True) as connection:
        connection.execute("SELECT refresh_service_views()")


def some_groups(office: Site) -> None:
    for plan, status in (("pro", "active"), ("pro", "grace"), ("premium", "suspended")):
        admin = office.world.group(plan, status)
        school = office.world.school(admin)
        office.world.run(
            "INSERT INTO stored_files (id, school_group_id, name, size_bytes)"
            " SELECT gen_random_uuid(), %s, 'f', 1000 WHERE %s <> 'suspended'",
            *(admin.tenant_id, status),
        )
        if status != "suspended":
            office.world.run(
                "INSERT INTO students (id, school_group_id, school_id, name)"
                " SELECT gen_random_uuid(), %s, %s, 'Élève' FROM generate_series(1, 5)",
                *(admin.tenant_id, school),
            )


@pytest.mark.covers("B-56")
def test_what_was_counted_in_advance_is_what_counting_gives(office: Site, worker_url: str) -> None:
    boss = office.world.super_admin()
    some_groups(office)
    refresh(worker_url)

    counted = [office.call("GET", path, boss).json() for path in PATHS]
    live_variant = Variant(indexes="full", row_security="wrapped")
    with site_on(office.world.admin_url, office.app_url, live_variant, pool_size=2) as live:
        now = [live.call("GET", path, boss).json() for path in PATHS]

    assert counted[0].pop("as_of") < now[0].pop("as_of")
    assert counted == now
    assert counted[0]["students"] >= 10
    assert counted[0]["by_status"]["suspended"] >= 1
    # 8 + 20 + 47 + 100 modules of the four plans
    assert len(counted[1]) == 175


@pytest.mark.covers("X-15")
def test_access_follows_a_plan_at_once_while_the_report_is_still_the_old_one(
    office: Site, worker_url: str
) -> None:
    boss, admin = office.world.super_admin(), office.world.group("pro")
    refresh(worker_url)
    before = office.call("GET", PATHS[1], boss).json()
    taken = next(each for each in before if each["plan"] == "pro")
    access = f"/api/modules/{taken['module_id']}/access"
    had = office.call("GET", access, admin).json()

    path = f"/api/plans/{taken['plan_id']}/modules/{taken['module_id']}"
    assert office.call("DELETE", path, boss).status_code == 204
    has = office.call("GET", access, admin).json()
    stale = office.call("GET", PATHS[1], boss).json()
    refresh(worker_url)
    fresh = office.call("GET", PATHS[1], boss).json()
    office.call("PUT", path, boss)

    assert had != has
    assert stale == before
    assert fresh == [each for each in before if each != taken]


@pytest.mark.covers("I-42")
def test_a_refresh_under_way_keeps_no_reader_out(office: Site, worker_url: str) -> None:
    boss = office.world.super_admin()
    refresh(worker_url)
    before = [office.call("GET", path, boss).json() for path in PATHS]
    office.world.group("pro")

    with psycopg.connect(worker_url) as refreshing:
        refreshing.execute("SELECT refresh_service_views()")
        during = [office.call("GET", path, boss).json() for path in PATHS]

    assert during == before
    assert office.call("GET", PATHS[0], boss).json()["groups"] == before[0]["groups"] + 1


def test_both_views_have_the_unique_index_that_a_refresh_beside_readers_needs(office: Site) -> None:
    assert office.world.rows(
        "SELECT tablename FROM pg_indexes WHERE starts_with(indexdef, 'CREATE UNIQUE')"
        " AND tablename IN ('plan_modules_view', 'global_stats_view') ORDER BY tablename"
    ) == [("global_stats_view",), ("plan_modules_view",)]


def test_nobody_but_super_administrators_reads_them_by_any_way(
    office: Site, worker_url: str
) -> None:
    world = office.world
    for who in (world.owner(), world.group("pro"), world.support()):
        assert [office.call("GET", path, who).status_code for path in PATHS] == [403, 403]
    for login, relation in (
        (office.app_url, "global_stats_view"),
        (office.app_url, "plan_modules_view"),
        (worker_url, "global_stats_view"),
    ):
        with (
            psycopg.connect(login) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(f"SELECT * FROM {relation}".encode())
    with psycopg.connect(office.app_url) as connection:
        connection.execute(
            "SELECT set_config('app.role', 'group_admin', false),"
            " set_config('app.tenant_id', %s, false)",
            [str(uuid.uuid4())],
        )
        assert connection.execute("SELECT * FROM service_stats").fetchall() == []


def test_the_views_come_and_go_with_their_variant(database: str) -> None:
    names = ("plan_modules_view", "global_stats_view", "service_stats")
    with site(database, Variant(views="materialised"), pool_size=1) as up:

        def there() -> list[bool]:
            return [up.world.rows("SELECT to_regclass(%s)", name) != [(None,)] for name in names]

        migrate(database, "after-data", Variant(views="materialised"))
        with_views = there()
        migrate(database, "after-data", Variant())
        without = there()

    assert (with_views, without) == ([True] * 3, [False] * 3)


@pytest.mark.covers("T-24")
def test_views_are_refreshed_every_hour() -> None:
    assert EVERY_S == 3600
