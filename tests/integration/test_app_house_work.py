"""Cleanings, linen and trips: what an owner writes down comes back, checked and in order."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from app_support import Site, site

from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

DAY = date(2026, 3, 1)
NOBODYS = "00000000-0000-0000-0000-000000000001"


@pytest.fixture(scope="module")
def house(fresh_database: Any) -> Iterator[Site]:
    variant = Variant(indexes="full", pagination="offset", row_security="wrapped")
    with fresh_database() as url, site(url, variant, pool_size=8) as up:
        yield up


@pytest.fixture
def owner(house: Site) -> Principal:
    return house.world.owner()


def cleaning(unit_id: uuid.UUID, day: date = DAY, **more: Any) -> dict[str, Any]:
    return {"gite_id": str(unit_id), "date": str(day), **more}


def trip(day: date = DAY, **more: Any) -> dict[str, Any]:
    return {"date": str(day), "depart": "Dole", "arrivee": "Arbois", "hectometres": 352, **more}


@pytest.mark.covers("B-86", "B-77")
def test_cleanings_are_listed_newest_first_by_gite_and_by_status(
    house: Site, owner: Principal
) -> None:
    first, second = house.world.unit(owner), house.world.unit(owner)
    made = [
        house.call("POST", "/api/cleaning", owner, json=cleaning(unit, DAY + timedelta(days=days)))
        for unit, days in [(first, 2), (second, 5), (first, 9)]
    ]
    assert [answer.status_code for answer in made] == [201] * 3
    rows = [answer.json() for answer in made]
    done = house.call(
        "PATCH", f"/api/cleaning/{rows[0]['id']}", owner, json={"status": "done"}
    ).json()
    assert (done["status"], done["date"]) == ("done", "2026-03-03")

    def listed(**query: str) -> list[str]:
        found = house.call("GET", "/api/cleaning", owner, params=query).json()
        assert found["total"] == len(found["items"])
        return [row["id"] for row in found["items"]]

    ids = [row["id"] for row in rows]
    assert listed() == [ids[2], ids[1], ids[0]]
    assert listed(gite_id=str(first)) == [ids[2], ids[0]]
    assert listed(status="planned") == [ids[2], ids[1]]
    assert listed(status="done", gite_id=str(second)) == []


@pytest.mark.covers("B-86")
def test_a_cleaning_may_belong_to_a_stay_of_the_same_gite_only(
    house: Site, owner: Principal
) -> None:
    here, there = house.world.unit(owner), house.world.unit(owner)
    stay = str(house.world.reservation(owner, here, DAY, DAY + timedelta(days=3)))

    after_it = cleaning(here, DAY + timedelta(days=3), reservation_id=stay, intervenant="Zoé")
    answer = house.call("POST", "/api/cleaning", owner, json=after_it)
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in after_it} == after_it
    for wrong in (cleaning(there, reservation_id=stay), cleaning(here, reservation_id=NOBODYS)):
        refused = house.call("POST", "/api/cleaning", owner, json=wrong)
        assert (refused.status_code, refused.json()["detail"]) == (
            404,
            "stay in this gîte not found",
        )


def test_a_cleaning_that_is_deleted_is_gone(house: Site, owner: Principal) -> None:
    unit = house.world.unit(owner)
    made = house.call("POST", "/api/cleaning", owner, json=cleaning(unit)).json()
    path = f"/api/cleaning/{made['id']}"

    assert house.call("DELETE", path, owner).status_code == 204
    assert house.call("DELETE", path, owner).status_code == 404
    assert house.call("PATCH", path, owner, json={}).status_code == 404


@pytest.mark.covers("B-87")
def test_linen_is_set_by_gite_and_article(house: Site, owner: Principal) -> None:
    unit, other = house.world.unit(owner), house.world.unit(owner)
    article = "housses de couette 90%/200"
    path = f"/api/linen/{unit}/{quote(article.replace('/', '-'), safe='')}"
    name = article.replace("/", "-")

    first = house.call("PUT", path, owner, json={"total": 12, "propres": 8})
    assert (first.status_code, first.json()["article"]) == (201, name)
    again = house.call("PUT", path, owner, json={"total": 12, "propres": 12})
    assert (again.status_code, again.json()["propres"]) == (200, 12)
    house.call("PUT", f"/api/linen/{other}/draps", owner, json={"total": 4, "propres": 0})

    every = house.call("GET", "/api/linen", owner).json()
    assert sorted((row["gite_id"], row["article"], row["total"]) for row in every) == sorted(
        [(str(unit), name, 12), (str(other), "draps", 4)]
    )
    one = house.call("GET", "/api/linen", owner, params={"gite_id": str(unit)}).json()
    assert [row["article"] for row in one] == [name]
    assert house.call("DELETE", path, owner).status_code == 204
    assert house.call("DELETE", path, owner).status_code == 404


@pytest.mark.covers("B-87")
def test_linen_is_never_cleaner_than_there_is_of_it(house: Site, owner: Principal) -> None:
    unit = house.world.unit(owner)
    for stock in ({"total": 3, "propres": 4}, {"total": -1, "propres": 0}, {"total": 3}):
        answer = house.call("PUT", f"/api/linen/{unit}/draps", owner, json=stock)
        assert answer.status_code == 400, answer.text
    long = "x" * 61
    fine = {"total": 3, "propres": 3}
    assert house.call("PUT", f"/api/linen/{unit}/{long}", owner, json=fine).status_code == 400
    assert house.call("PUT", f"/api/linen/{NOBODYS}/draps", owner, json=fine).status_code == 404
    assert house.call("GET", "/api/linen", owner).json() == []


def test_many_who_set_one_article_at_once_leave_one_row(house: Site, owner: Principal) -> None:
    unit = house.world.unit(owner)
    answers = house.app.together(
        [
            ("PUT", f"/api/linen/{unit}/draps", owner, {"json": {"total": 64, "propres": clean}})
            for clean in range(64)
        ]
    )

    assert sorted(answer.status_code for answer in answers) == [200] * 63 + [201]
    (row,) = house.call("GET", "/api/linen", owner).json()
    assert row["total"] == 64
    assert row["propres"] in range(64)


@pytest.mark.covers("B-89")
def test_trips_are_listed_newest_first_and_narrowed_to_days_and_a_gite(
    house: Site, owner: Principal
) -> None:
    unit = house.world.unit(owner)
    ids = [
        house.call(
            "POST", "/api/trips", owner, json=trip(DAY + timedelta(days=days), **more)
        ).json()["id"]
        for days, more in [(0, {}), (3, {"gite_id": str(unit), "motif": "clés"}), (1, {})]
    ]

    def listed(**query: str) -> list[str]:
        return [
            row["id"]
            for row in house.call("GET", "/api/trips", owner, params=query).json()["items"]
        ]

    assert listed() == [ids[1], ids[2], ids[0]]
    assert listed(**{"from": "2026-03-01", "to": "2026-03-02"}) == [ids[2], ids[0]]
    assert listed(gite_id=str(unit)) == [ids[1]]


@pytest.mark.covers("B-89")
def test_a_trip_is_changed_field_by_field_and_can_leave_its_gite(
    house: Site, owner: Principal
) -> None:
    unit, foreign = house.world.unit(owner), house.world.unit(house.world.owner())
    made = house.call("POST", "/api/trips", owner, json=trip(gite_id=str(unit))).json()
    path = f"/api/trips/{made['id']}"

    assert house.call("PATCH", path, owner, json={"hectometres": 7}).json() == {
        **made,
        "hectometres": 7,
    }
    assert house.call("PATCH", path, owner, json={"gite_id": None}).json()["gite_id"] is None
    assert house.call("PATCH", path, owner, json={"gite_id": str(unit)}).json()["gite_id"] == str(
        unit
    )
    for body in ({"gite_id": str(foreign)}, {"gite_id": NOBODYS}):
        assert house.call("PATCH", path, owner, json=body).status_code == 404
    assert house.call("POST", "/api/trips", owner, json=trip(gite_id=NOBODYS)).status_code == 404
    for wrong in (trip(hectometres=0), trip(depart=""), trip(extra=1)):
        assert house.call("POST", "/api/trips", owner, json=wrong).status_code == 400
    assert house.call("DELETE", path, owner).status_code == 204
    assert house.call("DELETE", path, owner).status_code == 404
