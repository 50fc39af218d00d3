"""No way to another tenant's rows: a model of who owns what, and random requests against it.

The machine keeps its own books of every owner's gîtes and bookings. Whatever is asked, by
whomever, of whichever row, the answer must be what the books say about the asker's own rows; at
the end the database must hold exactly what the books hold, for everybody.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from app_support import Site, site
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from litestar.handlers import HTTPRouteHandler

from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

VARIANTS = ("off", "naive", "indexed", "wrapped")
DAY = date(2026, 3, 1)

people = st.integers(0, 2)
picks = st.integers(0, 1_000)
days = st.integers(0, 40)
nights = st.integers(1, 6)
guests = st.sampled_from(["Zoé Lefèvre", "Jean Petit", "Anne Martin"])


@pytest.fixture(scope="module", params=VARIANTS)
def town(request: pytest.FixtureRequest, fresh_database: Any) -> Iterator[Site]:
    variant = Variant(indexes="tier1", pagination="offset", row_security=request.param)
    with fresh_database() as url, site(url, variant, pool_size=2) as up:
        yield up


@dataclass
class Books:
    """What one owner must see."""

    who: Principal
    units: dict[str, str] = field(default_factory=dict)
    stays: dict[str, dict[str, Any]] = field(default_factory=dict)

    def free(self, unit: str, first: date, last: date, *, but: str | None = None) -> bool:
        return not any(
            stay["gite_id"] == unit
            and stay["status"] != "cancelled"
            and stay["date_debut"] < str(last)
            and str(first) < stay["date_fin"]
            for stay_id, stay in self.stays.items()
            if stay_id != but
        )


def machine(up: Site) -> type[RuleBasedStateMachine]:
    """The state machine of one running application."""

    class Owners(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.books: list[Books] = []

        @initialize()
        def three_owners_with_a_unit_each(self) -> None:
            self.books = [Books(up.world.owner()) for _ in range(3)]
            for books in self.books:
                books.units[str(up.world.unit(books.who))] = "Les Tilleuls"

        def any_unit(self, pick: int) -> str:
            units = sorted(unit for books in self.books for unit in books.units)
            return units[pick % len(units)]

        def any_stay(self, pick: int) -> str:
            stays = sorted(stay for books in self.books for stay in books.stays)
            return stays[pick % len(stays)] if stays else str(uuid.UUID(int=pick))

        @rule(actor=people, name=st.sampled_from(["A", "B", "C"]))
        def create_a_unit(self, actor: int, name: str) -> None:
            mine = self.books[actor]
            body = {"nom": name, "ville": "Dole", "code_postal": "39100", "capacite": 4}
            answer = up.call("POST", "/api/units", mine.who, json=body)
            assert answer.status_code == 201
            mine.units[answer.json()["id"]] = name

        @rule(actor=people, pick=picks, name=st.sampled_from(["X", "Y"]))
        def rename_any_unit(self, actor: int, pick: int, name: str) -> None:
            mine, unit = self.books[actor], self.any_unit(pick)
            answer = up.call("PATCH", f"/api/units/{unit}", mine.who, json={"nom": name})
            assert answer.status_code == (200 if unit in mine.units else 404)
            if unit in mine.units:
                mine.units[unit] = name

        @rule(actor=people, pick=picks)
        def read_any_unit(self, actor: int, pick: int) -> None:
            mine, unit = self.books[actor], self.any_unit(pick)
            answer = up.call("GET", f"/api/units/{unit}", mine.who)
            assert answer.status_code == (200 if unit in mine.units else 404)

        @rule(actor=people, pick=picks, day=days, length=nights, guest=guests)
        def book_any_unit(self, actor: int, pick: int, day: int, length: int, guest: str) -> None:
            mine, unit = self.books[actor], self.any_unit(pick)
            first = DAY + timedelta(days=day)
            last = first + timedelta(days=length)
            body = {
                "gite_id": unit,
                "date_debut": str(first),
                "date_fin": str(last),
                "client_nom": guest,
            }
            answer = up.call("POST", "/api/reservations", mine.who, json=body)
            if unit not in mine.units:
                assert answer.status_code == 404
                assert "clash" not in answer.json()
            elif not mine.free(unit, first, last):
                assert answer.status_code == 409
                assert answer.json()["clash"]["reservation_id"] in mine.stays
            else:
                assert answer.status_code == 201
                mine.stays[answer.json()["id"]] = answer.json()

        @rule(actor=people, pick=picks, day=days, length=nights)
        def move_any_stay(self, actor: int, pick: int, day: int, length: int) -> None:
            mine, stay = self.books[actor], self.any_stay(pick)
            first = DAY + timedelta(days=day)
            last = first + timedelta(days=length)
            body = {"date_debut": str(first), "date_fin": str(last)}
            answer = up.call("PATCH", f"/api/reservations/{stay}", mine.who, json=body)
            if stay not in mine.stays:
                assert answer.status_code == 404
                return
            known = mine.stays[stay]
            may = known["status"] == "cancelled" or mine.free(
                known["gite_id"], first, last, but=stay
            )
            assert answer.status_code == (200 if may else 409)
            if may:
                mine.stays[stay] = answer.json()

        @rule(actor=people, pick=picks)
        def cancel_any_stay(self, actor: int, pick: int) -> None:
            mine, stay = self.books[actor], self.any_stay(pick)
            answer = up.call("POST", f"/api/reservations/{stay}/cancel", mine.who)
            assert answer.status_code == (200 if stay in mine.stays else 404)
            if stay in mine.stays:
                mine.stays[stay] = answer.json()

        @rule(actor=people, pick=picks)
        def delete_any_stay(self, actor: int, pick: int) -> None:
            mine, stay = self.books[actor], self.any_stay(pick)
            answer = up.call("DELETE", f"/api/reservations/{stay}", mine.who)
            assert answer.status_code == (204 if stay in mine.stays else 404)
            mine.stays.pop(stay, None)

        @rule(actor=people, pick=picks)
        def read_any_stay(self, actor: int, pick: int) -> None:
            mine, stay = self.books[actor], self.any_stay(pick)
            answer = up.call("GET", f"/api/reservations/{stay}", mine.who)
            if stay in mine.stays:
                assert answer.json() == mine.stays[stay]
            else:
                assert answer.status_code == 404

        @rule(actor=people, guest=st.none() | guests, unit=st.none() | picks)
        def list_stays(self, actor: int, guest: str | None, unit: int | None) -> None:
            mine = self.books[actor]
            query = {"q": guest} if guest else {}
            wanted = None if unit is None else self.any_unit(unit)
            if wanted is not None:
                query["gite_id"] = wanted
            page = up.call("GET", "/api/reservations", mine.who, params=query).json()
            expected = sorted(
                (
                    stay
                    for stay in mine.stays.values()
                    if guest in (None, stay["client_nom"]) and wanted in (None, stay["gite_id"])
                ),
                key=lambda stay: (stay["date_debut"], UUID(stay["id"])),
                reverse=True,
            )
            assert page["items"] == expected[:50]
            assert page["total"] == len(expected)

        @rule(actor=people)
        def read_figures(self, actor: int) -> None:
            mine = self.books[actor]
            counted = [stay for stay in mine.stays.values() if stay["status"] != "cancelled"]
            figures = up.call("GET", "/api/statistics?year=2026", mine.who).json()
            assert figures["bookings"] == len(counted)
            history = up.call("GET", "/api/statistics/history", mine.who).json()
            assert sum(year["bookings"] for year in history) == len(counted)
            months = up.call("GET", "/api/statistics/monthly", mine.who).json()["items"]
            assert {row["gite_id"] for row in months} == {stay["gite_id"] for stay in counted}
            board = up.call("GET", "/api/dashboard", mine.who).json()
            shown = [*board["arrivals"], *board["departures"]]
            assert {stay["id"] for stay in shown} <= set(mine.stays)

        @rule(actor=people)
        def read_session_and_units(self, actor: int) -> None:
            mine = self.books[actor]
            account = up.call("GET", "/api/session", mine.who).json()
            assert account["id"] == str(mine.who.user_id)
            units = up.call("GET", "/api/units", mine.who).json()
            assert {unit["id"]: unit["nom"] for unit in units} == mine.units

        @invariant()
        def the_database_agrees_with_the_books(self) -> None:
            for books in self.books:
                units = up.world.rows(
                    "SELECT id::text, nom FROM gites WHERE owner_user_id = %s", books.who.user_id
                )
                stays = up.world.rows(
                    "SELECT id::text, date_debut::text, status FROM reservations"
                    " WHERE owner_user_id = %s",
                    books.who.user_id,
                )
                assert dict(units) == books.units
                assert {row[0]: row[1:] for row in stays} == {
                    stay_id: (stay["date_debut"], stay["status"])
                    for stay_id, stay in books.stays.items()
                }

    return Owners


@pytest.mark.covers("B-51", "B-66", "B-115", "B-116", "F-30")
def test_no_request_reads_or_writes_another_owners_rows(town: Site) -> None:
    run_state_machine_as_test(
        machine(town),
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def protected_routes(up: Site) -> list[tuple[str, str]]:
    """Method and template of every route that needs a token."""
    found = []
    for route in up.app.app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and not handler.opt.get("public"):
                found += [
                    (method, route.path_format)
                    for method in sorted(handler.http_methods)
                    if method != "OPTIONS"
                ]
    return sorted(found)


@pytest.mark.covers("B-52", "X-73")
def test_every_route_refuses_strangers_and_forged_tokens(town: Site) -> None:
    routes = protected_routes(town)
    assert ("GET", "/api/reservations") in routes
    assert len(routes) >= 28
    for method, template in routes:
        path = template.replace("{kind}", "schools")
        path = re.sub(r"\{\w+\}", lambda _: str(uuid.uuid4()), path)
        for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eA=="}):
            answer = town.call(method, path, headers=headers, json={})
            assert answer.status_code == 401, (method, path)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.covers("B-51", "F-30")
def test_no_route_with_an_id_answers_for_another_tenants_row(town: Site) -> None:
    """Also routes that do not exist yet: whatever takes an id is tried with somebody else's."""
    world = town.world
    me, other = world.owner(), world.owner()
    my_group, other_group = world.group(), world.group()
    unit = world.unit(other)
    stay = world.reservation(other, unit, DAY, DAY + timedelta(days=3))
    school = world.school(other_group)
    secrets = [unit, stay, school, other_group.tenant_id, other.user_id]
    for method, template in protected_routes(town):
        if "{" not in template or "_id}/access" in template or "{kind}" in template:
            continue  # access to modules and categories is about the asker's own plan
        before, after = template.index("{"), template.index("}") + 1
        for asker in (me, my_group):
            for secret in secrets:
                path = f"{template[:before]}{secret}{template[after:]}"
                for body in ({}, {"status": "cancelled"}, {"nom": "mine"}, {"plan": "free"}):
                    answer = town.call(method, path, asker, json=body)
                    assert answer.status_code in (400, 403, 404), (method, path, answer.text)
    assert world.rows("SELECT status FROM reservations WHERE id = %s", stay) == [("confirmed",)]
    assert world.rows("SELECT nom FROM gites WHERE id = %s", unit) == [("Les Tilleuls",)]
    assert world.rows(
        "SELECT slug FROM subscriptions JOIN subscription_plans p ON p.id = plan_id"
        " WHERE school_group_id = %s",
        other_group.tenant_id,
    ) == [("pro",)]


@pytest.mark.covers("F-30", "B-115")
def test_what_an_owner_writes_down_is_shown_to_and_changed_by_that_owner_only(town: Site) -> None:
    first, second = town.world.owner(), town.world.owner()
    units = {who.user_id: str(town.world.unit(who)) for who in (first, second)}
    written: dict[tuple[str, UUID], str] = {}
    for who in (first, second):
        unit = units[who.user_id]
        town.world.run(
            "INSERT INTO notifications (id, user_id, kind, title)"
            " VALUES (gen_random_uuid(), %s, 'system', 'T')",
            who.user_id,
        )
        for path, body in [
            ("/api/cleaning", {"gite_id": unit, "date": "2026-03-01"}),
            (
                "/api/trips",
                {"date": "2026-03-01", "depart": "A", "arrivee": "B", "hectometres": 9},
            ),
        ]:
            made = town.call("POST", path, who, json=body)
            assert made.status_code == 201, made.text
            written[path, who.user_id] = made.json()["id"]
        stock = {"total": 2, "propres": 1}
        assert town.call("PUT", f"/api/linen/{unit}/draps", who, json=stock).status_code == 201

    for who, other in ((first, second), (second, first)):
        foreign = units[other.user_id]
        linen = town.call("GET", "/api/linen", who).json()
        assert [row["gite_id"] for row in linen] == [units[who.user_id]]
        assert town.call("GET", "/api/linen", who, params={"gite_id": foreign}).json() == []
        for path in ("/api/cleaning", "/api/trips"):
            listed = town.call("GET", path, who).json()
            assert [row["id"] for row in listed["items"]] == [written[path, who.user_id]]
            assert listed["total"] == 1
            narrowed = town.call("GET", path, who, params={"gite_id": foreign}).json()
            assert narrowed["items"] == []
            theirs = f"{path}/{written[path, other.user_id]}"
            assert town.call("PATCH", theirs, who, json={}).status_code == 404
            assert town.call("DELETE", theirs, who).status_code == 404
        for method, path, body in [
            ("POST", "/api/cleaning", {"gite_id": foreign, "date": "2026-03-01"}),
            ("PUT", f"/api/linen/{foreign}/draps", {"total": 9, "propres": 9}),
            ("PUT", f"/api/linen/{foreign}/taies", {"total": 9, "propres": 9}),
            ("DELETE", f"/api/linen/{foreign}/draps", {}),
        ]:
            assert town.call(method, path, who, json=body).status_code == 404
    for table in ("cleaning_schedule", "linen_stocks", "km_trajets"):
        counted = town.world.rows(
            f"SELECT count(*) FROM {table} WHERE owner_user_id IN (%s, %s)",
            first.user_id,
            second.user_id,
        )
        assert counted == [(2,)]


@pytest.mark.covers("B-51", "F-30")
def test_a_group_sees_its_own_schools_students_staff_and_files_only(town: Site) -> None:
    groups = [town.world.group("pro") for _ in range(2)]
    for admin in groups:
        name = str(admin.tenant_id)
        school = town.call("POST", "/api/schools", admin, json={"name": name, "city": "D"}).json()
        for path, body in [
            ("students", {"school_id": school["id"], "name": name}),
            ("staff", {"school_id": school["id"], "name": name, "position": "P"}),
            ("files", {"name": name, "size_bytes": 5}),
        ]:
            assert town.call("POST", f"/api/{path}", admin, json=body).status_code == 201

    for admin in groups:
        for path in ("schools", "students", "staff", "files"):
            rows = town.call("GET", f"/api/{path}", admin).json()["items"]
            assert [row["name"] for row in rows] == [str(admin.tenant_id)]
        card = town.call("GET", "/api/restrictions", admin).json()["restrictions"]
        assert [row["used"] for row in card] == [1, 1, 1, 0.0]


def test_a_role_may_only_do_its_own_things(town: Site) -> None:
    owner, admin, boss = town.world.owner(), town.world.group(), town.world.super_admin()
    allowed = {
        "/api/reservations": owner,
        "/api/units": owner,
        "/api/dashboard": owner,
        "/api/restrictions": admin,
        "/api/schools": admin,
        "/api/plans": boss,
    }
    for path, right in allowed.items():
        for who in (owner, admin, boss):
            assert town.call("GET", path, who).status_code == (200 if who is right else 403)
