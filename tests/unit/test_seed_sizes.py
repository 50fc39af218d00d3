"""How a tier's volume is shared out: exact totals, skew, the accounts that tests rely on."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from palier.errors import ConfigError
from palier.model.identity import owner_email
from palier.model.parse import load_catalogue
from palier.model.tier import DataSpec, LoadSpec, Tier
from palier.model.variant import Variant
from seed.owners import owner_lines
from seed.parts import parts_of, row_counts
from seed.season import DAYS, season_around
from seed.sheets import LEAST_HISTORY, MONTHS
from seed.sizes import apportion, sizes_of
from seed.spec import (
    ANCHOR,
    MAX_GITES_PER_OWNER,
    MAX_RESERVATIONS_PER_GITE,
    DatasetSpec,
    dataset_spec,
)


def tier(system: str = "liveownerunit", **data: float) -> Tier:
    return Tier(
        id="test",
        system=system,
        title="test",
        users_min=None,
        users_max=None,
        plan=None,
        source="004",
        variant=Variant(),
        stack=None,
        load=LoadSpec(users=1, concurrency=1, pace_per_min=1),
        data=DataSpec(**({"tenants": 200} | data)),  # type: ignore[arg-type]
        targets=(),
        triggers=(),
        cost=None,
    )


def owners_of(owners: int, *, gites: float = 2.0, bookings: float = 60.0) -> DatasetSpec:
    return dataset_spec(
        tier(tenants=owners, units_per_tenant=gites, reservations_per_unit=bookings), seed=1
    )


def test_shares_follow_the_weights_and_add_up():
    assert apportion(10, np.array([1, 1, 2]), cap=99).tolist() == [3, 2, 5]


def test_what_a_full_share_cannot_take_goes_to_the_others():
    assert apportion(10, np.array([100, 1, 1]), cap=4).tolist() == [4, 3, 3]


def test_shares_that_cannot_hold_the_total_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        apportion(10, np.array([1, 1, 1]), cap=3)


@pytest.mark.covers("D-06", "F-09")
@pytest.mark.parametrize(
    ("owners", "at_least"),
    [(50, 100), (100, 500), (200, 1_000), (1_000, 5_000), (2_000, 10_000), (70_000, 10_000)],
)
def test_owner_0_has_the_long_list_of_its_tier(owners, at_least):
    sizes = sizes_of(owners_of(owners))

    assert sizes.bookings_of(0) >= at_least
    assert sizes.bookings_of(0) == max(np.diff(sizes.owner_booking_starts))


@pytest.mark.covers("D-06", "F-09")
def test_even_the_smallest_tier_has_several_accounts_with_more_than_two_pages():
    bookings = np.diff(sizes_of(owners_of(50)).owner_booking_starts)

    assert np.count_nonzero(bookings >= 100) >= 10


@pytest.mark.covers("D-05")
def test_units_per_owner_reach_today_s_ten_at_lou_2_and_the_ceiling_of_fifty_later():
    assert 8 <= sizes_of(owners_of(200)).gites_of(0) <= 12
    assert sizes_of(owners_of(5_000)).gites_of(0) == MAX_GITES_PER_OWNER


def test_few_owners_are_big_and_many_are_small():
    sizes = sizes_of(owners_of(2_000))
    gites = np.sort(np.diff(sizes.gite_starts))
    bookings = np.sort(np.diff(sizes.owner_booking_starts))

    assert np.median(gites) == 1
    assert gites[-200:].sum() > 0.35 * gites.sum()  # the biggest tenth
    assert bookings[-200:].sum() > 0.35 * bookings.sum()
    assert bookings[:1000].sum() < 0.3 * bookings.sum()  # the smaller half


def test_one_owner_takes_everything():
    sizes = sizes_of(owners_of(1, gites=3, bookings=100))

    assert sizes.gites_of(0) == 3
    assert sizes.bookings_of(0) == 300


def test_the_fullest_possible_dataset_can_be_made():
    spec = owners_of(3, gites=MAX_GITES_PER_OWNER, bookings=MAX_RESERVATIONS_PER_GITE)

    assert set(np.diff(sizes_of(spec).booking_starts).tolist()) == {MAX_RESERVATIONS_PER_GITE}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"units_per_tenant": 0.5}, "100 gîtes for 200 owners"),
        ({"units_per_tenant": 51.0}, "10,200 gîtes"),
        ({"reservations_per_unit": 241.0}, "96,400 bookings"),
    ],
)
def test_a_volume_that_cannot_be_made_says_so_before_anything_is_written(data, problem):
    with pytest.raises(ConfigError, match=problem) as caught:
        dataset_spec(tier(**data), seed=1)

    assert caught.value.where == "data of tier test"
    assert "units_per_tenant" in caught.value.fix


@pytest.mark.covers("D-04")
def test_the_ladder_has_every_number_of_owners_that_the_sources_name():
    owners = {
        dataset_spec(tier, seed=1).owners
        for tier in load_catalogue(Path("tiers.yaml")).tiers()
        if tier.system == "liveownerunit"
    }

    assert owners >= {50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 70_000, 100_000}


@pytest.mark.covers("D-05")
def test_the_biggest_ladders_have_the_units_of_the_split_and_of_the_sync_claim():
    catalogue = load_catalogue(Path("tiers.yaml"))

    assert dataset_spec(catalogue.tier("lou-8"), seed=1).gites == 50_000
    assert dataset_spec(catalogue.tier("lou-9"), seed=1).gites == 100_000


@pytest.mark.covers("D-06")
def test_accounts_of_a_hundred_a_thousand_and_ten_thousand_bookings_exist():
    bookings = np.diff(sizes_of(owners_of(2_000)).owner_booking_starts)

    assert bookings.max() >= 10_000
    assert np.count_nonzero(bookings >= 1_000) >= 2
    assert np.count_nonzero(bookings >= 100) >= 200


@pytest.mark.covers("D-07", "B-85")
@pytest.mark.parametrize(
    ("owners", "a_month"),
    [(50, 50), (100, 100), (200, 200), (500, 500), (2_000, 500), (5_000, 500)],
)
def test_sheets_are_those_of_the_sources_months(owners, a_month):
    sheets = row_counts(owners_of(owners))["client_access_tokens"]

    assert sheets == MONTHS * a_month


@pytest.mark.covers("D-07")
def test_beyond_the_sources_months_every_owner_still_has_an_open_sheet():
    sheets = row_counts(owners_of(70_000))["client_access_tokens"]

    assert sheets == 70_000 + LEAST_HISTORY


@pytest.mark.covers("D-08")
@pytest.mark.parametrize(("owners", "accounts"), [(50, 20), (1_000, 1_000), (10_000, 10_000)])
def test_there_is_an_account_for_every_virtual_user(owners, accounts):
    spec = owners_of(owners)

    lines = owner_lines(spec, np.arange(accounts))

    addresses = {line.split("\t")[1] for line in lines}
    assert addresses == {owner_email(owner) for owner in range(accounts)}
    assert dataset_spec(tier("epilot", tenants=500), seed=1).owners == 20


@pytest.mark.parametrize("owners", [1, 50, 70_000])
def test_announced_rows_can_be_written_to_a_run_s_files(owners):
    assert json.loads(json.dumps(row_counts(owners_of(owners))))


@pytest.mark.covers("D-01")
def test_the_tenants_of_e_pilot_are_school_groups():
    spec = dataset_spec(tier("epilot", tenants=500), seed=1)

    assert spec.groups == 500
    assert row_counts(spec)["school_groups"] == row_counts(spec)["subscriptions"] == 500
    assert spec.owners == 20


def test_parts_are_of_one_size_and_cover_every_owner_and_group():
    spec = owners_of(500)
    owners = [p.tenants(spec).tolist() for p in parts_of(spec) if p.kind == "owners"]
    groups = [p.tenants(spec).tolist() for p in parts_of(spec) if p.kind == "groups"]

    assert sorted(chain.from_iterable(owners)) == list(range(500))
    assert sorted(chain.from_iterable(groups)) == list(range(spec.groups))
    per_owner = np.diff(sizes_of(spec).owner_booking_starts)
    in_part = [int(per_owner[tenants].sum()) for tenants in owners]
    assert max(in_part) < 2 * min(in_part)


def test_slots_before_a_day_are_those_that_start_before_it():
    season = season_around(ANCHOR)
    for count in (0, 1, 7, 60, MAX_RESERVATIONS_PER_GITE):
        slots = np.arange(count)
        starts = season.slot_starts(slots, np.full_like(slots, count)) if count else slots
        for day in (0, 1, 365, 900, DAYS - 1, DAYS):
            before = season.slots_before(day, np.array([count]))
            assert before.tolist() == [np.count_nonzero(starts < day)]


def test_two_bookings_of_the_fullest_unit_start_at_least_two_days_apart():
    season = season_around(ANCHOR)
    slots = np.arange(MAX_RESERVATIONS_PER_GITE + 1)

    starts = season.slot_starts(slots, np.full_like(slots, MAX_RESERVATIONS_PER_GITE))

    assert starts[0] == 0
    assert starts[-1] == DAYS
    assert np.diff(starts).min() >= 2
