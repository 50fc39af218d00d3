"""The small pieces: pools, checksum arithmetic, lines, clock, password, progress."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date
from itertools import pairwise
from uuid import UUID

import msgspec
import numpy as np
import pytest

from palier.model.identity import ANCHOR, group_admin_email
from reference_app.identity.passwords import hash_password
from reference_app.tax.ledger import Stay
from reference_app.tax.report import Gite, report_of
from seed.checksum import LineSum, add_sums, dataset_checksum, line_hash, sum_lines
from seed.clock import clock_at
from seed.instructions import notes, topics
from seed.modules import granted_modules
from seed.names import (
    HOUSES,
    PLACES,
    POSITIONS,
    SCHOOL_KINDS,
    SCHOOL_PATRONS,
    STREETS,
    address_parts,
    first_names,
    last_names,
    towns,
)
from seed.parts import pure_sums, row_counts
from seed.password import password_hash
from seed.phrases import (
    ACTIVITIES,
    COMMENTS_BY_NOTE,
    ERRORS,
    FEED_ERRORS,
    HOUR_MESSAGES,
    NOTICES,
    TICKETS,
    TRIP_REASONS,
)
from seed.plans import EXAMPLE, FREE, INSTITUTIONAL, PLANS, PREMIUM, PRO
from seed.progress import Progress
from seed.schools import group_lines, group_size
from seed.simulations import flat_rate, jsonb_text
from seed.spec import DatasetSpec
from seed.tables import INFOS_GITES, NULL, SCHOOLS, STAFF, SUBSCRIPTIONS, USERS

TOWN_PARTS = tuple(part for town in towns() for part in town)
POOLS = (
    first_names(),
    last_names(),
    TOWN_PARTS,
    HOUSES,
    PLACES,
    SCHOOL_KINDS,
    SCHOOL_PATRONS,
    POSITIONS,
    STREETS,
    HOUR_MESSAGES[:-1],
    TRIP_REASONS,
    FEED_ERRORS,
    notes(),
    tuple(text for activity in ACTIVITIES for text in activity),
    tuple(text for notice in NOTICES for text in notice),
    tuple(text for error in ERRORS for text in error),
    tuple(text for ticket in TICKETS for text in ticket),
    tuple(text for wordings in topics().values() for pair in wordings for text in pair),
    tuple(text for comments in COMMENTS_BY_NOTE.values() for text in comments),
)


@pytest.mark.parametrize("pool", POOLS)
def test_no_name_needs_escaping_in_a_copy_line(pool):
    """Lines are joined without looking at the names; this is why they may be."""
    assert pool
    assert not [name for name in pool if set(name) & set("\t\n\r\\") or name != name.strip()]


@pytest.mark.parametrize("pool", [first_names(), last_names(), towns(), HOUSES, PLACES])
def test_names_of_a_pool_are_distinct(pool):
    assert len(set(pool)) == len(pool)


def test_the_pools_are_large_and_french():
    assert len(first_names()) > 200
    assert len(last_names()) > 350
    assert len(towns()) > 350
    assert sum(not name.isascii() for name in first_names()) > 30


def test_addresses_are_plain_ascii():
    assert address_parts(("Inès", "Le Goff", "d'Étienne")) == ("ines", "le.goff", "d.etienne")
    assert all(part.isascii() and part for part in address_parts(last_names()))


def test_the_same_dataset_has_this_checksum_on_every_machine():
    """A golden value. It may change only together with GENERATOR_VERSION."""
    spec = DatasetSpec(
        tier="golden",
        seed=1,
        anchor=ANCHOR,
        owners=20,
        gites=45,
        reservations=1_500,
        groups=12,
        password_hash_log2_n=4,
    )

    assert (
        dataset_checksum(pure_sums(spec))
        == "30403c3d951b9ff36dbf4c36e03b8f84168de47da744b88824ad909cf882c737"
    )


def test_a_line_s_hash_is_the_start_of_its_sha_256():
    assert line_hash(b"a\tb") == int.from_bytes(hashlib.sha256(b"a\tb").digest()[:8], "little")


def test_a_doubled_line_is_not_the_same_as_none():
    assert sum_lines([b"x", b"x"]) != sum_lines([])
    assert sum_lines([b"x", b"x", b"y"]) != sum_lines([b"y"])


def test_sums_of_parts_are_the_sum_of_the_whole():
    whole = {"a": sum_lines([b"1", b"2", b"3"]), "b": sum_lines([b"4"])}
    parts = add_sums(
        {"a": sum_lines([b"3"])}, {"b": sum_lines([b"4"]), "a": sum_lines([b"2", b"1"])}
    )

    assert parts == whole
    assert dataset_checksum(parts) == dataset_checksum(whole)


def test_moving_a_row_to_another_table_changes_the_checksum():
    one = sum_lines([b"1"])

    assert dataset_checksum({"a": one, "b": LineSum()}) != dataset_checksum(
        {"a": LineSum(), "b": one}
    )


def test_a_line_with_the_wrong_number_of_values_or_a_tab_is_refused():
    with pytest.raises(ValueError, match="2 values for 5 columns of schools"):
        SCHOOLS.line("id", "group")
    with pytest.raises(ValueError, match="needs escaping"):
        STAFF.line("id", "group", "school", "A\tB", "position", "now")


def test_minutes_are_written_as_postgresql_writes_them():
    clock = clock_at(date(2026, 2, 14))

    assert clock.minute(-1) == "2026-02-13 23:59:00+00"
    assert clock.minute(24 * 60 + 61) == "2026-02-15 01:01:00+00"


@pytest.mark.parametrize("log2_n", [1, 4, 12])
def test_our_password_hash_is_written_as_the_application_writes_it(log2_n):
    salt = hashlib.sha256(b"palier salt 3").digest()[:16]

    assert password_hash(seed=3, log2_n=log2_n) == hash_password("palier-3", salt, log2_n)


def test_a_cost_above_openssl_s_default_memory_limit_works():
    assert password_hash(seed=3, log2_n=15).startswith("scrypt$15$8$1$")


@pytest.mark.covers("D-03")
def test_the_first_three_groups_are_the_examples_of_the_sources():
    assert (group_size(1, 0).students, group_size(1, 0).plan.max_students) == (850, 1_000)
    assert (group_size(1, 1).schools, group_size(1, 1).plan) == (10, PRO)
    assert (group_size(1, 2).schools, group_size(1, 2).staff) == (1, 3)
    assert group_size(1, 2).plan == EXAMPLE


def test_a_dozen_groups_meet_every_plan():
    assert {group_size(1, group).plan for group in range(12)} == {
        FREE,
        PREMIUM,
        PRO,
        INSTITUTIONAL,
        EXAMPLE,
    }


@pytest.mark.covers("D-02")
def test_plans_grant_as_many_modules_as_the_sources_say():
    assert [len(set(granted_modules(plan))) for plan in PLANS] == [8, 20, 47, 100]
    assert granted_modules(EXAMPLE) == ()
    for smaller, greater in pairwise(PLANS):
        assert set(granted_modules(smaller)) < set(granted_modules(greater))


def epilot_spec(*, groups: int, group_accounts: int = 1, seed: int = 1) -> DatasetSpec:
    return DatasetSpec(
        tier="ep",
        seed=seed,
        anchor=ANCHOR,
        owners=1,
        gites=1,
        reservations=0,
        groups=groups,
        group_accounts=group_accounts,
        password_hash_log2_n=4,
    )


@pytest.mark.covers("D-01", "T-12", "T-13", "T-14")
@pytest.mark.parametrize("seed", range(1, 6))
def test_the_design_size_has_its_groups_accounts_and_module_assignments(seed):
    counts = row_counts(epilot_spec(groups=500, group_accounts=20, seed=seed))

    assert counts["school_groups"] == 500
    assert counts["users"] > 10_000
    assert 50_000 < counts["school_modules"] < 60_000


def test_every_account_of_a_group_has_an_address_of_its_own():
    spec = epilot_spec(groups=4, group_accounts=3)

    lines = group_lines(spec, np.arange(4))[USERS]

    emails = [line.split("\t")[1] for line in lines if "\tgroup_admin\t" in line]
    assert len(set(emails)) == len(emails) == 12
    assert {group_admin_email(3), group_admin_email(3, 2)} <= set(emails)


def test_subscriptions_of_the_day_have_a_notice_of_each_kind_grace_and_suspension():
    lines = group_lines(epilot_spec(groups=25), np.arange(25))[SUBSCRIPTIONS]

    rows = [dict(zip(SUBSCRIPTIONS.columns, line.split("\t"), strict=True)) for line in lines]
    left = {(date.fromisoformat(row["ends_on"]) - ANCHOR).days for row in rows}
    assert left >= {30, 15, 7, 3, 1, 0}
    assert Counter(row["status"] for row in rows) == {"active": 22, "grace": 2, "suspended": 1}
    assert {row["status"] for row in rows[:3]} == {"active"}
    assert all((row["grace_until"] != NULL) == (row["status"] == "grace") for row in rows)


def test_there_is_no_rate_before_the_first_row():
    progress = Progress(rows_done=0, rows_total=10, elapsed_s=1.0)

    assert progress.rows_per_s is None
    assert progress.left_s is None


def test_time_left_follows_from_the_rate_so_far():
    progress = Progress(rows_done=250, rows_total=1_000, elapsed_s=0.5)

    assert progress.rows_per_s == 500
    assert progress.left_s == 1.5


@pytest.mark.covers("B-88")
@pytest.mark.parametrize(
    "revenue",
    [0, 1, 30_499, 30_501, 61_001, 1_234_567, 7_770_000, 7_770_001, 16_468_201, 99_999_999],
)
def test_a_kept_simulation_has_the_figures_of_the_application(revenue):
    """All of it in one stay of one night, which brings the application to the same revenue."""
    gite = UUID(int=1)
    stay = Stay(gite, date(2025, 7, 1), date(2025, 7, 2), 2, "direct", revenue)

    theirs = report_of(2025, [Gite(gite, "Le Mas")], [stay], []).regime("micro")

    assert flat_rate(revenue) == msgspec.to_builtins(theirs)


def test_json_is_written_in_the_database_s_order_of_keys():
    value = {"bb": [{"z": 1, "aa": True}], "c": "é", "aaa": {}}

    assert jsonb_text(value) == '{"c": "é", "bb": [{"z": 1, "aa": true}], "aaa": {}}'


def test_every_topic_of_a_house_is_told_in_both_languages():
    told = {f"{topic}_{language}" for topic in topics() for language in ("fr", "en")}

    assert told == {c for c in INFOS_GITES.columns if c.endswith(("_fr", "_en"))}
    assert all(len(wordings) >= 2 for wordings in topics().values())


def test_neighbouring_activities_are_of_different_kinds():
    """So that the few of any gîte, neighbours in the pool, are a mixture."""
    kinds = [kind for _, kind, _ in ACTIVITIES]

    for start in range(len(kinds)):
        around = [kinds[(start + place) % len(kinds)] for place in range(4)]
        assert len(set(around)) == 4
