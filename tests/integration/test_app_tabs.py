"""Every tab of the interface has its data: dashboard, reservations, statistics, tax, guest sheets,
cleaning, gîte information (B-96)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from app_support import Site, site

from reference_app.variant import Variant

pytestmark = pytest.mark.db

TABS = (
    "/api/dashboard",
    "/api/reservations",
    "/api/statistics",
    "/api/statistics/history",
    "/api/statistics/monthly",
    "/api/tax",
    "/api/sheets",
    "/api/hour-requests",
    "/api/feedback",
    "/api/cleaning",
    "/api/units/{unit_id}/information",
)


@pytest.fixture(scope="module", params=("none", "offset", "keyset"))
def house(request: pytest.FixtureRequest, fresh_database: Any) -> Iterator[Site]:
    variant = Variant(indexes="full", pagination=request.param, row_security="wrapped")
    with fresh_database() as url, site(url, variant, pool_size=4) as up:
        yield up


@pytest.mark.covers("B-96", "J-04")
def test_each_tab_loads_for_its_owner_and_for_an_owner_without_anything(house: Site) -> None:
    owner, newcomer = house.world.owner(), house.world.owner()
    units = {who.user_id: house.world.unit(who) for who in (owner, newcomer)}
    day = date(2026, 3, 1)
    house.world.reservation(owner, units[owner.user_id], day, day + timedelta(days=3))

    for who in (owner, newcomer):
        for tab in TABS:
            answer = house.call("GET", tab.format(unit_id=units[who.user_id]), who)
            assert answer.status_code == 200, (tab, answer.text)
            assert answer.headers["content-type"] == "application/json"


@pytest.mark.covers("B-95")
def test_whatever_a_client_calls_wrongly_it_learns_what_to_log(house: Site) -> None:
    """A problem with a request id: what a client writes into the error log."""
    owner = house.world.owner()
    for method, path in [
        ("GET", "/api/nowhere"),
        ("GET", "/api/tax?year=x"),
        ("PATCH", "/api/cleaning/00000000-0000-0000-0000-000000000001"),
        ("POST", "/api/trips"),
    ]:
        answer = house.call(method, path, owner, json={})
        assert answer.status_code in (400, 404)
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["request_id"] == answer.headers["x-request-id"]
        report = {
            "source": path,
            "message": problem["title"],
            "request_id": problem["request_id"],
        }
        assert house.call("POST", "/api/errors", owner, json=report).status_code == 201
