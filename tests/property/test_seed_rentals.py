"""Rows beside the bookings: what refers to what, in which order things happened."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from datetime import datetime, time, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seed_worlds import Row, datasets, made

from palier.model.identity import guest_token, owner_id, reservation_id
from seed.gites import draw_gites
from seed.information import FICTION_PREFIXES, information_lines
from seed.linen import ARTICLES
from seed.notices import notice_lines
from seed.sheets import DAYS_AFTER_STAY, draw_sheets, sheet_booking, sheet_lines
from seed.sizes import sizes_of
from seed.spec import DatasetSpec
from seed.syncs import LOGS_A_FEED, TASKS_A_FEED
from seed.tables import INFOS_GITES, NULL

SIX_MONTHS, YEAR = timedelta(days=184), timedelta(days=366)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def anchor_of(spec: DatasetSpec) -> datetime:
    return datetime.combine(spec.anchor, time(), tzinfo=moment("2000-01-01 00:00:00+00").tzinfo)


def start_of(day: str) -> datetime:
    return moment(f"{day} 00:00:00+00")


def by_id(rows: list[Row]) -> dict[str, Row]:
    return {row["id"]: row for row in rows}


@pytest.mark.covers("D-07", "B-80")
@given(spec=datasets())
@settings(max_examples=30)
def test_sheet_0_of_every_owner_opens_a_certain_stay_for_years(spec):
    rows = made(spec)
    tokens = {row["token"]: row for row in rows["client_access_tokens"]}
    stays = by_id(rows["reservations"])
    judged = {row["reservation_id"] for row in rows["guest_feedback"]}

    for owner in range(spec.owners):
        token = guest_token(seed=spec.seed, owner=owner, index=0)
        sheet = tokens.get(hashlib.sha256(token.encode()).hexdigest())
        if not sizes_of(spec).bookings_of(owner):
            assert sheet is None
            continue
        assert sheet is not None
        booking = sheet_booking(spec, owner, 0)
        assert booking == sizes_of(spec).bookings_of(owner) - 1
        assert sheet["reservation_id"] == str(
            reservation_id(seed=spec.seed, owner=owner, index=booking)
        )
        assert sheet["owner_user_id"] == str(owner_id(seed=spec.seed, owner=owner))
        assert (sheet["scope"], sheet["revoked_at"]) == ("stay", NULL)
        assert moment(sheet["expires_at"]) > anchor_of(spec) + timedelta(days=3_600)
        assert stays[sheet["reservation_id"]]["status"] == "confirmed"
        assert sheet["reservation_id"] not in judged


@given(seed=st.integers(0, 2**63), owner=st.integers(0, 10**6), index=st.integers(0, 10**6))
def test_a_guest_s_token_fits_into_an_address_and_belongs_to_one_sheet(seed, owner, index):
    token = guest_token(seed=seed, owner=owner, index=index)

    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert token != guest_token(seed=seed + 1, owner=owner, index=index)
    assert token != guest_token(seed=seed, owner=owner + 1, index=index)
    assert token != guest_token(seed=seed, owner=owner, index=index + 1)


@pytest.mark.covers("B-80")
@given(spec=datasets())
@settings(max_examples=30)
def test_a_sheet_is_made_before_the_stay_and_ends_after_it(spec):
    rows = made(spec)
    stays = by_id(rows["reservations"])
    opened = {
        hashlib.sha256(guest_token(seed=spec.seed, owner=owner, index=0).encode()).hexdigest()
        for owner in range(spec.owners)
    }

    for sheet in rows["client_access_tokens"]:
        stay = stays[sheet["reservation_id"]]
        created, expires = moment(sheet["created_at"]), moment(sheet["expires_at"])
        assert moment(stay["created_at"]) <= created < start_of(stay["date_debut"])
        assert created < anchor_of(spec)
        if sheet["token"] not in opened:
            assert expires == start_of(stay["date_fin"]) + timedelta(days=DAYS_AFTER_STAY)
        if sheet["revoked_at"] != NULL:
            assert created <= moment(sheet["revoked_at"]) < anchor_of(spec)
        elif sheet["token"] not in opened:
            assert stay["status"] != "cancelled"


@pytest.mark.covers("B-82")
@given(spec=datasets())
@settings(max_examples=30)
def test_who_asks_for_other_hours_holds_a_sheet_that_allows_it(spec):
    rows = made(spec)
    stays, sheets = by_id(rows["reservations"]), defaultdict(list)
    for sheet in rows["client_access_tokens"]:
        sheets[sheet["reservation_id"]].append(sheet)

    for request in rows["hour_requests"]:
        asked = moment(request["created_at"])
        assert any(
            sheet["scope"] == "stay"
            and sheet["revoked_at"] == NULL
            and moment(sheet["created_at"]) <= asked < moment(sheet["expires_at"])
            for sheet in sheets[request["reservation_id"]]
        )
        assert asked < start_of(stays[request["reservation_id"]]["date_debut"])
        assert asked < anchor_of(spec)
        assert (request["heure_arrivee"], request["heure_depart"]) != (NULL, NULL)
        assert (request["status"] == "pending") == (request["decided_at"] == NULL)
        if request["decided_at"] != NULL:
            assert asked <= moment(request["decided_at"]) < anchor_of(spec)


@pytest.mark.covers("B-83")
@given(spec=datasets())
@settings(max_examples=30)
def test_a_guest_judges_a_stay_once_after_leaving_while_the_sheet_is_open(spec):
    rows = made(spec)
    stays, sheets = by_id(rows["reservations"]), defaultdict(list)
    for sheet in rows["client_access_tokens"]:
        sheets[sheet["reservation_id"]].append(sheet)

    for feedback in rows["guest_feedback"]:
        told, stay = moment(feedback["created_at"]), stays[feedback["reservation_id"]]
        assert start_of(stay["date_fin"]) < told < anchor_of(spec)
        assert stay["status"] == "confirmed"
        assert any(
            sheet["scope"] == "stay"
            and sheet["revoked_at"] == NULL
            and moment(sheet["created_at"]) < told < moment(sheet["expires_at"])
            for sheet in sheets[feedback["reservation_id"]]
        )
    told_of = Counter(row["reservation_id"] for row in rows["guest_feedback"])
    assert set(told_of.values()) <= {1}


@pytest.mark.covers("B-86")
@given(spec=datasets())
@settings(max_examples=30)
def test_every_late_departure_is_followed_by_a_cleaning_on_its_day(spec):
    rows = made(spec)
    stays = by_id(rows["reservations"])
    cleaned = {row["reservation_id"] for row in rows["cleaning_schedule"]}

    assert len(cleaned) == len(rows["cleaning_schedule"])
    for cleaning in rows["cleaning_schedule"]:
        stay = stays[cleaning["reservation_id"]]
        assert cleaning["date"] == stay["date_fin"]
        if stay["status"] == "cancelled":
            assert cleaning["status"] == "cancelled"
        else:
            is_past = start_of(cleaning["date"]) < anchor_of(spec)
            assert cleaning["status"] == ("done" if is_past else "planned")
    ahead = {row["id"] for row in stays.values() if start_of(row["date_debut"]) > anchor_of(spec)}
    gites_with_several = Counter(row["gite_id"] for row in stays.values())
    assert cleaned >= {stay for stay in ahead if gites_with_several[stays[stay]["gite_id"]] > 12}


@pytest.mark.covers("D-09", "B-94", "B-162")
@given(spec=datasets())
@settings(max_examples=20)
def test_every_owner_has_old_notices_to_delete_and_old_ones_to_keep(spec):
    rows = made(spec)
    ages = defaultdict(set)
    for notice in rows["notifications"]:
        created = moment(notice["created_at"])
        assert created < anchor_of(spec)
        assert (notice["is_read"] == "t") == (notice["read_at"] != NULL)
        if notice["read_at"] != NULL:
            assert created <= moment(notice["read_at"]) < anchor_of(spec)
        is_old = anchor_of(spec) - created > SIX_MONTHS
        ages[notice["user_id"]].add((notice["is_read"], is_old))

    assert len(ages) == spec.owners
    for kinds in ages.values():
        assert kinds >= {("t", True), ("f", True)}
        assert any(not is_old for _, is_old in kinds)


@pytest.mark.covers("D-09", "B-131", "B-123")
@given(spec=datasets())
@settings(max_examples=20)
def test_the_log_of_a_feed_ends_where_its_unit_says_and_reaches_back_over_a_year(spec):
    rows = made(spec)
    logs, tasks = defaultdict(list), defaultdict(list)
    for log in rows["sync_logs"]:
        logs[log["gite_id"]].append(log)
    for task in rows["sync_queue"]:
        tasks[task["gite_id"]].append(task)

    for gite in rows["gites"]:
        of_gite = sorted(logs.pop(gite["id"], []), key=lambda log: log["synced_at"])
        done = tasks.pop(gite["id"], [])
        if gite["ical_url"] == NULL:
            assert (of_gite, done, gite["last_synced_at"]) == ([], [], NULL)
            continue
        assert len(of_gite) == LOGS_A_FEED
        assert of_gite[-1]["synced_at"] == gite["last_synced_at"]
        assert of_gite[-1]["status"] == "success"
        assert anchor_of(spec) - moment(of_gite[0]["synced_at"]) > YEAR
        assert len(done) == TASKS_A_FEED
        succeeded = {log["task_id"]: log for log in of_gite if log["status"] == "success"}
        for task in done:
            assert task["status"] == "completed"
            assert task["completed_at"] == succeeded[task["task_id"]]["synced_at"]
            assert moment(task["created_at"]) <= moment(task["started_at"])
    assert (logs, tasks) == ({}, {})


@pytest.mark.covers("B-97")
@given(spec=datasets())
@settings(max_examples=20)
def test_feeds_are_those_of_the_three_platforms_and_first_units_have_one_that_answers(spec):
    units = made(spec)["gites"]
    first = {str(owner_id(seed=spec.seed, owner=owner)): "" for owner in range(spec.owners)}

    for unit in units:
        feed = unit["ical_url"]
        if unit["owner_user_id"] in first:
            del first[unit["owner_user_id"]]  # parts keep an owner's gîtes in order
            assert re.fullmatch(rf"http://calendar\.\w+\.example/{unit['id']}\.ics", feed)
        if feed != NULL:
            assert re.fullmatch(
                r"http://calendar\.(airbnb|booking|abritel)\.example/"
                rf"(slow/800/|status/503/|){unit['id']}\.ics",
                feed,
            )
    assert first == {}


@pytest.mark.covers("B-98")
@given(spec=datasets())
@settings(max_examples=20)
def test_every_unit_has_one_row_of_information_that_calls_nobody(spec):
    rows = made(spec)
    units = by_id(rows["gites"])

    assert len(INFOS_GITES.columns) == 119
    assert len(rows["infos_gites"]) == len(units)
    for row in rows["infos_gites"]:
        unit = units[row["id"]]
        assert row["gite_id"] == row["id"]
        for column in ("owner_user_id", "nom", "ville", "code_postal"):
            assert row[column] == unit[column]
        for column, text in row.items():
            if column.startswith("telephone_") and text != NULL:
                assert text in {"15", "17", "18"} or text.startswith(FICTION_PREFIXES)
        assert 41 < float(row["latitude"]) < 52
        assert -6 < float(row["longitude"]) < 10
        assert row["piscine_chauffee"] == "f" or row["a_piscine"] == "t"
        assert (row["netflix_login"] != NULL) == (row["netflix"] == "t")


@pytest.mark.covers("B-84", "B-87", "B-89")
@given(spec=datasets())
@settings(max_examples=20)
def test_houses_have_activities_of_several_kinds_linen_of_every_kind_and_trips(spec):
    rows = made(spec)
    activities, linen = defaultdict(list), defaultdict(list)
    for row in rows["activites_gites"]:
        activities[row["gite_id"]].append(row)
    for row in rows["linen_stocks"]:
        linen[row["gite_id"]].append(row)

    for unit in by_id(rows["gites"]):
        names = [row["nom"] for row in activities[unit]]
        assert len(names) == len(set(names)) >= 4
        assert len({row["categorie"] for row in activities[unit]}) >= 4
        assert sorted(row["article"] for row in linen[unit]) == sorted(ARTICLES)
        assert all(0 <= int(row["propres"]) <= int(row["total"]) for row in linen[unit])
    for trip in rows["km_trajets"]:
        assert int(trip["hectometres"]) > 0
        assert start_of(trip["date"]) < anchor_of(spec)


@pytest.mark.covers("B-88")
@given(spec=datasets())
@settings(max_examples=20)
def test_simulations_are_of_the_last_two_whole_years(spec):
    kept = made(spec)["simulations_fiscales"]

    assert kept
    for row in kept:
        assert int(row["annee"]) in {spec.anchor.year - 1, spec.anchor.year - 2}
        assert moment(row["created_at"]) < anchor_of(spec)
        result = json.loads(row["resultat"])
        assert result["total_centimes"] == (
            result["income_tax_centimes"] + result["social_centimes"]
        )
        assert (
            sum(band["taxed_centimes"] for band in result["bands"]) == (result["taxable_centimes"])
        )


@pytest.mark.covers("B-92", "B-93")
@given(spec=datasets())
@settings(max_examples=20)
def test_tickets_and_subscriptions_are_those_of_clients_with_an_account(spec):
    rows = made(spec)
    clients = by_id(rows["cm_clients"])
    addresses = {row["email"] for row in rows["users"] if row["role"] == "owner"}
    users = {row["id"] for row in rows["users"]}

    assert clients
    assert {row["email"] for row in clients.values()} <= addresses
    assert {row["client_id"] for row in rows["cm_subscriptions"]} == set(clients)
    for ticket in rows["cm_support_tickets"]:
        client = clients[ticket["client_id"]]
        created, updated = moment(ticket["created_at"]), moment(ticket["updated_at"])
        assert moment(client["created_at"]) < created <= updated < anchor_of(spec)
    assert {row["user_id"] for row in rows["error_logs"]} <= users | {NULL}


@given(spec=datasets())
@settings(max_examples=20)
def test_every_reference_to_a_stay_or_a_unit_is_to_one_of_the_same_owner(spec):
    rows = made(spec)
    stays, units = by_id(rows["reservations"]), by_id(rows["gites"])

    for of_table in rows.values():
        for row in of_table:
            owner = row.get("owner_user_id", row.get("user_id"))
            if row.get("gite_id", NULL) != NULL:
                assert units[row["gite_id"]]["owner_user_id"] == owner
            if row.get("reservation_id", NULL) != NULL:
                assert stays[row["reservation_id"]]["gite_id"] == row["gite_id"]


@given(spec=datasets())
@settings(max_examples=20)
def test_nothing_was_written_on_or_after_the_day_the_data_calls_today(spec):
    for of_table in made(spec).values():
        for row in of_table:
            created = moment(row["created_at"]) if "created_at" in row else None
            updated = moment(row["updated_at"]) if "updated_at" in row else None
            assert created is None or created < anchor_of(spec)
            assert updated is None or updated <= anchor_of(spec)
            assert created is None or updated is None or created <= updated


@given(spec=datasets())
@settings(max_examples=20)
def test_no_value_needs_escaping_but_the_zones_of_the_wifi(spec):
    for of_table in made(spec).values():
        for row in of_table:
            for column, text in row.items():
                if text != NULL:
                    plain = text.replace("\\n", "") if column == "wifi_zones_reception" else text
                    assert not set(plain) & set("\\\t\n\r\b\f\v")


@given(spec=datasets(), data=st.data())
@settings(max_examples=30)
def test_rows_of_an_owner_are_the_same_alone_and_among_all_others_in_any_order(spec, data):
    order = np.array(data.draw(st.permutations(range(spec.owners))), dtype=np.int64)
    owner = int(order[0])
    alone, units = order[:1], np.arange(spec.gites)
    mine = np.flatnonzero(draw_gites(spec, units).owner == owner)

    def holds(all_lines: list[str], of_owner: list[str]) -> bool:
        return set(of_owner) <= set(all_lines)

    sheets = sheet_lines(spec, draw_sheets(spec, order))
    assert sheets == sheet_lines(spec, draw_sheets(spec, np.sort(order)))
    assert holds(sheets, sheet_lines(spec, draw_sheets(spec, alone)))
    assert holds(notice_lines(spec, order), notice_lines(spec, alone))
    assert holds(
        information_lines(spec, draw_gites(spec, units)),
        information_lines(spec, draw_gites(spec, mine)),
    )
