"""The seed on a real PostgreSQL, between the two stages of the reference application's schema."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import psutil
import psycopg
import pytest

from palier.errors import SeedError
from palier.model.identity import (
    ANCHOR,
    SUPER_ADMIN_EMAIL,
    SUPPORT_EMAIL,
    gite_id,
    group_admin_email,
    guest_token,
    owner_email,
    owner_id,
    password,
    reservation_id,
    school_group_id,
)
from palier.model.tier import DataSpec, LoadSpec, StackSpec, Tier
from palier.model.variant import Variant
from reference_app.identity.passwords import verify as verify_password
from reference_app.migrate import migrate
from reference_app.variant import Variant as AppVariant
from seed.checksum import dataset_checksum
from seed.dataset import SeedResult, expected_rows, seed_database, verify_database
from seed.load import load
from seed.parts import pure_sums
from seed.plans import EXAMPLE, PLANS
from seed.progress import Progress
from seed.sheets import sheet_booking
from seed.spec import dataset_spec
from seed.tables import TABLES

pytestmark = pytest.mark.db

SEED = 7


def small_tier(**data: float) -> Tier:
    """Twelve owners are three parts of the load when each has 2,000 bookings."""
    volume = {"tenants": 12, "units_per_tenant": 9.0, "reservations_per_unit": 180.0} | data
    return Tier(
        id="test-small",
        system="liveownerunit",
        title="small",
        users_min=1,
        users_max=12,
        plan=None,
        source="004",
        variant=Variant(),
        stack=StackSpec(password_hash_log2_n=4),
        load=LoadSpec(users=12, concurrency=0.1, pace_per_min=9),
        data=DataSpec(**volume),  # type: ignore[arg-type]  # tenants stays the int it is
        targets=(),
        triggers=(),
        cost=None,
    )


TIER = small_tier()


def seeded(url: str, *, processes: int, on_progress: Callable[[Progress], None]) -> SeedResult:
    migrate(url, "before-data", AppVariant())
    return seed_database(
        url,
        TIER,
        SEED,
        after_data=lambda: migrate(
            url, "after-data", AppVariant(indexes="full", row_security="wrapped")
        ),
        processes=processes,
        on_progress=on_progress,
    )


@pytest.fixture(scope="module")
def progress() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def held(fresh_database, progress: list[Progress]) -> Iterator[tuple[str, SeedResult]]:
    """A database with the small tier, loaded by three processes; tests only read it."""
    with fresh_database() as url:
        yield url, seeded(url, processes=3, on_progress=progress.append)


def rows(url: str, query: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def change(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        assert connection.execute(statement.encode()).rowcount == 1


def test_one_process_three_processes_and_no_database_at_all_give_the_same_checksum(held, database):
    _, by_three = held
    by_one = seeded(database, processes=1, on_progress=lambda _: None)

    pure = dataset_checksum(pure_sums(dataset_spec(TIER, seed=SEED)))

    assert by_one.checksum == by_three.checksum == pure
    assert all(check.ok for check in by_one.checks)


def test_every_table_holds_the_rows_that_were_announced(held):
    url, result = held
    announced = expected_rows(TIER, SEED)

    counted = {table: rows(url, f"SELECT count(*) FROM {table}")[0][0] for table in announced}

    assert counted == announced
    assert result.rows == sum(announced.values())
    assert announced["reservations"] == 12 * 9 * 180


def test_progress_counts_up_to_the_announced_rows(held, progress):
    _, result = held

    assert len(progress) > 3
    assert all(a.rows_done < b.rows_done for a, b in pairwise(progress))
    assert progress[-1].rows_done == progress[-1].rows_total == result.rows
    assert progress[-1].left_s == 0


def test_a_finished_dataset_verifies(held):
    url, _ = held

    checks = verify_database(url, TIER, SEED)

    assert all(check.ok for check in checks)
    names = {check.name for check in checks}
    assert names >= {f"checksum of {table.name}" for table in TABLES}
    assert names >= {
        "stays of one gîte that overlap",
        "notices of the busiest owners, per owner",
        "sheets, requests, feedback and cleanings without their booking",
        "archived bookings",
    }


def test_the_planner_knows_the_data_and_pages_are_marked_visible(held):
    url, _ = held

    ((tuples, pages, visible),) = rows(
        url,
        "SELECT reltuples::bigint, relpages, relallvisible FROM pg_class"
        " WHERE oid = 'reservations'::regclass",
    )

    assert tuples == 12 * 9 * 180
    # Not all: COPY extends a table by several pages at once and leaves some of them empty.
    assert visible > 0.9 * pages > 0


@pytest.mark.covers("L-01", "B-212")
def test_the_application_accepts_the_one_password_of_every_account(held):
    url, _ = held

    hashes = rows(url, "SELECT DISTINCT password_hash FROM users")

    assert len(hashes) == 1
    assert verify_password(password(SEED), hashes[0][0])
    assert not verify_password(password(SEED + 1), hashes[0][0])


def test_scenarios_know_accounts_and_units_without_reading_them(held):
    url, _ = held

    users = dict(rows(url, "SELECT email, id FROM users"))
    gites = dict(rows(url, "SELECT id, owner_user_id FROM gites WHERE actif"))

    for owner in range(12):
        assert users[owner_email(owner)] == owner_id(seed=SEED, owner=owner)
        assert gites[gite_id(seed=SEED, owner=owner, index=0)] == owner_id(seed=SEED, owner=owner)
    assert group_admin_email(0) in users
    assert "super@example.com" in users


def test_our_copies_of_the_plans_are_those_of_the_application(database):
    migrate(database, "before-data", AppVariant())
    migrate(database, "after-data", AppVariant())

    theirs = rows(
        database,
        "SELECT id::text, slug, name, max_schools, max_students, max_staff, max_storage"
        " FROM subscription_plans ORDER BY max_students",
    )

    assert theirs == [
        (p.id, p.slug, p.name, p.max_schools, p.max_students, p.max_staff, p.max_storage_gb)
        for p in PLANS
    ]


@pytest.mark.covers("D-03", "B-11", "B-34", "F-04", "F-05", "F-06")
def test_the_limit_functions_see_the_example_groups(held):
    url, _ = held

    def limits(group: int) -> dict[str, tuple[int, int, bool]]:
        of_group = school_group_id(seed=SEED, group=group)
        found = rows(url, f"SELECT * FROM get_all_plan_restrictions('{of_group}')")
        return {kind: (used, limit, allowed) for kind, used, limit, allowed in found}

    gigabytes = EXAMPLE.max_storage_gb * 10**9
    assert limits(0)["students"] == (850, 1000, True)
    assert limits(1)["schools"] == (10, 10, False)
    assert limits(2) == {
        "schools": (1, 10, True),
        "students": (0, 1000, True),
        "staff": (3, 10, True),
        "storage": (0, gigabytes, True),
    }


def test_no_group_uses_more_than_its_plan_allows(held):
    url, _ = held

    over = rows(
        url,
        "SELECT name FROM school_group_usage WHERE schools > max_schools OR staff > max_staff"
        " OR students > max_students OR storage_bytes > max_storage_gb * 1000000000::bigint",
    )

    assert over == []


@pytest.mark.covers("B-57", "B-68", "I-12")
def test_french_full_text_search_finds_a_guest_with_accents(held):
    url, _ = held

    ((found, accented),) = rows(
        url,
        "SELECT count(*) FILTER (WHERE to_tsvector('french', client_nom)"
        " @@ plainto_tsquery('french', 'Lévêque')),"
        " count(*) FILTER (WHERE client_nom ~ '[éèêëàâîïôûùç]') FROM reservations",
    )

    assert 0 < found < 12 * 9 * 180 / 50
    assert accented > 12 * 9 * 180 / 10


@pytest.mark.covers("D-06", "B-161")
def test_some_stays_are_old_enough_to_archive_and_some_are_still_to_come(held):
    url, _ = held

    ((first, last, ahead),) = rows(
        url,
        f"SELECT min(date_fin), max(date_debut), count(*) FILTER (WHERE date_debut >= '{ANCHOR}')"
        " FROM reservations",
    )

    assert first < ANCHOR - timedelta(days=3 * 365 + 30)
    assert last > ANCHOR + timedelta(days=250)
    assert ahead > 1_000


def test_bookings_of_one_owner_lie_scattered_over_the_table(held):
    url, _ = held

    ((pages_of_owner, pages, count),) = rows(
        url,
        "SELECT count(DISTINCT (ctid::text::point)[0]) FILTER (WHERE owner_user_id = "
        f"'{owner_id(seed=SEED, owner=11)}'), count(DISTINCT (ctid::text::point)[0]),"
        f" count(*) FILTER (WHERE owner_user_id = '{owner_id(seed=SEED, owner=11)}')"
        " FROM reservations",
    )

    rows_a_page = 12 * 9 * 180 / pages
    assert pages_of_owner > 4 * count / rows_a_page


def test_every_column_of_a_seeded_table_is_written(held):
    """A default would be a value the checksum does not know; a new column must come here too."""
    url, _ = held

    columns = rows(
        url,
        "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)"
        " FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name",
    )

    of_database = dict(columns)
    assert {table.name: sorted(of_database[table.name]) for table in TABLES} == {
        table.name: sorted(table.columns) for table in TABLES
    }


@pytest.mark.covers("D-07", "B-80", "B-121")
def test_the_holder_of_an_open_sheet_s_token_sees_one_stay_and_no_other(held):
    url, _ = held
    for owner in range(12):
        token = guest_token(seed=SEED, owner=owner, index=0)
        booking = sheet_booking(dataset_spec(TIER, seed=SEED), owner, 0)
        with psycopg.connect(url) as connection:
            connection.execute("SET LOCAL ROLE app_guest")
            connection.execute(
                "SELECT set_config('app.token', %s, true)",
                [hashlib.sha256(token.encode()).hexdigest()],
            )
            seen = connection.execute("SELECT id, status FROM reservations").fetchall()
            sheets = connection.execute("SELECT scope FROM client_access_tokens").fetchall()
            units = connection.execute("SELECT count(*) FROM gites").fetchall()

        wanted = reservation_id(seed=SEED, owner=owner, index=booking)
        assert seen == [(wanted, "confirmed")]
        assert sheets == [("stay",)]
        assert units == [(1,)]


@pytest.mark.covers("D-07")
def test_some_sheets_have_ended_and_some_were_taken_back(held):
    url, _ = held

    ((sheets, ended, revoked, read_only),) = rows(
        url,
        f"SELECT count(*), count(*) FILTER (WHERE expires_at < '{ANCHOR}'),"
        " count(*) FILTER (WHERE revoked_at IS NOT NULL), count(*) FILTER (WHERE scope = 'sheet')"
        " FROM client_access_tokens",
    )

    months = 13
    assert 50 <= sheets / months <= 500
    assert sheets / 2 < ended < sheets
    assert 0 < revoked < sheets / 4
    assert 0 < read_only < sheets / 2


@pytest.mark.covers("D-09", "B-162", "F-27")
def test_notices_and_logs_lie_on_both_sides_of_the_clean_up_s_limits(held):
    url, _ = held

    notices = rows(
        url,
        "SELECT is_read, created_at < timestamptz "
        f"'{ANCHOR} 00:00+00' - interval '6 months', count(*) FROM notifications GROUP BY 1, 2",
    )
    logs = rows(
        url,
        "SELECT synced_at < timestamptz "
        f"'{ANCHOR} 00:00+00' - interval '1 year', count(*) FROM sync_logs GROUP BY 1",
    )

    counts = {(is_read, is_old): count for is_read, is_old, count in notices}
    assert len(counts) == 4
    assert min(counts[True, True], counts[True, False]) > 100
    assert len(logs) == 2
    assert all(count > 50 for _, count in logs)


@pytest.mark.covers("B-123")
def test_no_task_waits_for_a_worker_before_the_load_begins(held):
    url, _ = held

    assert [row for (row,) in rows(url, "SELECT DISTINCT status FROM sync_queue")] == ["completed"]
    assert rows(url, "SELECT count(*) FROM reservations_archive") == [(0,)]


@pytest.mark.covers("D-08", "J-13")
def test_the_office_has_its_accounts(held):
    url, _ = held

    accounts = dict(
        rows(url, "SELECT email, role FROM users WHERE role IN ('support', 'super_admin')")
    )

    assert accounts == {SUPPORT_EMAIL: "support", SUPER_ADMIN_EMAIL: "super_admin"}


@pytest.mark.parametrize("layout", ["split_json", "split_flat"])
def test_the_data_verifies_after_the_information_was_split(database, layout):
    """The second stage fills the split and leaves what was loaded as it is."""
    tier = small_tier(tenants=3, units_per_tenant=2.0, reservations_per_unit=20.0)
    migrate(database, "before-data", AppVariant())

    result = seed_database(
        database,
        tier,
        SEED,
        after_data=lambda: migrate(database, "after-data", AppVariant(units_table=layout)),
    )

    assert verify_database(database, tier, SEED) == result.checks


def test_a_dataset_of_school_groups_has_rows_of_every_table_of_owners(database):
    tier = replace(small_tier(tenants=6), system="epilot")
    migrate(database, "before-data", AppVariant())

    load(database, dataset_spec(tier, seed=SEED))

    empty = [t.name for t in TABLES if not rows(database, f"SELECT FROM {t.name} LIMIT 1")]
    assert empty == []


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "UPDATE reservations SET client_nom = 'Somebody Else' WHERE id IN"
            " (SELECT id FROM reservations ORDER BY id LIMIT 1)",
            "reservations: changed or extra row",
        ),
        (
            "DELETE FROM reservations WHERE id IN"
            " (SELECT id FROM reservations ORDER BY id LIMIT 1)",
            "reservations: changed or missing row",
        ),
        (
            "INSERT INTO stored_files (id, school_group_id, name, size_bytes) SELECT"
            " gen_random_uuid(), id, 'extra', 1 FROM school_groups ORDER BY id LIMIT 1",
            "stored_files: changed or extra row",
        ),
        (
            "UPDATE gites SET created_at = created_at + interval '1 microsecond' WHERE id IN"
            " (SELECT id FROM gites ORDER BY id LIMIT 1)",
            "gites: changed or extra row",
        ),
        (
            "UPDATE notifications SET is_read = true, read_at = created_at WHERE id IN"
            " (SELECT id FROM notifications WHERE NOT is_read ORDER BY id LIMIT 1)",
            "notifications: changed or extra row",
        ),
        (
            "UPDATE infos_gites SET wifi_password = 'other' WHERE id IN"
            " (SELECT id FROM infos_gites ORDER BY id LIMIT 1)",
            "infos_gites: changed or extra row",
        ),
    ],
    ids=[
        "changed",
        "missing",
        "extra",
        "a default column by a microsecond",
        "read",
        "another secret",
    ],
)
def test_verification_names_the_row_that_differs(held, postgres_copy, statement, named):
    url = postgres_copy(held[0])
    change(url, statement)

    with pytest.raises(SeedError) as caught:
        verify_database(url, TIER, SEED)

    assert named in caught.value.what
    assert "checksum of the dataset" in caught.value.what
    assert "palier down" in caught.value.fix


@pytest.fixture
def postgres_copy(postgres) -> Iterator[Callable[[str], str]]:
    """Copies a database, for tests that change one; a copy is cheaper than a second load."""
    made: list[str] = []

    def copy(url: str) -> str:
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        copied = f"{name}_c{len(made)}_{os.getpid()}"
        with psycopg.connect(postgres.maintenance_url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{copied}" TEMPLATE "{name}"'.encode())
        made.append(copied)
        return postgres.url(copied)

    yield copy
    with psycopg.connect(postgres.maintenance_url, autocommit=True) as connection:
        for name in made:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def test_a_database_that_holds_a_dataset_is_not_loaded_again(held):
    url, _ = held

    with pytest.raises(SeedError, match="already holds the data of tier test-small, seed 7"):
        load(url, dataset_spec(TIER, seed=8))


def test_rows_of_somebody_else_are_not_mixed_with_ours(database):
    migrate(database, "before-data", AppVariant())
    change(
        database,
        "INSERT INTO school_groups (id, name) VALUES (gen_random_uuid(), 'Somebody''s')",
    )

    with pytest.raises(SeedError, match="table school_groups holds rows") as caught:
        load(database, dataset_spec(TIER, seed=SEED))

    assert "empty database" in caught.value.fix


def test_a_database_without_tables_says_which_command_makes_them(database):
    with pytest.raises(SeedError, match="no table users") as caught:
        load(database, dataset_spec(TIER, seed=SEED))

    assert "before-data" in caught.value.fix


def test_verification_of_another_tier_or_seed_says_what_is_there(held):
    url, _ = held

    with pytest.raises(SeedError, match="holds tier test-small, seed 7") as caught:
        verify_database(url, TIER, 8)

    assert caught.value.fix == "palier seed test-small --seed 7 --verify"


def test_an_empty_database_does_not_verify(database):
    with pytest.raises(SeedError, match="holds no dataset"):
        verify_database(database, TIER, SEED)


def test_an_unreachable_database_is_an_error_of_ours_and_shows_no_password():
    with pytest.raises(SeedError, match="cannot be reached") as caught:
        load("postgresql://nobody:secret@127.0.0.1:1/none", dataset_spec(TIER, seed=SEED))

    assert "secret" not in str(caught.value)


def loader_processes() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "spawn_main" in " ".join(child.cmdline())
    ]


def test_an_interrupted_load_is_told_from_a_finished_one(database):
    """Progress is the fact that rows are there; then the load is interrupted as Ctrl-C does it."""
    migrate(database, "before-data", AppVariant())
    seen: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        seen.append(progress)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(database, dataset_spec(TIER, seed=SEED), processes=2, on_progress=interrupt)

    assert loader_processes() == []
    assert 0 < seen[0].rows_done < seen[0].rows_total
    assert rows(database, "SELECT count(*) FROM users")[0][0] > 0
    with pytest.raises(SeedError, match=r"began at .* and never finished"):
        load(database, dataset_spec(TIER, seed=SEED))
    with pytest.raises(SeedError, match="never finished") as caught:
        verify_database(database, TIER, SEED)
    assert "palier down" in caught.value.fix


def test_a_killed_loader_process_is_an_error_and_the_others_end(database):
    migrate(database, "before-data", AppVariant())

    def kill_loaders(_: Progress) -> None:
        for child in loader_processes():
            child.kill()

    with pytest.raises(SeedError, match="a loader process was killed") as caught:
        load(database, dataset_spec(TIER, seed=SEED), processes=2, on_progress=kill_loaders)

    assert "fewer processes" in caught.value.fix
    assert loader_processes() == []
