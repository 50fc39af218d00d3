"""The archive on a real database: whatever happens, every stay is in exactly one table."""

from __future__ import annotations

import asyncio
import random
import subprocess
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from app_support import Site, World, app_login, site
from upkeep_support import (
    NOW,
    THREE_YEARS_AGO,
    both_tables,
    command,
    empty_again,
    ids,
    rows_of,
    stays,
    upkeep,
    wait_until_none,
    world,
)

from reference_app.identity.principal import Principal
from reference_app.upkeep.ages import months_before
from reference_app.upkeep.archive import AGAIN_SHOWN, archive
from reference_app.upkeep.database import connect
from reference_app.upkeep.errors import UpkeepError
from reference_app.variant import Variant

pytestmark = pytest.mark.db

DAY = timedelta(days=1)
DUE = THREE_YEARS_AGO - DAY


@pytest.fixture(scope="module")
def migrated(fresh_database: Any) -> Iterator[World]:
    # with the triggers that renew each owner's version
    variant = Variant(row_security="wrapped", cache="memory")
    with fresh_database() as url, world(url, variant) as made:
        yield made


@pytest.fixture
def data(migrated: World) -> Iterator[World]:
    yield migrated
    empty_again(migrated)


def run(data: World, batch: int = 1000) -> Any:
    with connect(data.admin_url) as connection:
        return archive(connection, NOW, batch)


@pytest.mark.covers("B-161", "F-26", "T-162")
def test_a_stay_moves_a_day_after_three_years_and_not_a_day_before(data: World) -> None:
    [moves] = stays(data, 1, THREE_YEARS_AGO - DAY)
    [on_the_day] = stays(data, 1, THREE_YEARS_AGO)
    [stays_on] = stays(data, 1, THREE_YEARS_AGO + DAY)
    before = both_tables(data)

    result = upkeep("archive", "--url", data.admin_url, "--now", NOW.isoformat())

    assert result == {"moved": 1, "left": 0, "again": []}
    assert ids(rows_of(data, "reservations_archive")) == [moves]
    assert ids(rows_of(data, "reservations")) == sorted([on_the_day, stays_on])
    assert both_tables(data) == before
    assert data.rows("SELECT archived_at FROM reservations_archive") == [(NOW,)]


@pytest.mark.covers("B-163", "F-26", "X-61")
def test_a_second_run_loses_nothing(data: World) -> None:
    """The defect of the source: the second copy is skipped, the second deletion is not."""
    stays(data, 3, DUE)
    assert run(data).moved == 3
    stays(data, 2, DUE)
    before = both_tables(data)

    assert run(data).moved == 2
    assert run(data).moved == 0

    assert both_tables(data) == before
    assert len(before) == 5


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 1000])
def test_batches_of_any_size_move_the_same_stays(data: World, batch: int) -> None:
    due = stays(data, 6, DUE)
    recent = stays(data, 4, NOW.date())

    assert run(data, batch).moved == 6

    assert ids(rows_of(data, "reservations_archive")) == due
    assert ids(rows_of(data, "reservations")) == recent


@pytest.mark.covers("B-163")
@pytest.mark.parametrize("batch_survives", [True, False])
def test_killed_in_the_middle_of_a_batch_loses_and_doubles_nothing(
    data: World, batch_survives: bool
) -> None:
    """kill -9 while a statement has deleted rows and cannot insert them all.

    The server notices later than the process ends, so its statement may still succeed; or it
    is undone. Either way no stay is lost.
    """
    due = stays(data, 12, DUE)
    before = both_tables(data)
    with psycopg.connect(data.admin_url) as blocker:
        # The same id, not committed: who inserts it has to wait and see.
        blocker.execute(
            "INSERT INTO reservations_archive SELECT r.*, now() FROM reservations r WHERE id = %s",
            [due[7]],
        )
        process = subprocess.Popen(
            command("archive", "--url", data.admin_url, "--now", NOW.isoformat(), "--batch", "5")
        )
        try:
            data.wait_for_lock("archive_reservations")
            assert len(rows_of(data, "reservations_archive")) == 5
        finally:
            process.kill()
            process.wait()
        if not batch_survives:
            data.run(
                "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = %s",
                "reference_app.upkeep",
            )
        blocker.rollback()
    wait_until_none(
        data,
        "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = %s",
        "reference_app.upkeep",
    )
    assert len(rows_of(data, "reservations_archive")) == (10 if batch_survives else 5)
    assert both_tables(data) == before

    run(data)

    assert ids(rows_of(data, "reservations_archive")) == due
    assert both_tables(data) == before


@pytest.mark.covers("B-163")
def test_two_runs_at_once_share_the_work(data: World) -> None:
    due = stays(data, 60, DUE)
    before = both_tables(data)
    start = threading.Barrier(2)

    def one_run() -> Any:
        start.wait(timeout=30)
        return run(data, batch=4)

    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(one_run) for _ in range(2)]
        moved = sum(each.result().moved for each in runs)

    assert moved == 60
    assert ids(rows_of(data, "reservations_archive")) == due
    assert both_tables(data) == before


def test_a_stay_somebody_works_on_is_passed_over_and_moves_next_time(data: World) -> None:
    due = stays(data, 3, DUE)
    with psycopg.connect(data.admin_url) as somebody:
        somebody.execute("UPDATE reservations SET prix_centimes = 77 WHERE id = %s", [due[1]])

        first = run(data, batch=1)

        assert (first.moved, first.left) == (2, 1)
        somebody.commit()
    assert run(data).moved == 1
    assert data.rows("SELECT id FROM reservations_archive WHERE prix_centimes = 77") == [(due[1],)]


@pytest.mark.covers("B-163")
def test_an_archived_stay_that_comes_again_is_an_error_and_no_loss(data: World) -> None:
    [twice] = stays(data, 1, DUE)
    run(data)
    data.run(
        "INSERT INTO reservations SELECT (r).* FROM (SELECT jsonb_populate_record("
        "NULL::reservations, to_jsonb(a) || '{\"prix_centimes\": 5}') AS r"
        " FROM reservations_archive a) AS again"
    )
    others = stays(data, 2, DUE)
    before = both_tables(data)

    complaint = upkeep("archive", "--url", data.admin_url, "--now", NOW.isoformat(), code=3)

    assert str(twice) in complaint
    assert both_tables(data) == before
    assert ids(rows_of(data, "reservations")) == [twice]
    assert ids(rows_of(data, "reservations_archive")) == sorted([twice, *others])


def test_a_thousand_stays_that_came_again_do_not_fill_the_screen(data: World) -> None:
    stays(data, AGAIN_SHOWN + 1, DUE)
    run(data)
    data.run(
        "INSERT INTO reservations SELECT (jsonb_populate_record(NULL::reservations, to_jsonb(a))).*"
        " FROM reservations_archive a"
    )

    assert len(run(data).again) == AGAIN_SHOWN


@pytest.mark.covers("B-161")
def test_what_guests_left_about_a_stay_outlives_its_move_and_their_keys_do_not(
    data: World,
) -> None:
    [stay] = stays(data, 1, DUE)
    key = "SELECT id, gite_id, owner_user_id FROM reservations"
    for statement in (
        "INSERT INTO hour_requests (id, reservation_id, gite_id, owner_user_id, heure_arrivee,"
        f" status) SELECT gen_random_uuid(), own.*, '15:00', 'pending' FROM ({key}) own",
        "INSERT INTO guest_feedback (id, reservation_id, gite_id, owner_user_id, note)"
        f" SELECT gen_random_uuid(), own.*, 5 FROM ({key}) own",
        "INSERT INTO cleaning_schedule (id, reservation_id, gite_id, owner_user_id, date, status)"
        f" SELECT gen_random_uuid(), own.*, '2023-01-01', 'done' FROM ({key}) own",
        "INSERT INTO client_access_tokens (id, reservation_id, gite_id, owner_user_id, token,"
        " scope, expires_at) SELECT gen_random_uuid(), own.*, 'hash', 'sheet', now()"
        f" FROM ({key}) own",
    ):
        data.run(statement)

    assert run(data).moved == 1

    for table in ("hour_requests", "guest_feedback", "cleaning_schedule"):
        assert data.rows(f"SELECT reservation_id FROM {table}") == [(stay,)], table
    assert data.rows("SELECT id FROM client_access_tokens") == []


@pytest.mark.covers("B-161", "B-115")
@pytest.mark.parametrize("security", ["naive", "indexed", "wrapped"])
def test_owners_read_their_whole_history_and_nobody_elses(database: str, security: Any) -> None:
    with world(database, Variant(row_security=security)) as data:
        mine, theirs = data.owner(), data.owner()
        expected = set()
        for owner in (mine, theirs):
            unit = data.unit(owner)
            for last in (DUE, NOW.date()):
                stay = data.reservation(owner, unit, last - DAY, last)
                if owner is mine:
                    expected.add(stay)
        assert run(data).moved == 2

        with psycopg.connect(app_login(database)) as connection:
            assert connection.execute("SELECT id FROM reservations_all").fetchall() == []
            connection.execute("SELECT set_config('app.user_id', %s, false)", [str(mine.user_id)])
            seen = connection.execute("SELECT id FROM reservations_all").fetchall()

        assert len(seen) == 2
        assert set(ids(seen)) == expected


def test_the_archive_and_the_view_of_both_have_every_column_of_a_stay(data: World) -> None:
    def columns(table: str) -> list[Any]:
        return data.rows(
            "SELECT attname, atttypid FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            table,
        )

    live = columns("reservations")
    assert columns("reservations_all") == live
    assert ids(columns("reservations_archive")) == [*ids(live), "archived_at"]


def test_a_column_the_archive_lacks_stops_it_before_anything_is_lost(database: str) -> None:
    with world(database) as data:
        stays(data, 2, DUE)
        data.run("ALTER TABLE reservations ADD COLUMN caution bigint DEFAULT 300")
        before = rows_of(data, "reservations")

        with pytest.raises(UpkeepError, match="no column caution"):
            run(data)

        assert rows_of(data, "reservations") == before
        data.run("ALTER TABLE reservations_archive ADD COLUMN caution bigint")
        assert run(data).moved == 2
        assert data.rows("SELECT DISTINCT caution FROM reservations_archive") == [(300,)]


@pytest.mark.covers("T-162")
def test_months_are_taken_away_as_the_database_does(data: World) -> None:
    """Each day of a leap cycle, and an instant."""
    days = [date(2023, 1, 1) + timedelta(days=number) for number in range(4 * 366)]
    for months in (0, 1, 6, 12, 36):
        expected = data.rows(
            "SELECT (day - make_interval(months => %s))::date"
            " FROM unnest(%s::date[]) WITH ORDINALITY AS d (day, place) ORDER BY place",
            months,
            days,
        )
        assert [months_before(day, months) for day in days] == ids(expected)
    assert months_before(datetime(2024, 2, 29, 5, tzinfo=UTC), 12) == datetime(
        2023, 2, 28, 5, tzinfo=UTC
    )


# Writers at work -----------------------------------------------------------------------------


async def book_change_and_cancel(
    up: Site, owner: Principal, unit: uuid.UUID, dice: random.Random
) -> dict[str, int]:
    """One writer at work on old and new stays; gives id and price of what it was told exists."""
    acknowledged: dict[str, int] = {}
    for number in range(8):
        last = (DUE if dice.random() < 0.7 else NOW.date()) - timedelta(days=10 * number)
        answer = await up.app.request(
            "POST",
            "/api/reservations",
            owner,
            json={
                "gite_id": str(unit),
                "date_debut": str(last - DAY),
                "date_fin": str(last),
                "client_nom": "Anne Martin",
                "prix_centimes": number,
            },
        )
        assert answer.status_code == 201, answer.text
        acknowledged[answer.json()["id"]] = number
        chosen = dice.choice(list(acknowledged))
        if dice.random() < 0.7:
            cents = 1000 + number
            answer = await up.app.request(
                "PATCH", f"/api/reservations/{chosen}", owner, json={"prix_centimes": cents}
            )
            assert answer.status_code in (200, 404), answer.text
            if answer.status_code == 200:
                acknowledged[chosen] = cents
        else:
            answer = await up.app.request("DELETE", f"/api/reservations/{chosen}", owner)
            assert answer.status_code in (204, 404), answer.text
            if answer.status_code == 204:
                del acknowledged[chosen]
    return acknowledged


def archive_under_writers(up: Site, seed: int) -> None:
    dice = random.Random(seed)
    data = up.world
    owners = [data.owner() for _ in range(64)]
    units = [data.unit(owner) for owner in owners]
    finished = threading.Event()

    def archive_again_and_again() -> int:
        moved = 0
        with connect(data.admin_url) as connection:
            while not finished.is_set():
                moved += archive(connection, NOW, batch=dice.randrange(1, 40)).moved
        return moved

    async def writers() -> list[dict[str, int]]:
        return await asyncio.gather(
            *(
                book_change_and_cancel(up, owner, unit, random.Random(f"{seed}/{number}"))
                for number, (owner, unit) in enumerate(zip(owners, units, strict=True))
            )
        )

    with ThreadPoolExecutor(1) as thread:
        archiving = thread.submit(archive_again_and_again)
        try:
            told = up.app.wait(writers())
        finally:
            finished.set()
        moved = archiving.result(timeout=60)
    last = run(data)

    acknowledged = {uuid.UUID(id_): cents for each in told for id_, cents in each.items()}
    kept = data.rows(
        "SELECT id, prix_centimes FROM reservations_all WHERE owner_user_id = ANY(%s)",
        [owner.user_id for owner in owners],
    )
    assert moved > 0
    assert (last.left, last.again) == (0, ())
    assert len(kept) == len(acknowledged)
    assert dict(kept) == acknowledged
    assert data.rows("SELECT id FROM reservations WHERE date_fin < %s", THREE_YEARS_AGO) == []


@pytest.fixture(scope="module")
def busy(fresh_database: Any) -> Iterator[Site]:
    variant = Variant(indexes="full", row_security="wrapped", cache="memory")
    with fresh_database() as url, site(url, variant, pool_size=32) as up:
        yield up


FIFTY = [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 50))]


@pytest.mark.covers("B-161", "B-163")
@pytest.mark.parametrize("seed", FIFTY)
def test_archiving_while_64_writers_write_keeps_what_each_was_told(busy: Site, seed: int) -> None:
    archive_under_writers(busy, seed)
