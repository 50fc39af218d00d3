"""Reservations over HTTP on a real database."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from app_support import Site, site, site_on

from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

PAGINATIONS = ("none", "offset", "keyset")
DAY = date(2026, 7, 1)


@pytest.fixture(scope="module")
def booking(fresh_database: Any) -> Iterator[Site]:
    with fresh_database() as url, site(url, Variant(indexes="tier1", pagination="offset")) as up:
        yield up


@pytest.fixture(scope="module")
def paging(booking: Site) -> Iterator[dict[str, Site]]:
    """The same database behind an application of each pagination variant."""
    url, login = booking.world.admin_url, booking.app_url
    with (
        site_on(url, login, Variant(pagination="none"), pool_size=2) as whole,
        site_on(url, login, Variant(pagination="keyset"), pool_size=2) as keyset,
    ):
        yield {"none": whole, "offset": booking, "keyset": keyset}


def stay(unit_id: uuid.UUID, first: date = DAY, nights: int = 3, **more: Any) -> dict[str, Any]:
    return {
        "gite_id": str(unit_id),
        "date_debut": str(first),
        "date_fin": str(first + timedelta(days=nights)),
        "client_nom": "Anne Martin",
        **more,
    }


def walk(up: Site, owner: Principal, query: dict[str, str]) -> list[str]:
    """Ids of all pages, following ``next``."""
    ids: list[str] = []
    answer = up.call("GET", "/api/reservations", owner, params=query)
    while True:
        assert answer.status_code == 200, answer.text
        page = answer.json()
        ids += [row["id"] for row in page["items"]]
        if page["next"] is None:
            return ids
        answer = up.call("GET", page["next"], owner)


@pytest.fixture(scope="module")
def busy_owner(booking: Site) -> Principal:
    """173 reservations in three gîtes, many arriving on one day."""
    chance = random.Random(7)
    owner = booking.world.owner()
    for unit_id in [booking.world.unit(owner) for _ in range(3)]:
        for index in range(57):
            booking.world.reservation(
                owner,
                unit_id,
                DAY + timedelta(days=3 * index),
                DAY + timedelta(days=3 * index + 2),
                guest=chance.choice(["Zoé Lefèvre", "Réservations Dupont", "Jean Petit"]),
                platform=chance.choice(["airbnb", "booking", "direct"]),
                status=chance.choice(["confirmed", "pending", "cancelled"]),
            )
    for index in range(2):
        booking.world.reservation(
            owner, unit_id, DAY - timedelta(days=9 * index + 9), DAY - timedelta(days=9 * index)
        )
    return owner


@pytest.mark.covers("B-66", "B-72", "B-78", "X-70")
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"platform": "airbnb"},
        {"status": "pending", "from": "2026-08-01"},
        {"from": "2026-07-10", "to": "2026-09-30"},
        {"q": "Lefèvre"},
        {"q": "nobody"},
    ],
    ids=str,
)
def test_every_pagination_variant_gives_the_same_rows_in_the_same_order(
    paging: dict[str, Site], busy_owner: Principal, query: dict[str, str]
) -> None:
    found = {name: walk(up, busy_owner, query) for name, up in paging.items()}

    assert found["offset"] == found["none"]
    assert found["keyset"] == found["none"]
    where = {
        "platform": "plateforme = %(platform)s",
        "status": "status = %(status)s",
        "from": "date_debut >= %(from)s",
        "to": "date_debut <= %(to)s",
        "q": "client_nom ILIKE '%%' || %(q)s || '%%'",
    }
    condition = " AND ".join(["owner_user_id = %(owner)s", *(where[name] for name in query)])
    expected = paging["none"].world.connection.execute(
        f"SELECT id FROM reservations WHERE {condition} ORDER BY date_debut DESC, id DESC".encode(),
        {**query, "owner": busy_owner.user_id},
    )
    assert found["none"] == [str(row[0]) for row in expected]


@pytest.mark.covers("B-72", "B-73", "B-75", "F-09")
def test_pages_have_fifty_rows_a_page_count_and_a_range_line(
    booking: Site, busy_owner: Principal
) -> None:
    pages = [
        booking.call("GET", "/api/reservations", busy_owner, params={"page": page}).json()
        for page in (1, 2, 3, 4, 5)
    ]

    assert [len(page["items"]) for page in pages] == [50, 50, 50, 23, 0]
    assert {(page["total"], page["pages"]) for page in pages} == {(173, 4)}
    assert [(page["from"], page["to"]) for page in pages] == [
        (1, 50),
        (51, 100),
        (101, 150),
        (151, 173),
        (0, 0),
    ]
    assert [page["next"] is None for page in pages] == [False, False, False, True, True]
    assert pages[0]["last"] == "/api/reservations?page=4"


@pytest.mark.covers("B-213")
def test_a_list_without_a_page_number_is_page_one(booking: Site, busy_owner: Principal) -> None:
    assert (
        booking.call("GET", "/api/reservations", busy_owner).json()
        == booking.call("GET", "/api/reservations?page=1", busy_owner).json()
    )


def test_an_empty_list_says_so(paging: dict[str, Site]) -> None:
    for up in paging.values():
        page = up.call("GET", "/api/reservations", up.world.owner()).json()
        assert page["items"] == []
        assert page["next"] is None
    assert (
        paging["offset"]
        .call("GET", "/api/reservations", paging["offset"].world.owner())
        .json()
        .items()
        >= {"total": 0, "pages": 0, "from": 0, "to": 0}.items()
    )


def test_a_way_of_paging_the_server_does_not_offer_is_refused_not_ignored(
    paging: dict[str, Site], busy_owner: Principal
) -> None:
    for name, query in [("none", "page=2"), ("keyset", "page=2"), ("offset", "after=x")]:
        assert paging[name].call("GET", f"/api/reservations?{query}", busy_owner).status_code == 400
    assert paging["keyset"].call("GET", "/api/reservations?after=eA", busy_owner).status_code == 400


@pytest.mark.covers("B-68", "B-57")
@pytest.mark.parametrize("words", ["Lefèvre", "lefevre", "LEFÈVRE zoé", "réservations Lefèvre"])
def test_french_search_finds_a_guest_whatever_accents_and_case(booking: Site, words: str) -> None:
    owner = booking.world.owner()
    unit_id = booking.world.unit(owner)
    wanted = booking.world.reservation(
        owner, unit_id, DAY, DAY + timedelta(days=2), guest="Réservation de Zoé Lefèvre"
    )
    booking.world.reservation(
        owner, unit_id, DAY + timedelta(days=5), DAY + timedelta(days=7), guest="Anne Martin"
    )

    page = booking.call("GET", "/api/reservations", owner, params={"q": words}).json()

    assert [row["id"] for row in page["items"]] == [str(wanted)]


@pytest.mark.covers("B-65", "B-67")
def test_a_reservation_can_be_booked_read_changed_cancelled_and_deleted(booking: Site) -> None:
    owner = booking.world.owner()
    unit_id = booking.world.unit(owner)

    created = booking.call(
        "POST", "/api/reservations", owner, json=stay(unit_id, client_email="a@example.com")
    )
    address = created.headers["location"]
    changed = booking.call("PATCH", address, owner, json={"voyageurs": 5, "client_email": None})
    cancelled = booking.call("POST", f"{address}/cancel", owner)

    assert created.status_code == 201
    assert changed.json() == {
        **created.json(),
        "voyageurs": 5,
        "client_email": None,
        "updated_at": changed.json()["updated_at"],
    }
    assert cancelled.json()["status"] == "cancelled"
    assert booking.call("GET", address, owner).json() == cancelled.json()
    assert booking.call("DELETE", address, owner).status_code == 204
    for method in ("GET", "DELETE"):
        assert booking.call(method, address, owner).status_code == 404
    assert booking.call("PATCH", address, owner, json={"voyageurs": 1}).status_code == 404


@pytest.mark.covers("B-71")
def test_a_clash_is_refused_and_names_the_stay_in_the_way(booking: Site) -> None:
    owner = booking.world.owner()
    unit_id = booking.world.unit(owner)
    first = booking.call("POST", "/api/reservations", owner, json=stay(unit_id)).json()

    refused = booking.call(
        "POST", "/api/reservations", owner, json=stay(unit_id, DAY + timedelta(days=2))
    )

    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "/problems/dates-taken"
    assert refused.json()["clash"] == {
        "reservation_id": first["id"],
        "date_debut": "2026-07-01",
        "date_fin": "2026-07-04",
    }


def test_departure_and_arrival_on_one_day_do_not_clash(booking: Site) -> None:
    owner = booking.world.owner()
    unit_id = booking.world.unit(owner)
    for first in (DAY, DAY + timedelta(days=3), DAY - timedelta(days=3)):
        answer = booking.call("POST", "/api/reservations", owner, json=stay(unit_id, first))
        assert answer.status_code == 201, answer.text


def test_cancelling_frees_the_nights_and_taking_it_back_must_not_clash(booking: Site) -> None:
    owner = booking.world.owner()
    unit_id = booking.world.unit(owner)
    first = booking.call("POST", "/api/reservations", owner, json=stay(unit_id)).json()["id"]
    booking.call("POST", f"/api/reservations/{first}/cancel", owner)
    second = booking.call("POST", "/api/reservations", owner, json=stay(unit_id)).json()["id"]

    back = booking.call("PATCH", f"/api/reservations/{first}", owner, json={"status": "confirmed"})

    assert back.status_code == 409
    assert back.json()["clash"]["reservation_id"] == second


def test_moving_a_stay_onto_another_is_refused(booking: Site) -> None:
    owner = booking.world.owner()
    unit_id = booking.world.unit(owner)
    there = booking.call("POST", "/api/reservations", owner, json=stay(unit_id)).json()["id"]
    moved = booking.call(
        "POST", "/api/reservations", owner, json=stay(unit_id, DAY + timedelta(days=10))
    ).json()["id"]

    refused = booking.call(
        "PATCH", f"/api/reservations/{moved}", owner, json={"date_debut": "2026-07-02"}
    )

    assert refused.status_code == 409
    assert refused.json()["clash"]["reservation_id"] == there


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"date_fin": "2026-07-01"}, "date_fin"),
        ({"date_fin": "2026-02-30"}, "date_fin"),
        ({"voyageurs": 0}, "voyageurs"),
        ({"plateforme": "fax"}, "plateforme"),
        ({"client_nom": ""}, "client_nom"),
        ({"prix_centimes": -1}, "prix_centimes"),
        ({"client_email": "a@example.com\n"}, "client_email"),
        ({"client_email": "a b@example.com"}, "client_email"),
    ],
    ids=str,
)
def test_input_that_is_not_accepted_names_the_field(
    booking: Site, body: dict[str, Any], field: str
) -> None:
    owner = booking.world.owner()
    unit_id = booking.world.unit(owner)

    refused = booking.call("POST", "/api/reservations", owner, json={**stay(unit_id), **body})

    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == [field]


def test_a_change_that_leaves_no_night_is_refused(booking: Site) -> None:
    owner = booking.world.owner()
    unit_id = booking.world.unit(owner)
    address = booking.call("POST", "/api/reservations", owner, json=stay(unit_id)).headers[
        "location"
    ]

    refused = booking.call("PATCH", address, owner, json={"date_fin": "2026-06-01"})

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "date_fin"


@pytest.mark.covers("B-71")
@pytest.mark.parametrize("row_security", ["off", "naive", "wrapped"])
def test_two_hundred_parallel_bookings_of_overlapping_stays_leave_exactly_one(
    fresh_database: Any, row_security: Any
) -> None:
    """All stays share the night of 10 July; no two of them are the same."""
    chance = random.Random(3)
    night = date(2026, 7, 10)
    with fresh_database() as url, site(url, Variant(row_security=row_security)) as up:
        owner = up.world.owner()
        unit_id = up.world.unit(owner)
        bodies = []
        for _ in range(200):
            first = night - timedelta(days=chance.randrange(5))
            last = night + timedelta(days=1 + chance.randrange(5))
            bodies.append(stay(unit_id, first, (last - first).days))

        answers = up.app.together(
            [("POST", "/api/reservations", owner, {"json": body}) for body in bodies]
        )

        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 199}
        assert up.world.rows("SELECT count(*) FROM reservations") == [(1,)]


def test_changes_in_one_gite_take_turns(booking: Site) -> None:
    """Two stays moved onto each other's nights would otherwise wait for each other for ever."""
    owner = booking.world.owner()
    unit_id = booking.world.unit(owner)
    first = booking.world.reservation(owner, unit_id, DAY, DAY + timedelta(days=3))
    second = booking.world.reservation(
        owner, unit_id, DAY + timedelta(days=5), DAY + timedelta(days=8)
    )
    with psycopg.connect(booking.world.admin_url) as holder, ThreadPoolExecutor(1) as thread:
        holder.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s::uuid::text, 0))", [unit_id]
        )
        body = {"date_debut": str(DAY + timedelta(days=6)), "date_fin": "2026-07-20"}
        moving = thread.submit(
            booking.call, "PATCH", f"/api/reservations/{first}", owner, json=body
        )
        booking.world.wait_for_lock("change_reservation")
        holder.execute("UPDATE reservations SET date_fin = '2026-07-07' WHERE id = %s", [second])
        holder.commit()

        assert moving.result(timeout=30).status_code == 200


def test_parallel_changes_that_swap_places_end_without_deadlock_or_overlap(booking: Site) -> None:
    owner = booking.world.owner()
    unit_id = booking.world.unit(owner)
    ids = [
        booking.world.reservation(
            owner, unit_id, DAY + timedelta(days=4 * k), DAY + timedelta(days=4 * k + 3)
        )
        for k in range(8)
    ]
    places = [DAY + timedelta(days=4 * k) for k in range(9)]
    chance = random.Random(11)

    answers = booking.app.together(
        [
            (
                "PATCH",
                f"/api/reservations/{chance.choice(ids)}",
                owner,
                {
                    "json": {
                        "date_debut": str(place),
                        "date_fin": str(place + timedelta(days=3)),
                    }
                },
            )
            for place in chance.choices(places, k=60)
        ]
    )

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert any(answer.status_code == 200 for answer in answers)
    overlapping = booking.world.rows(
        "SELECT count(*) FROM reservations a JOIN reservations b ON a.gite_id = b.gite_id"
        " AND a.id < b.id AND daterange(a.date_debut, a.date_fin)"
        " && daterange(b.date_debut, b.date_fin) WHERE a.gite_id = %s",
        unit_id,
    )
    assert overlapping == [(0,)]


@pytest.mark.covers("B-90")
def test_statistics_count_stays_by_month_of_arrival_and_platform(booking: Site) -> None:
    owner = booking.world.owner()
    unit_id = booking.world.unit(owner)
    for first, last, platform, status in [
        (date(2025, 12, 30), date(2026, 1, 2), "airbnb", "confirmed"),
        (date(2026, 1, 5), date(2026, 1, 8), "airbnb", "confirmed"),
        (date(2026, 1, 10), date(2026, 1, 11), "airbnb", "pending"),
        (date(2026, 1, 20), date(2026, 1, 25), "direct", "cancelled"),
        (date(2026, 1, 31), date(2026, 2, 3), "direct", "confirmed"),
    ]:
        booking.world.reservation(
            owner, unit_id, first, last, platform=platform, status=status, cents=5_000
        )

    answer = booking.call("GET", "/api/statistics?year=2026", owner).json()

    assert answer == {
        "year": 2026,
        "bookings": 3,
        "nights": 7,
        "revenue_centimes": 15_000,
        "as_of": None,
        "months": [
            {
                "month": 1,
                "plateforme": "airbnb",
                "bookings": 2,
                "nights": 4,
                "revenue_centimes": 10_000,
            },
            {
                "month": 1,
                "plateforme": "direct",
                "bookings": 1,
                "nights": 3,
                "revenue_centimes": 5_000,
            },
        ],
    }


def test_the_dashboard_shows_who_comes_and_who_leaves(booking: Site) -> None:
    owner = booking.world.owner()
    unit_id = booking.world.unit(owner, "Le Moulin")
    now = date.fromisoformat(booking.call("GET", "/api/dashboard", owner).json()["today"])
    for today in (now, date(2026, 2, 14)):
        staying = booking.world.reservation(
            owner, unit_id, today - timedelta(days=1), today + timedelta(days=1)
        )
        coming = booking.world.reservation(
            owner, unit_id, today + timedelta(days=1), today + timedelta(days=40)
        )
        booking.world.reservation(
            owner, unit_id, today + timedelta(days=60), today + timedelta(days=61)
        )

        answer = booking.call("GET", f"/api/dashboard?date={today}", owner).json()

        assert answer["today"] == str(today)
        assert [row["id"] for row in answer["arrivals"]] == [str(coming)]
        assert [row["id"] for row in answer["departures"]] == [str(staying)]
        assert answer["arrivals"][0]["gite_nom"] == "Le Moulin"
        assert answer["staying_now"] == 1
    for nonsense in ("9999-12-31", "0001-01-01", "tomorrow"):
        assert booking.call("GET", f"/api/dashboard?date={nonsense}", owner).status_code == 400
