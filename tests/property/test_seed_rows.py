"""Rows are a function of (seed, tenant, index): any order, any split, any neighbour."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seed_worlds import datasets, made, made_bookings, made_gites, seeds

from palier.model.identity import gite_id, owner_id, reservation_id, row_id
from seed.bookings import booking_lines, draw_bookings
from seed.checksum import LineSum, add_sums, sum_lines
from seed.draws import below, row_keys
from seed.gites import draw_gites, gite_lines
from seed.ids import id_text
from seed.parts import Part, part_lines, part_sums, pure_sums, row_counts
from seed.season import DAYS_AHEAD, DAYS_BACK
from seed.sizes import apportion, sizes_of
from seed.spec import DatasetSpec
from seed.tables import (
    GITES,
    RESERVATIONS,
    SCHOOL_GROUPS,
    SCHOOLS,
    STAFF,
    STORED_FILES,
    STUDENTS,
    SUBSCRIPTION_PLANS,
    SUBSCRIPTIONS,
    USERS,
)


@given(spec=datasets(), data=st.data())
@settings(max_examples=40)
def test_a_booking_is_the_same_alone_and_among_all_others_in_any_order(spec, data):
    in_order = booking_lines(spec, draw_bookings(spec, np.arange(spec.reservations)))
    chosen = data.draw(st.lists(st.sampled_from(range(spec.reservations)))) if in_order else []

    picked = booking_lines(spec, draw_bookings(spec, np.array(chosen, dtype=np.int64)))
    alone = [booking_lines(spec, draw_bookings(spec, np.array([n]))) for n in chosen[:3]]

    assert picked == [in_order[number] for number in chosen]
    assert alone == [[in_order[number]] for number in chosen[:3]]


@given(spec=datasets(), data=st.data())
@settings(max_examples=30)
def test_a_unit_is_the_same_alone_and_among_all_others_in_any_order(spec, data):
    in_order = gite_lines(spec, draw_gites(spec, np.arange(spec.gites)))
    order = data.draw(st.permutations(range(spec.gites)))

    assert gite_lines(spec, draw_gites(spec, np.array(order))) == [
        in_order[number] for number in order
    ]


@given(spec=datasets(), stride=st.integers(1, 9))
@settings(max_examples=30)
def test_any_split_into_parts_has_the_same_checksum(spec, stride):
    split: dict[str, LineSum] = {}
    for kind in ("learners", "groups", "owners"):
        for first in reversed(range(stride)):
            part = Part(kind=kind, first=first, stride=stride)
            split = add_sums(split, part_sums(part_lines(spec, part)))

    assert split == pure_sums(spec)


@given(spec=datasets())
@settings(max_examples=30)
def test_the_announced_rows_are_the_rows_made(spec):
    assert {name: len(rows) for name, rows in made(spec).items()} == row_counts(spec)


@given(spec=datasets())
@settings(max_examples=10)
def test_only_the_given_seed_makes_these_rows(spec):
    other = DatasetSpec(
        tier=spec.tier,
        seed=spec.seed + 1,
        anchor=spec.anchor,
        owners=spec.owners,
        gites=spec.gites,
        reservations=spec.reservations,
        groups=spec.groups,
        password_hash_log2_n=1,
    )

    mine, others = pure_sums(spec), pure_sums(other)
    for name in mine:
        has_rows = mine[name].rows or others[name].rows
        same_for_all_seeds = name == SUBSCRIPTION_PLANS.name or not has_rows
        assert (mine[name].total == others[name].total) == same_for_all_seeds


@pytest.mark.covers("B-71")
@given(spec=datasets())
@settings(max_examples=60)
def test_no_two_stays_of_one_unit_share_a_night_unless_one_was_cancelled(spec):
    stays: dict[str, list[tuple[str, str]]] = {}
    for row in made_bookings(spec):
        if row["status"] != "cancelled":
            stays.setdefault(row["gite_id"], []).append((row["date_debut"], row["date_fin"]))

    for of_gite in stays.values():
        for (_, end), (begin, _) in pairwise(sorted(of_gite)):
            assert end <= begin


def test_some_cancelled_stays_do_overlap_so_the_rule_is_tried():
    spec = DatasetSpec(
        tier="property",
        seed=1,
        anchor=date(2026, 2, 14),
        owners=1,
        gites=5,
        reservations=1_000,
        groups=3,
        password_hash_log2_n=1,
    )
    stays: dict[str, list[tuple[str, str]]] = {}
    for row in made_bookings(spec):
        stays.setdefault(row["gite_id"], []).append((row["date_debut"], row["date_fin"]))

    overlaps = sum(
        end > begin
        for of_gite in stays.values()
        for (_, end), (begin, _) in pairwise(sorted(of_gite))
    )
    assert overlaps > 10


@given(spec=datasets())
@settings(max_examples=40)
def test_dates_and_numbers_of_bookings_make_sense(spec):
    capacity = {row["id"]: int(row["capacite"]) for row in made_gites(spec)}
    for row in made_bookings(spec):
        begin, end = date.fromisoformat(row["date_debut"]), date.fromisoformat(row["date_fin"])
        created, updated = (
            datetime.fromisoformat(row[column]) for column in ("created_at", "updated_at")
        )
        assert 1 <= (end - begin).days <= 17
        assert begin >= spec.anchor - timedelta(days=DAYS_BACK)
        assert begin < spec.anchor + timedelta(days=DAYS_AHEAD)
        assert created <= updated
        assert updated.date() < spec.anchor
        assert created.date() < begin
        assert 1 <= int(row["voyageurs"]) <= capacity[row["gite_id"]]
        assert int(row["prix_centimes"]) > 0
        assert row["status"] != "pending" or begin >= spec.anchor
        assert (row["ical_uid"] == "\\N") == (row["plateforme"] == "direct")


@given(spec=datasets())
@settings(max_examples=40)
def test_every_reference_meets_its_row_of_the_same_tenant(spec):
    rows = made(spec)
    owners = {row["id"] for row in rows[USERS.name] if row["role"] == "owner"}
    gites = {row["id"]: row["owner_user_id"] for row in rows[GITES.name]}
    groups = {row["id"] for row in rows[SCHOOL_GROUPS.name]}
    plans = {row["id"] for row in rows[SUBSCRIPTION_PLANS.name]}
    schools = {row["id"]: row["school_group_id"] for row in rows[SCHOOLS.name]}

    assert set(gites.values()) == owners
    assert all(gites[r["gite_id"]] == r["owner_user_id"] for r in rows[RESERVATIONS.name])
    assert {row["school_group_id"] for row in rows[SUBSCRIPTIONS.name]} == groups
    assert {row["plan_id"] for row in rows[SUBSCRIPTIONS.name]} <= plans
    for table in (STUDENTS, STAFF):
        assert all(schools[r["school_id"]] == r["school_group_id"] for r in rows[table.name])
    assert {row["school_group_id"] for row in rows[STORED_FILES.name]} <= groups
    admins = [row for row in rows[USERS.name] if row["role"] == "group_admin"]
    assert {row["school_group_id"] for row in admins} == groups


def _key(row):
    """The id of a row, or what it joins where it has none."""
    return (row["id"],) if "id" in row else tuple(v for k, v in row.items() if k.endswith("_id"))


@given(spec=datasets())
@settings(max_examples=30)
def test_ids_and_addresses_are_unique(spec):
    rows = made(spec)
    for of_table in rows.values():
        keys = Counter(_key(row) for row in of_table)
        assert set(keys.values()) <= {1}
    emails = Counter(row["email"].lower() for row in rows[USERS.name])
    assert set(emails.values()) == {1}


@given(spec=datasets(), data=st.data())
@settings(max_examples=20)
def test_ids_are_those_that_scenarios_derive(spec, data):
    rows = made(spec)
    sizes = sizes_of(spec)
    owner = data.draw(st.integers(0, spec.owners - 1))
    wanted_gites = {
        str(gite_id(seed=spec.seed, owner=owner, index=index))
        for index in range(sizes.gites_of(owner))
    }
    wanted_bookings = {
        str(reservation_id(seed=spec.seed, owner=owner, index=index))
        for index in range(sizes.bookings_of(owner))
    }

    me = str(owner_id(seed=spec.seed, owner=owner))
    mine = [row for row in rows[GITES.name] if row["owner_user_id"] == me]
    assert {row["id"] for row in mine} == wanted_gites
    assert mine[0]["actif"] == "t"
    assert {
        row["id"] for row in rows[RESERVATIONS.name] if row["owner_user_id"] == me
    } == wanted_bookings


@given(
    seed=seeds, kind=st.text(max_size=20), tenant=st.integers(0, 10**6), index=st.integers(0, 10**6)
)
def test_the_fast_id_is_the_id(seed, kind, tenant, index):
    text = id_text(seed, kind, tenant, index)

    assert text == str(row_id(seed=seed, kind=kind, tenant=tenant, index=index))
    assert uuid.UUID(text).version == 5


@given(
    total=st.integers(0, 5_000),
    weights=st.lists(st.integers(1, 2**30), min_size=1, max_size=60),
    cap=st.integers(1, 300),
)
def test_shares_add_up_stay_below_the_cap_and_respect_the_weights(total, weights, cap):
    total = min(total, cap * len(weights))

    shares = apportion(total, np.array(weights), cap=cap)

    assert shares.sum() == total
    assert shares.min() >= 0
    assert shares.max() <= cap
    by_weight = [share for _, share in sorted(zip(weights, shares.tolist(), strict=True))]
    assert all(small <= big + 1 for small, big in pairwise(by_weight))


@given(seed=seeds, bound=st.integers(1, 2**31 - 1))
@settings(max_examples=50)
def test_draws_stay_below_their_bound_and_spread_over_it(seed, bound):
    indexes = np.arange(2_000)
    keys = row_keys(seed=seed, kind="test", tenants=np.zeros_like(indexes), indexes=indexes)

    drawn = below(keys, 0, bound)

    assert drawn.min() >= 0
    assert drawn.max() < bound
    # The mean of 2,000 uniform draws lies within 6 standard errors of the middle.
    standard_error = bound / np.sqrt(12 * 2_000)
    assert abs(drawn.mean() - (bound - 1) / 2) <= 6 * standard_error + 0.5


def test_fields_of_a_row_are_drawn_apart():
    indexes = np.arange(20_000)
    keys = row_keys(seed=1, kind="test", tenants=np.zeros_like(indexes), indexes=indexes)

    pairs = Counter(zip(below(keys, 0, 4).tolist(), below(keys, 1, 4).tolist(), strict=True))

    # 16 cells of 1,250 expected draws each, standard deviation 34.
    assert len(pairs) == 16
    assert all(abs(count - 1_250) < 6 * 34 for count in pairs.values())


@given(lines=st.lists(st.binary(max_size=30)), data=st.data())
def test_the_sum_of_lines_does_not_depend_on_their_order(lines, data):
    shuffled = data.draw(st.permutations(lines))

    assert sum_lines(shuffled) == sum_lines(lines)
