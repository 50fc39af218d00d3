"""Guests: what a token opens, what it does not, and what stays true when many act at once."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from app_support import Site, World, app_login, migrate_both, site

from reference_app.identity.principal import Principal
from reference_app.information.columns import TEXTS
from reference_app.log import JsonFormatter
from reference_app.variant import Variant

pytestmark = pytest.mark.db

TODAY = datetime.now(UTC).date()

SECTIONS = (
    "",
    "/wifi",
    "/instructions",
    "/equipment",
    "/contacts",
    "/activities",
    "/hour-requests",
)

WRITES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/hour-requests", {"heure_arrivee": "14:00:00"}),
    ("/feedback", {"note": 5}),
)

VARIANTS = (
    Variant(row_security="off", units_table="wide", pagination="offset"),
    Variant(row_security="naive", units_table="split_json", pagination="keyset", indexes="tier1"),
    Variant(row_security="indexed", units_table="split_flat", pagination="offset"),
    Variant(row_security="wrapped", units_table="wide", pagination="none", indexes="full"),
)


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda v: f"{v.row_security}-{v.units_table}")
def house(request: pytest.FixtureRequest, fresh_database: Any) -> Iterator[Site]:
    with fresh_database() as url, site(url, request.param) as up:
        yield up


@dataclass(frozen=True)
class Visit:
    """A stay with an open sheet."""

    site: Site
    owner: Principal
    unit: UUID
    stay: UUID
    sheet: str
    token: str

    def call(self, method: str, section: str = "", **options: Any) -> Any:
        return self.site.call(method, f"/api/guest/{self.token}{section}", **options)


def visit(
    house: Site, *, owner: Principal | None = None, unit: UUID | None = None, **sheet: Any
) -> Visit:
    owner = owner or house.world.owner()
    unit = unit or house.world.unit(owner)
    first = date(2026, 5, 2) + timedelta(
        days=10 * len(house.world.rows("SELECT FROM reservations WHERE gite_id = %s", unit))
    )
    stay = house.world.reservation(owner, unit, first, first + timedelta(days=7), guest="Zoé L.")
    answer = house.call("POST", f"/api/reservations/{stay}/sheet", owner, json=sheet)
    assert answer.status_code == 201, answer.text
    handed = answer.json()
    return Visit(house, owner, unit, stay, handed["id"], handed["token"])


def without_request_id(answer: Any) -> tuple[int, dict[str, Any]]:
    return answer.status_code, {**answer.json(), "request_id": ""}


# sheets -------------------------------------------------------------------------------------


@pytest.mark.covers("B-80")
def test_a_sheets_token_is_shown_once_and_kept_as_a_hash(house: Site) -> None:
    owner = house.world.owner()
    stay = house.world.reservation(
        owner, house.world.unit(owner), date(2026, 5, 2), date(2026, 5, 9)
    )

    answer = house.call("POST", f"/api/reservations/{stay}/sheet", owner, json={})

    handed = answer.json()
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert handed["address"] == f"/api/guest/{handed['token']}"
    assert handed["scope"] == "stay"
    assert re.fullmatch(r"[\w-]{43}", handed["token"])
    stored = house.world.rows(
        "SELECT t::text FROM client_access_tokens t WHERE id = %s", UUID(handed["id"])
    )[0][0]
    assert handed["token"] not in stored
    assert hashlib.sha256(handed["token"].encode()).hexdigest() in stored
    listed = house.call("GET", "/api/sheets", owner)
    assert handed["token"] not in listed.text
    assert [sheet["id"] for sheet in listed.json()["items"]] == [handed["id"]]
    assert listed.json()["items"][0]["revoked_at"] is None


@pytest.mark.covers("B-80")
@pytest.mark.parametrize(
    ("departure", "last_day"),
    [
        (TODAY + timedelta(days=30), TODAY + timedelta(days=37)),
        (TODAY - timedelta(days=400), TODAY + timedelta(days=7)),
    ],
)
def test_a_sheet_lives_seven_days_after_departure_or_today(
    house: Site, departure: date, last_day: date
) -> None:
    owner = house.world.owner()
    stay = house.world.reservation(
        owner, house.world.unit(owner), departure - timedelta(days=3), departure
    )

    handed = house.call("POST", f"/api/reservations/{stay}/sheet", owner, json={}).json()

    end = datetime.fromisoformat(handed["expires_at"])
    # midnight may pass while the test runs
    assert end - datetime(*last_day.timetuple()[:3], tzinfo=UTC) in (
        timedelta(days=1),
        timedelta(days=2),
    )


def test_a_sheet_can_be_given_its_last_day_within_reason(house: Site) -> None:
    opened = visit(house, expires_on=str(TODAY + timedelta(days=2)), scope="sheet")
    listed = house.call("GET", "/api/sheets", opened.owner).json()["items"][0]
    assert listed["expires_at"].startswith(str(TODAY + timedelta(days=3)))
    assert listed["scope"] == "sheet"
    for day in (TODAY - timedelta(days=2), TODAY + timedelta(days=1200)):
        refused = house.call(
            "POST",
            f"/api/reservations/{opened.stay}/sheet",
            opened.owner,
            json={"expires_on": str(day)},
        )
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["field"] == "expires_on"


@pytest.mark.covers("F-30")
def test_only_the_owner_hands_out_lists_and_closes_sheets(house: Site) -> None:
    opened, stranger = visit(house), house.world.owner()
    sheet = f"/api/reservations/{opened.stay}/sheet"
    assert house.call("POST", sheet, stranger, json={}).status_code == 404
    assert house.call("POST", sheet, json={}).status_code == 401
    assert house.call("GET", "/api/sheets", stranger).json()["items"] == []
    closing = f"/api/sheets/{opened.sheet}/revoke"
    assert house.call("POST", closing, stranger).status_code == 404
    assert opened.call("GET").status_code == 200


def test_a_cancelled_stay_gets_no_sheet_and_loses_those_it_had(house: Site) -> None:
    opened = visit(house)
    other = visit(house, owner=opened.owner, unit=opened.unit)

    house.call("POST", f"/api/reservations/{opened.stay}/cancel", opened.owner)

    assert opened.call("GET").status_code == 404
    assert other.call("GET").status_code == 200
    again = house.call("POST", f"/api/reservations/{opened.stay}/sheet", opened.owner, json={})
    assert again.status_code == 409
    assert again.json()["type"] == "/problems/stay-cancelled"


def test_a_sheet_never_outlives_a_cancellation_at_the_same_time(house: Site) -> None:
    for _ in range(5):
        owner = house.world.owner()
        unit = house.world.unit(owner)
        stay = house.world.reservation(owner, unit, date(2026, 5, 2), date(2026, 5, 9))
        issue = ("POST", f"/api/reservations/{stay}/sheet", owner, {"json": {}})
        cancel = ("POST", f"/api/reservations/{stay}/cancel", owner, {})

        answers = house.app.together([issue] * 4 + [cancel] + [issue] * 4)

        assert {answer.status_code for answer in answers} <= {200, 201, 409}
        assert not house.world.rows(
            "SELECT FROM client_access_tokens WHERE reservation_id = %s AND revoked_at IS NULL",
            stay,
        )


# what a token opens -------------------------------------------------------------------------


@pytest.mark.covers("B-81", "J-08")
def test_a_token_opens_the_whole_sheet_without_an_account(house: Site) -> None:
    opened = visit(house)
    information = {
        "core": {"nom": "Les Tilleuls", "adresse": "3 rue", "latitude": 47.1},
        "wifi": {"ssid": "tilleuls", "password": "synthetic", "zones_reception": ["salon"]},
        "instructions": {
            "heure_arrivee": "17:00:00",
            "code_acces": "12A",
            "fr": {text: f"{text} fr" for text in TEXTS},
            "en": {text: f"{text} en" for text in TEXTS},
        },
        "equipment": {"a_piscine": True},
        "contacts": [{"type": "medecin", "nom": "Dr Roux"}],
    }
    put = house.call("PUT", f"/api/units/{opened.unit}/information", opened.owner, json=information)
    for name, metres in (("Loin", 9000), ("Près", 10)):
        house.call(
            "POST",
            "/api/activities",
            opened.owner,
            json={
                "gite_id": str(opened.unit),
                "nom": name,
                "categorie": "visite",
                "distance_m": metres,
            },
        )
    everything = put.json()

    sheet = opened.call("GET")
    assert sheet.status_code == 200, sheet.text
    assert sheet.headers["cache-control"] == "no-store"
    assert sheet.json()["core"] == everything["core"]
    assert sheet.json()["heure_arrivee"] == "17:00:00"
    assert sheet.json()["heure_depart"] == "10:00:00"
    assert sheet.json()["scope"] == "stay"
    stay = sheet.json()["stay"]
    assert stay["reservation_id"] == str(opened.stay)
    assert stay["client_nom"] == "Zoé L."
    assert "prix_centimes" not in sheet.text
    assert opened.call("GET", "/wifi").json() == everything["wifi"]
    assert opened.call("GET", "/equipment").json() == everything["equipment"]
    assert opened.call("GET", "/contacts").json() == everything["contacts"]
    for language in ("fr", "en"):
        told = opened.call("GET", "/instructions", params={"lang": language}).json()
        assert told["langue"] == language
        assert told["code_acces"] == "12A"
        assert told["consignes"] == everything["instructions"][language]
    assert opened.call("GET", "/instructions").json()["langue"] == "fr"
    assert opened.call("GET", "/instructions", params={"lang": "de"}).status_code == 400
    assert [a["nom"] for a in opened.call("GET", "/activities").json()] == ["Près", "Loin"]
    assert opened.call("GET", "/hour-requests").json() == []


def test_a_sheet_without_activities_is_empty_and_not_missing(house: Site) -> None:
    assert visit(house).call("GET", "/activities").json() == []


@pytest.mark.covers("B-80")
def test_unknown_expired_and_closed_tokens_get_one_answer(house: Site) -> None:
    closed, expired = visit(house), visit(house)
    house.call("POST", f"/api/sheets/{closed.sheet}/revoke", closed.owner)
    again = house.call("POST", f"/api/sheets/{closed.sheet}/revoke", closed.owner)
    assert again.status_code == 200
    house.world.run(
        "UPDATE client_access_tokens SET expires_at = now() WHERE id = %s", UUID(expired.sheet)
    )
    tokens = [closed.token, expired.token, "a" * 43, "x", "%00", "é%FF", "'--", "a" * 500]
    calls = [("GET", section, {}) for section in SECTIONS]
    calls += [("POST", section, {"json": body}) for section, body in WRITES]

    for method, section, options in calls:
        answers = [
            without_request_id(house.call(method, f"/api/guest/{token}{section}", **options))
            for token in tokens
        ]
        assert answers[0][0] == 404
        assert answers == [answers[0]] * len(tokens)


def test_a_token_opens_its_own_sheet_and_no_other(house: Site) -> None:
    """Two stays in one gîte, one in another of the same owner, one of somebody else."""
    mine = visit(house)
    others = [
        visit(house, owner=mine.owner, unit=mine.unit),
        visit(house, owner=mine.owner),
        visit(house),
    ]
    for each in (mine, *others):
        asked = each.call("POST", "/hour-requests", json={"heure_arrivee": "11:00:00"})
        assert asked.json()["reservation_id"] == str(each.stay)
    for each in (mine, *others):
        assert each.call("GET").json()["stay"]["reservation_id"] == str(each.stay)
        assert [r["reservation_id"] for r in each.call("GET", "/hour-requests").json()] == [
            str(each.stay)
        ]


def test_an_account_is_no_token_and_a_token_no_account(house: Site) -> None:
    opened = visit(house)
    assert house.call("GET", f"/api/guest/{opened.stay}", opened.owner).status_code == 404
    bearer = {"Authorization": f"Bearer {opened.token}"}
    assert house.call("GET", "/api/sheets", headers=bearer).status_code == 401


@pytest.mark.covers("B-121")
@pytest.mark.parametrize("security", ["naive", "indexed", "wrapped"])
@pytest.mark.parametrize("layout", ["wide", "split_json", "split_flat"])
def test_the_database_alone_shows_a_guest_the_tokens_sheet(
    database: str, security: Any, layout: Any
) -> None:
    """Raw SQL as app_guest, and no WHERE clause of ours: only the policies."""
    variant = Variant(row_security=security, units_table=layout)
    migrate_both(database, variant)
    information = {
        "wide": {"infos_gites": "id"},
        "split_json": dict.fromkeys(
            [
                f"infos_gites_{n}"
                for n in ("core", "wifi", "consignes", "equipements", "contacts", "complements")
            ],
            "gite_id",
        ),
        "split_flat": {
            "gites_base": "id",
            **dict.fromkeys(
                [
                    f"gites_{n}"
                    for n in ("wifi", "consignes", "contacts", "equipements", "complements")
                ],
                "gite_id",
            ),
        },
    }[layout]
    with psycopg.connect(database, autocommit=True) as admin:
        world = World(database, admin)
        stays = {}
        for name in ("mine", "theirs"):
            owner = world.owner()
            unit = world.unit(owner)
            stay = world.reservation(owner, unit, date(2026, 5, 2), date(2026, 5, 9))
            world.run(
                "INSERT INTO client_access_tokens (id, token, reservation_id, gite_id,"
                " owner_user_id, scope, expires_at) VALUES (gen_random_uuid(), %s, %s, %s, %s,"
                " 'stay', now() + interval '1 day')",
                *(name, stay, unit, owner.user_id),
            )
            for table, columns, values in (
                ("hour_requests", "heure_depart, status", "'11:00', 'pending'"),
                ("guest_feedback", "note", "4"),
            ):
                world.run(
                    f"INSERT INTO {table} (id, reservation_id, gite_id, owner_user_id, {columns})"
                    f" VALUES (gen_random_uuid(), %s, %s, %s, {values})",
                    *(stay, unit, owner.user_id),
                )
            world.run(
                "INSERT INTO activites_gites (id, gite_id, owner_user_id, nom, categorie,"
                " distance_m) VALUES (gen_random_uuid(), %s, %s, 'x', 'sport', 1)",
                *(unit, owner.user_id),
            )
            world.run(
                "INSERT INTO notifications (id, user_id, kind, title) VALUES"
                " (gen_random_uuid(), %s, 'system', 'x')",
                owner.user_id,
            )
            stays[name] = (stay, unit, owner.user_id)
        stay, unit, owner_id = stays["mine"]
        their_stay, their_unit, their_owner = stays["theirs"]
        by_gite = {"gites": "id", "activites_gites": "gite_id", **information}
        by_stay = {
            "client_access_tokens": "reservation_id",
            "reservations": "id",
            "hour_requests": "reservation_id",
            "guest_feedback": "reservation_id",
        }
        with psycopg.connect(app_login(database), autocommit=True) as connection:
            connection.execute("SELECT set_config('role', 'app_guest', false)")

            def seen(table: str, key: str) -> set[UUID]:
                return {row[0] for row in connection.execute(f"SELECT {key} FROM {table}")}

            for token, stays_seen, gites_seen in (
                ("", set(), set()),
                ("unknown", set(), set()),
                ("mine", {stay}, {unit}),
            ):
                connection.execute("SELECT set_config('app.token', %s, false)", [token])
                for table, key in by_stay.items():
                    assert seen(table, key) == stays_seen, (table, token)
                for table, key in by_gite.items():
                    assert seen(table, key) == gites_seen, (table, token)

            request = (
                "INSERT INTO hour_requests (id, reservation_id, gite_id, owner_user_id,"
                " heure_depart, status) VALUES (gen_random_uuid(), %s, %s, %s, '12:00', %s)"
            )
            notice = (
                "INSERT INTO notifications (id, user_id, kind, title)"
                " VALUES (gen_random_uuid(), %s, %s, 'x')"
            )
            connection.execute(request, [stay, unit, owner_id, "pending"])
            connection.execute(notice, [owner_id, "feedback"])
            refused: list[tuple[str, list[Any]]] = [
                (request, [their_stay, their_unit, their_owner, "pending"]),
                # about the own stay, but in the hands of somebody else
                (request, [stay, their_unit, their_owner, "pending"]),
                (notice, [their_owner, "feedback"]),
                (notice, [owner_id, "system"]),
                ("SELECT title FROM notifications", []),
                ("SELECT prix_centimes FROM reservations", []),
                ("SELECT email FROM users", []),
                ("UPDATE gites SET nom = 'x'", []),
                ("UPDATE hour_requests SET status = 'accepted'", []),
                ("DELETE FROM guest_feedback", []),
                ("UPDATE client_access_tokens SET expires_at = now() + interval '9 years'", []),
            ]
            for statement, values in refused:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.encode(), values)

            admin.execute("UPDATE client_access_tokens SET scope = 'sheet'")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(request, [stay, unit, owner_id, "pending"])
            for ending in ("expires_at = now()", "revoked_at = now()"):
                admin.execute(
                    "UPDATE client_access_tokens SET expires_at = now() + interval '1 day',"
                    " revoked_at = NULL"
                )
                assert seen("reservations", "id") == {stay}
                admin.execute(f"UPDATE client_access_tokens SET {ending}")
                for table, key in {**by_stay, **by_gite}.items():
                    assert seen(table, key) == set(), (table, ending)


# asking and telling -------------------------------------------------------------------------


@pytest.mark.covers("B-82")
def test_a_guest_asks_for_hours_and_the_owner_is_told_and_answers(house: Site) -> None:
    opened = visit(house)
    asked = opened.call(
        "POST",
        "/hour-requests",
        json={"heure_arrivee": "14:30:00", "heure_depart": "11:00:00", "message": "train"},
    )
    assert asked.status_code == 201, asked.text
    assert asked.json()["status"] == "pending"
    only_departure = opened.call("POST", "/hour-requests", json={"heure_depart": "12:00:00"}).json()
    assert only_departure["heure_arrivee"] is None

    listed = house.call("GET", "/api/hour-requests", opened.owner).json()["items"]
    assert listed == [only_departure, asked.json()]
    notices = house.call("GET", "/api/notifications", opened.owner).json()["items"]
    assert {(n["kind"], n["body"]) for n in notices} == {
        ("hour_request", "arrival 14:30, departure 11:00"),
        ("hour_request", "departure 12:00"),
    }

    first = f"/api/hour-requests/{asked.json()['id']}"
    accepted = house.call("POST", f"{first}/accept", opened.owner)
    assert accepted.status_code == 200
    assert accepted.json()["status"] == "accepted"
    assert house.call("POST", f"{first}/accept", opened.owner).json() == accepted.json()
    refused = house.call("POST", f"{first}/decline", opened.owner)
    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/already-decided"
    declined = house.call(
        "POST", f"/api/hour-requests/{only_departure['id']}/decline", opened.owner
    )
    assert declined.json()["status"] == "declined"
    assert opened.call("GET", "/hour-requests").json() == [declined.json(), accepted.json()]
    pending = house.call(
        "GET", "/api/hour-requests", opened.owner, params={"status": "accepted"}
    ).json()["items"]
    assert pending == [accepted.json()]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": "bitte"},
        {"heure_arrivee": None, "heure_depart": None},
        {"heure_arrivee": "26:00:00"},
        {"heure_arrivee": "14:00:00+02:00"},
        {"heure_arrivee": "14:00:00", "message": "x" * 2001},
        {"heure_arrivee": "14:00:00", "status": "accepted"},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(house: Site, body: Any) -> None:
    opened = visit(house)
    assert opened.call("POST", "/hour-requests", json=body).status_code == 400
    assert opened.call("GET", "/hour-requests").json() == []


@pytest.mark.covers("F-30")
def test_requests_and_feedback_of_others_are_not_there(house: Site) -> None:
    opened, stranger = visit(house), house.world.owner()
    asked = opened.call("POST", "/hour-requests", json={"heure_depart": "11:00:00"}).json()
    opened.call("POST", "/feedback", json={"note": 3})
    for decision in ("accept", "decline"):
        path = f"/api/hour-requests/{asked['id']}/{decision}"
        assert house.call("POST", path, stranger).status_code == 404
        assert house.call("POST", path).status_code == 401
    for path in ("/api/hour-requests", "/api/feedback", "/api/notifications"):
        assert house.call("GET", path, stranger).json()["items"] == []
    assert opened.call("GET", "/hour-requests").json()[0]["status"] == "pending"


@pytest.mark.covers("B-83")
def test_a_stay_has_one_feedback_and_the_owner_is_told_once(house: Site) -> None:
    opened = visit(house)
    second_sheet = house.call(
        "POST", f"/api/reservations/{opened.stay}/sheet", opened.owner, json={}
    ).json()["token"]

    said = opened.call("POST", "/feedback", json={"note": 5, "commentaire": "parfait"})
    again = opened.call("POST", "/feedback", json={"note": 1})
    other = house.call("POST", f"/api/guest/{second_sheet}/feedback", json={"note": 1})

    assert said.status_code == 201
    assert [again.status_code, other.status_code] == [409, 409]
    assert again.json()["type"] == "/problems/feedback-given"
    assert house.call("GET", "/api/feedback", opened.owner).json()["items"] == [said.json()]
    notices = house.call("GET", "/api/notifications", opened.owner).json()["items"]
    assert [(n["kind"], n["body"]) for n in notices] == [("feedback", "5 of 5")]


@pytest.mark.parametrize("note", [0, 6, 2.5, None, "five"])
def test_a_note_is_one_to_five(house: Site, note: Any) -> None:
    assert visit(house).call("POST", "/feedback", json={"note": note}).status_code == 400


@pytest.mark.covers("B-80")
def test_a_sheet_that_may_only_be_read_writes_nothing(house: Site) -> None:
    opened = visit(house, scope="sheet")
    for section, body in WRITES:
        refused = opened.call("POST", section, json=body)
        assert refused.status_code == 403
        assert refused.json()["type"] == "/problems/read-only-sheet"
    for section in SECTIONS:
        assert opened.call("GET", section).status_code == 200
    for path in ("/api/hour-requests", "/api/feedback", "/api/notifications"):
        assert house.call("GET", path, opened.owner).json()["items"] == []


# many at once -------------------------------------------------------------------------------


@pytest.mark.covers("B-82")
def test_of_64_decisions_at_once_one_kind_wins(house: Site) -> None:
    for _ in range(3):
        opened = visit(house)
        asked = opened.call("POST", "/hour-requests", json={"heure_depart": "11:00:00"}).json()
        path = f"/api/hour-requests/{asked['id']}"

        answers = house.app.together(
            [
                ("POST", f"{path}/{'accept' if number % 2 else 'decline'}", opened.owner, {})
                for number in range(64)
            ]
        )

        left = opened.call("GET", "/hour-requests").json()[0]
        winner = "accept" if left["status"] == "accepted" else "decline"
        for number, answer in enumerate(answers):
            if winner == ("accept" if number % 2 else "decline"):
                assert (answer.status_code, answer.json()) == (200, left)
            else:
                assert answer.status_code == 409
        assert Counter(answer.status_code for answer in answers) == {200: 32, 409: 32}


@pytest.mark.covers("B-83")
def test_of_64_feedbacks_at_once_one_is_kept(house: Site) -> None:
    for _ in range(3):
        opened = visit(house)
        path = f"/api/guest/{opened.token}/feedback"

        answers = house.app.together(
            [
                ("POST", path, None, {"json": {"note": 1 + n % 5, "commentaire": f"{n}"}})
                for n in range(64)
            ]
        )

        kept = house.call("GET", "/api/feedback", opened.owner).json()["items"]
        acknowledged = [a.json() for a in answers if a.status_code == 201]
        assert acknowledged == kept
        assert len(kept) == 1
        assert Counter(a.status_code for a in answers) == {201: 1, 409: 63}
        notices = house.call("GET", "/api/notifications", opened.owner).json()["items"]
        assert len(notices) == 1


def test_64_requests_at_once_are_all_kept_with_a_notice_each(house: Site) -> None:
    opened = visit(house)
    path = f"/api/guest/{opened.token}/hour-requests"
    body = {"json": {"heure_arrivee": "13:00:00"}}

    answers = house.app.together([("POST", path, None, body)] * 64)

    assert [answer.status_code for answer in answers] == [201] * 64
    ids = {answer.json()["id"] for answer in answers}
    assert {r["id"] for r in opened.call("GET", "/hour-requests").json()} == ids
    assert len(ids) == 64
    assert house.world.rows(
        "SELECT count(*) FROM notifications WHERE user_id = %s", opened.owner.user_id
    ) == [(64,)]


# secrets ------------------------------------------------------------------------------------


def test_no_log_and_no_metric_shows_a_token(fresh_database: Any) -> None:
    access = logging.getLogger("reference_app.access")
    application = logging.getLogger("reference_app")
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    application.addHandler(handler)
    levels = access.level, application.level
    try:
        with (
            fresh_database() as url,
            site(url, Variant(), access_log=True, log_level="DEBUG") as up,
        ):
            opened = visit(up)
            for section in (*SECTIONS, "/nowhere", "/wifi/"):
                opened.call("GET", section)
            opened.call("POST", "/feedback", json={"note": 9})
            opened.call("DELETE")
            up.world.run("DROP TABLE guest_feedback")
            assert opened.call("POST", "/feedback", json={"note": 4}).status_code == 500
            metrics = up.call("GET", "/metrics").text
    finally:
        application.removeHandler(handler)
        access.setLevel(levels[0])
        application.setLevel(levels[1])
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    guest = [line["path"] for line in lines if "/guest/" in str(line.get("route"))]
    assert "/api/guest/.../wifi" in guest
    assert any("unexpected error" in line["message"] for line in lines)
    for secret in (opened.token, hashlib.sha256(opened.token.encode()).hexdigest()):
        assert secret not in written.getvalue()
        assert secret not in metrics


# activities ---------------------------------------------------------------------------------


@pytest.mark.covers("B-84")
def test_activities_are_added_listed_by_category_changed_and_deleted(house: Site) -> None:
    owner = house.world.owner()
    unit, other = house.world.unit(owner), house.world.unit(owner)
    made = [
        house.call(
            "POST",
            "/api/activities",
            owner,
            json={"gite_id": str(gite), "nom": name, "categorie": category},
        ).json()
        for gite, name, category in (
            (unit, "Cascade", "randonnee"),
            (unit, "Musée", "visite"),
            (other, "Fort", "visite"),
        )
    ]

    def listed(**filters: Any) -> list[str]:
        items = house.call("GET", "/api/activities", owner, params=filters).json()["items"]
        return [item["nom"] for item in items]

    assert listed() == ["Fort", "Musée", "Cascade"]
    assert listed(gite_id=str(unit)) == ["Musée", "Cascade"]
    assert listed(category="visite") == ["Fort", "Musée"]
    assert listed(category="visite", gite_id=str(unit)) == ["Musée"]
    assert (
        house.call("GET", "/api/activities", owner, params={"category": "chasse"}).status_code
        == 400
    )

    path = f"/api/activities/{made[0]['id']}"
    changed = house.call("PATCH", path, owner, json={"distance_m": 1200, "description": "belle"})
    assert changed.json() == {**made[0], "distance_m": 1200, "description": "belle"}
    stranger = house.world.owner()
    assert house.call("PATCH", path, stranger, json={"nom": "x"}).status_code == 404
    assert house.call("DELETE", path, stranger).status_code == 404
    elsewhere = {"gite_id": str(unit), "nom": "x", "categorie": "sport"}
    assert house.call("POST", "/api/activities", stranger, json=elsewhere).status_code == 404
    assert house.call("DELETE", path, owner).status_code == 204
    assert house.call("DELETE", path, owner).status_code == 404
    assert listed(gite_id=str(unit)) == ["Musée"]


def test_lists_of_the_owner_lead_from_page_to_page(house: Site) -> None:
    opened = visit(house)
    instant = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(53):
        house.world.run(
            "INSERT INTO hour_requests (id, reservation_id, gite_id, owner_user_id, heure_depart,"
            " status, created_at) VALUES (%s, %s, %s, %s, '11:00', 'pending', %s)",
            *(uuid.uuid4(), opened.stay, opened.unit, opened.owner.user_id),
            # pairs of one instant: the id decides
            instant + timedelta(minutes=number // 2),
        )
    found, path = [], "/api/hour-requests"
    for _ in range(3):
        page = house.call("GET", path, opened.owner).json()
        found += page["items"]
        if page["next"] is None:
            break
        path = page["next"]
    keys = [(item["created_at"], item["id"]) for item in found]
    assert len(set(keys)) == 53
    assert keys == sorted(keys, reverse=True)
