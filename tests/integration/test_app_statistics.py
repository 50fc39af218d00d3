"""Figures of all years: they agree with each other, with the bookings, and with the archive."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from app_support import Site, site, site_on

from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

PLATFORMS = ("airbnb", "booking", "direct")
FIRST_YEAR, YEARS = 2021, 6


@pytest.fixture(scope="module")
def house(fresh_database: Any) -> Iterator[Site]:
    variant = Variant(indexes="full", pagination="offset", row_security="wrapped")
    with fresh_database() as url, site(url, variant, pool_size=4) as up:
        yield up


@pytest.fixture(scope="module")
def owner(house: Site) -> Principal:
    """A gîte with a stay in every month of six years, and one with some; the oldest archived."""
    chance = random.Random(11)
    owner = house.world.owner()
    for share in (1.0, 0.4):
        unit = house.world.unit(owner)
        for month in range(12 * YEARS):
            if chance.random() > share:
                continue
            first = date(FIRST_YEAR + month // 12, month % 12 + 1, chance.randrange(1, 20))
            house.world.reservation(
                owner,
                unit,
                first,
                first + timedelta(days=chance.randrange(1, 20)),
                platform=chance.choice(PLATFORMS),
                status=chance.choice(["confirmed", "confirmed", "pending", "cancelled"]),
                cents=chance.randrange(100_000),
            )
    house.world.run(
        "WITH moved AS (DELETE FROM reservations WHERE owner_user_id = %s"
        " AND date_fin < '2023-02-01' RETURNING *)"
        " INSERT INTO reservations_archive SELECT * FROM moved",
        owner.user_id,
    )
    return owner


def truth(house: Site, owner: Principal) -> list[tuple[Any, ...]]:
    """(arrival, gîte, platform, nights, price) of every stay that counts."""
    return house.world.rows(
        "SELECT date_debut, gite_id::text, plateforme, date_fin - date_debut, prix_centimes"
        " FROM reservations_all WHERE owner_user_id = %s AND status <> 'cancelled'",
        owner.user_id,
    )


@pytest.mark.covers("B-90")
def test_the_history_counts_every_year_and_platform_archived_stays_too(
    house: Site, owner: Principal
) -> None:
    stays = truth(house, owner)
    history = house.call("GET", "/api/statistics/history", owner).json()

    assert [year["year"] for year in history] == sorted({row[0].year for row in stays})[::-1]
    assert len(history) == YEARS
    for year in history:
        mine = [row for row in stays if row[0].year == year["year"]]
        assert year["bookings"] == len(mine)
        assert year["nights"] == sum(row[3] for row in mine)
        assert year["revenue_centimes"] == sum(row[4] for row in mine)
        for figures in year["platforms"]:
            through = [row for row in mine if row[2] == figures["plateforme"]]
            assert figures["bookings"] == len(through) > 0
            assert figures["revenue_centimes"] == sum(row[4] for row in through)
        assert sum(figures["bookings"] for figures in year["platforms"]) == len(mine)


@pytest.mark.covers("B-90")
def test_a_year_of_the_history_is_the_year_asked_for_alone(house: Site, owner: Principal) -> None:
    for year in house.call("GET", "/api/statistics/history", owner).json():
        alone = house.call("GET", f"/api/statistics?year={year['year']}", owner).json()
        for name in ("year", "bookings", "nights", "revenue_centimes"):
            assert alone[name] == year[name]


@pytest.mark.covers("B-77", "B-90")
def test_the_monthly_table_is_paged_and_sums_up_to_the_history(
    house: Site, owner: Principal
) -> None:
    stays = truth(house, owner)
    first = house.call("GET", "/api/statistics/monthly", owner).json()
    assert first["total"] == len({(row[0].year, row[0].month, row[1]) for row in stays}) > 50
    rows, page = list(first["items"]), first
    while page["next"] is not None:
        page = house.call("GET", page["next"], owner).json()
        rows += page["items"]

    assert rows == sorted(rows, key=lambda row: (row["mois"], row["gite_id"]), reverse=True)
    assert len(rows) == first["total"]
    for row in rows:
        mine = [
            stay
            for stay in stays
            if stay[1] == row["gite_id"] and str(stay[0].replace(day=1)) == row["mois"]
        ]
        assert (row["bookings"], row["revenue_centimes"]) == (
            len(mine),
            sum(stay[4] for stay in mine),
        )
    assert sum(row["nights"] for row in rows) == sum(stay[3] for stay in stays)


@pytest.mark.covers("X-70")
def test_the_monthly_table_is_the_same_in_every_pagination_variant(
    house: Site, owner: Principal
) -> None:
    def rows(up: Site, path: str) -> list[Any]:
        page = up.call("GET", path, owner).json()
        found = list(page["items"])
        while page["next"] is not None:
            page = up.call("GET", page["next"], owner).json()
            found += page["items"]
        return found

    url, login = house.world.admin_url, house.app_url
    with (
        site_on(url, login, Variant(pagination="none"), pool_size=2) as whole,
        site_on(url, login, Variant(pagination="keyset"), pool_size=2) as keyset,
    ):
        for path in ("/api/statistics/monthly", "/api/statistics/monthly?year=2024"):
            expected = rows(whole, path)
            assert rows(house, path) == expected
            assert rows(keyset, path) == expected
    assert {row["mois"][:4] for row in expected} == {"2024"}


@pytest.mark.covers("F-30")
def test_nobody_elses_stays_are_counted(house: Site, owner: Principal) -> None:
    other = house.world.owner()
    assert house.call("GET", "/api/statistics/history", other).json() == []
    assert house.call("GET", "/api/statistics/monthly", other).json()["items"] == []
