"""Notices, the error log and the support desk, in all four row-security variants."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from app_support import Site, site

from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

VARIANTS = ("off", "naive", "indexed", "wrapped")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module", params=VARIANTS)
def desk(request: pytest.FixtureRequest, fresh_database: Any) -> Iterator[Site]:
    variant = Variant(indexes="full", pagination="keyset", row_security=request.param)
    with fresh_database() as url, site(url, variant, pool_size=4) as up:
        yield up


def notice(up: Site, who: Principal, hours: int, *, read: bool = False) -> str:
    notice_id = uuid.uuid4()
    at = NOON + timedelta(hours=hours)
    up.world.run(
        "INSERT INTO notifications (id, user_id, kind, title, is_read, created_at, read_at)"
        " VALUES (%s, %s, 'sync', 'Synchronised', %s, %s, %s)",
        *(notice_id, who.user_id, read, at, at if read else None),
    )
    return str(notice_id)


def listed(up: Site, who: Principal, path: str, **query: Any) -> list[str]:
    """Ids of every page."""
    answer = up.call("GET", path, who, params=query)
    found: list[str] = []
    while True:
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [row["id"] for row in page["items"]]
        if page["next"] is None:
            return found
        answer = up.call("GET", page["next"], who)


@pytest.mark.covers("B-94")
def test_unread_notices_come_first_and_the_newest_of_them_before_the_others(desk: Site) -> None:
    mine, other = desk.world.owner(), desk.world.owner()
    old_unread = notice(desk, mine, -100)
    new_read = notice(desk, mine, 5, read=True)
    new_unread = notice(desk, mine, 3)
    old_read = notice(desk, mine, -200, read=True)
    notice(desk, other, 9)

    assert listed(desk, mine, "/api/notifications") == [new_unread, old_unread, new_read, old_read]
    unread = listed(desk, mine, "/api/notifications", is_read="false")
    assert unread == [new_unread, old_unread]


@pytest.mark.covers("B-94", "B-72")
def test_unread_and_read_notices_are_paged_as_one_list(desk: Site) -> None:
    mine = desk.world.owner()
    unread = [notice(desk, mine, hour) for hour in range(60)]
    read = [notice(desk, mine, hour, read=True) for hour in range(60)]

    assert listed(desk, mine, "/api/notifications") == unread[::-1] + read[::-1]


@pytest.mark.covers("B-94", "F-30")
def test_a_notice_is_read_once_and_by_its_receiver_only(desk: Site) -> None:
    mine, other = desk.world.owner(), desk.world.owner()
    notice_id = notice(desk, mine, 0)
    path = f"/api/notifications/{notice_id}/read"

    assert desk.call("POST", path, other).status_code == 404
    first = desk.call("POST", path, mine)
    assert (first.status_code, first.json()["is_read"]) == (200, True)
    assert desk.call("POST", path, mine).json() == first.json()


@pytest.mark.covers("B-94", "F-30")
def test_all_notices_are_read_at_once_and_nobody_elses(desk: Site) -> None:
    mine, other = desk.world.owner(), desk.world.owner()
    for hour in range(3):
        notice(desk, mine, hour)
        notice(desk, other, hour)
    notice(desk, mine, 0, read=True)

    assert desk.call("POST", "/api/notifications/read-all", mine).json() == {"marked": 3}
    assert desk.call("POST", "/api/notifications/read-all", mine).json() == {"marked": 0}
    assert len(listed(desk, other, "/api/notifications", is_read="false")) == 3


def test_every_role_has_notices(desk: Site) -> None:
    for who in (desk.world.group(), desk.world.support(), desk.world.super_admin()):
        notice_id = notice(desk, who, 0)
        assert listed(desk, who, "/api/notifications") == [notice_id]


@pytest.mark.covers("B-93", "B-95")
def test_whoever_meets_an_error_reports_it_and_support_reads_it_newest_first(desk: Site) -> None:
    support = desk.world.support()
    people = [desk.world.owner(), desk.world.group(), desk.world.super_admin(), support]
    made = []
    for who in people:
        body = {"source": "dashboard", "message": "Réseau perdu", "request_id": "r-1"}
        answer = desk.call("POST", "/api/errors", who, json=body)
        assert answer.status_code == 201, answer.text
        made.append(answer.json())
    page = desk.call("GET", "/api/errors", support).json()

    assert [row["id"] for row in page["items"][:4]] == [row["id"] for row in reversed(made)]
    newest = page["items"][0]
    assert newest == {
        **made[-1],
        "source": "dashboard",
        "message": "Réseau perdu",
        "user_id": str(support.user_id),
        "request_id": "r-1",
    }
    mine = listed(desk, support, "/api/errors", user_id=str(people[0].user_id))
    assert mine == [made[0]["id"]]
    for who in people[:3]:
        assert desk.call("GET", "/api/errors", who).status_code == 403


@pytest.mark.parametrize(
    "body",
    [{}, {"source": "x", "message": ""}, {"source": "x" * 101, "message": "m"}, {"message": "m"}],
    ids=str,
)
def test_a_report_says_where_and_what_in_bounds(desk: Site, body: dict[str, str]) -> None:
    assert desk.call("POST", "/api/errors", desk.world.owner(), json=body).status_code == 400


@pytest.fixture
def client_id(desk: Site) -> str:
    found = uuid.uuid4()
    desk.world.run(
        "INSERT INTO cm_clients (id, email, nom) VALUES (%s, %s, 'Gîtes du Jura')",
        *(found, f"{found}@example.com"),
    )
    desk.world.run(
        "INSERT INTO cm_subscriptions (id, client_id, formule, status, starts_on)"
        " VALUES (gen_random_uuid(), %s, 'premium', 'past_due', '2026-01-01')",
        found,
    )
    return str(found)


@pytest.mark.covers("B-92")
def test_support_finds_a_customer_by_address_and_what_they_subscribed_to(
    desk: Site, client_id: str
) -> None:
    support = desk.world.support()
    email = f"{client_id}@example.com"

    assert listed(desk, support, "/api/support/clients", email=email) == [client_id]
    assert client_id in listed(desk, support, "/api/support/clients")
    for query, expected in [({}, 1), ({"status": "past_due"}, 1), ({"status": "active"}, 0)]:
        found = listed(desk, support, "/api/support/subscriptions", client_id=client_id, **query)
        assert len(found) == expected


@pytest.mark.covers("B-92", "J-13")
def test_tickets_are_opened_listed_by_client_and_status_and_closed(
    desk: Site, client_id: str
) -> None:
    support = desk.world.support()
    tickets = [
        desk.call(
            "POST", "/api/support/tickets", support, json={"client_id": client_id, "sujet": sujet}
        ).json()
        for sujet in ("Calendrier vide", "Facture")
    ]
    ids = [ticket["id"] for ticket in tickets]
    query = {"client_id": client_id}

    assert listed(desk, support, "/api/support/tickets", **query) == ids[::-1]
    closed = desk.call(
        "PATCH", f"/api/support/tickets/{ids[0]}", support, json={"status": "closed"}
    ).json()
    assert closed["updated_at"] > closed["created_at"]
    assert listed(desk, support, "/api/support/tickets", status="closed", **query) == ids[:1]
    assert listed(desk, support, "/api/support/tickets", status="open", **query) == ids[1:]
    missing = str(uuid.uuid4())
    for method, path, body in [
        ("POST", "/api/support/tickets", {"client_id": missing, "sujet": "S"}),
        ("PATCH", f"/api/support/tickets/{missing}", {"status": "open"}),
    ]:
        assert desk.call(method, path, support, json=body).status_code == 404


@pytest.mark.covers("F-30")
def test_only_support_sees_customers(desk: Site, client_id: str) -> None:
    ticket = desk.call(
        "POST",
        "/api/support/tickets",
        desk.world.support(),
        json={"client_id": client_id, "sujet": "S"},
    ).json()
    for who in (desk.world.owner(), desk.world.group(), desk.world.super_admin()):
        for path in ("clients", "subscriptions", "tickets"):
            assert desk.call("GET", f"/api/support/{path}", who).status_code == 403
        body = {"client_id": client_id, "sujet": "S"}
        assert desk.call("POST", "/api/support/tickets", who, json=body).status_code == 403
        path = f"/api/support/tickets/{ticket['id']}"
        assert desk.call("PATCH", path, who, json={"status": "closed"}).status_code == 403


@pytest.mark.covers("F-30")
def test_support_has_nothing_of_the_owners(desk: Site) -> None:
    support = desk.world.support()
    for path in ("reservations", "units", "cleaning", "linen", "trips", "exports/reservations.csv"):
        assert desk.call("GET", f"/api/{path}", support).status_code == 403
