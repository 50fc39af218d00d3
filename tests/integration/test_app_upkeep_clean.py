"""Clean-up and vacuum on a real database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from app_support import World
from upkeep_support import NOW, empty_again, upkeep, wait_until_none, world

from reference_app.upkeep.__main__ import main
from reference_app.upkeep.ages import months_before
from reference_app.upkeep.clean import RULES, clean
from reference_app.upkeep.database import connect, turn
from reference_app.upkeep.errors import UpkeepError
from reference_app.upkeep.vacuum import TABLES
from reference_app.variant import Variant

pytestmark = pytest.mark.db

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def migrated(fresh_database: Any) -> Iterator[World]:
    variant = Variant(indexes="full", row_security="wrapped")
    with fresh_database() as url, world(url, variant) as made:
        yield made


@pytest.fixture
def data(migrated: World) -> Iterator[World]:
    yield migrated
    empty_again(migrated)


def notice(data: World, user: uuid.UUID, at: datetime, *, is_read: bool) -> uuid.UUID:
    id_ = uuid.uuid4()
    data.run(
        "INSERT INTO notifications (id, user_id, kind, title, is_read, created_at, read_at)"
        " VALUES (%s, %s, 'system', 'Bonjour', %s, %s, %s)",
        *(id_, user, is_read, at, at if is_read else None),
    )
    return id_


def left(data: World, table: str) -> set[Any]:
    key = next(rule.key for rule in RULES if rule.table == table)
    return {id_ for (id_,) in data.rows(f"SELECT {key} FROM {table}")}


def run(data: World, batch: int = 1000) -> dict[str, int]:
    with connect(data.admin_url) as connection:
        return clean(connection, NOW, batch)


@pytest.mark.covers("B-162", "B-94", "F-27", "T-163")
def test_read_notices_go_after_six_months_and_unread_ones_never(data: World) -> None:
    user = data.owner().user_id
    half_a_year_ago = months_before(NOW, 6)
    notice(data, user, half_a_year_ago - DAY, is_read=True)
    kept = {
        notice(data, user, half_a_year_ago + DAY, is_read=True),
        notice(data, user, half_a_year_ago - DAY, is_read=False),
        notice(data, user, months_before(NOW, 120), is_read=False),
    }

    result = upkeep("clean", "--url", data.admin_url, "--now", NOW.isoformat())

    assert result["deleted"]["notifications"] == 1
    assert left(data, "notifications") == kept
    assert run(data)["notifications"] == 0
    assert left(data, "notifications") == kept


@pytest.mark.covers("B-162", "B-55", "B-93", "F-27", "T-164")
def test_logs_go_after_a_year(data: World) -> None:
    owner = data.owner()
    unit = data.unit(owner)
    a_year_ago = months_before(NOW, 12)
    kept = {}
    for at in (a_year_ago - DAY, a_year_ago + DAY):
        kept["sync_logs"], kept["error_logs"] = uuid.uuid4(), uuid.uuid4()
        data.run(
            "INSERT INTO sync_logs (id, user_id, gite_id, status, synced_at)"
            " VALUES (%s, %s, %s, 'success', %s)",
            *(kept["sync_logs"], owner.user_id, unit, at),
        )
        data.run(
            "INSERT INTO error_logs (id, \"timestamp\", source, message) VALUES (%s, %s, 'a', 'b')",
            *(kept["error_logs"], at),
        )

    deleted = run(data)

    assert (deleted["sync_logs"], deleted["error_logs"]) == (1, 1)
    for table, id_ in kept.items():
        assert left(data, table) == {id_}


@pytest.mark.covers("B-55", "B-48")
def test_what_groups_were_told_goes_after_a_year_and_what_is_on_its_way_stays(data: World) -> None:
    admin = data.group("pro")
    endpoint = uuid.uuid4()
    data.run(
        "INSERT INTO webhook_endpoints (id, school_group_id, url, types, is_active)"
        " VALUES (%s, %s, 'https://hooks.example/', '{}', false)",
        *(endpoint, admin.tenant_id),
    )
    a_year_ago = months_before(NOW, 12)
    kept = set()
    for at, status, stays in [
        (a_year_ago - DAY, "delivered", False),
        (a_year_ago - DAY, "failed", False),
        (a_year_ago - DAY, "pending", True),
        (a_year_ago + DAY, "delivered", True),
    ]:
        event = uuid.uuid4()
        data.run(
            "INSERT INTO webhook_events (id, school_group_id, type, source_key, payload,"
            " created_at) VALUES (%s, %s, 'plan.changed', %s, '{}', %s)",
            *(event, admin.tenant_id, str(event), at),
        )
        data.run(
            "INSERT INTO webhook_deliveries (id, event_id, endpoint_id, school_group_id, status)"
            " VALUES (gen_random_uuid(), %s, %s, %s, %s)",
            *(event, endpoint, admin.tenant_id, status),
        )
        if stays:
            kept.add(event)

    assert run(data)["webhook_events"] == 2

    assert left(data, "webhook_events") == kept
    assert {event for (event,) in data.rows("SELECT event_id FROM webhook_deliveries")} == kept
    assert run(data)["webhook_events"] == 0


def test_tasks_that_are_done_go_after_a_month_and_waiting_ones_never(data: World) -> None:
    owner = data.owner()
    a_month_ago = months_before(NOW, 1)
    old, recent = a_month_ago - DAY, a_month_ago + DAY
    kept = set()
    for status, column, at, stays in [
        ("completed", "completed_at", old, False),
        ("completed", "completed_at", recent, True),
        ("failed", "failed_at", old, False),
        ("failed", "failed_at", recent, True),
        ("pending", "started_at", old, True),
        ("processing", "started_at", old, True),
    ]:
        id_ = uuid.uuid4()
        data.run(
            f"INSERT INTO sync_queue (task_id, user_id, gite_id, status, created_at, {column})"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            *(id_, owner.user_id, data.unit(owner), status, old, at),
        )
        if stays:
            kept.add(id_)

    assert run(data)["sync_queue"] == 2
    assert left(data, "sync_queue") == kept


def test_a_guests_key_goes_half_a_year_after_it_ended_or_was_withdrawn(data: World) -> None:
    owner = data.owner()
    unit = data.unit(owner)
    stay = data.reservation(owner, unit, NOW.date(), NOW.date() + DAY)
    old, recent = months_before(NOW, 6) - DAY, months_before(NOW, 6) + DAY
    kept = set()
    for number, (expires, revoked, stays) in enumerate(
        [
            (old, None, False),
            (NOW, old, False),
            (old, recent, False),
            (recent, None, True),
            (NOW, recent, True),
            (NOW + DAY, None, True),
        ]
    ):
        id_ = uuid.uuid4()
        data.run(
            "INSERT INTO client_access_tokens (id, token, reservation_id, gite_id, owner_user_id,"
            " scope, expires_at, revoked_at) VALUES (%s, %s, %s, %s, %s, 'sheet', %s, %s)",
            *(id_, str(number), stay, unit, owner.user_id, expires, revoked),
        )
        if stays:
            kept.add(id_)

    assert run(data)["client_access_tokens"] == 3
    assert left(data, "client_access_tokens") == kept


def test_cycles_and_kept_feeds_go_when_they_have_no_use_any_more(data: World) -> None:
    recent = NOW - timedelta(hours=2)
    for at in (months_before(NOW, 1) - DAY, months_before(NOW, 1) - 2 * DAY, recent):
        data.run("INSERT INTO sync_cycles (starts_at) VALUES (%s)", at)
    for address, at in [("a", NOW - 2 * DAY), ("É", NOW - 2 * DAY), ("b", recent)]:
        data.run("INSERT INTO calendar_cache VALUES (%s, 'feed', %s)", address, at)

    deleted = run(data, batch=1)

    assert (deleted["sync_cycles"], deleted["calendar_cache"]) == (2, 2)
    assert left(data, "sync_cycles") == {recent}
    assert left(data, "calendar_cache") == {"b"}


def test_clean_up_waits_for_its_turn_and_says_so_when_that_is_too_long(data: World) -> None:
    with connect(data.admin_url) as first, turn(first), connect(data.admin_url) as second:
        second.execute("SET lock_timeout = '50ms'")
        with pytest.raises(UpkeepError, match="another archive or clean-up"):
            clean(second, NOW)
    run(data)


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_batches_of_any_size_delete_the_same_rows(data: World, batch: int) -> None:
    user = data.owner().user_id
    for number in range(10):
        notice(data, user, months_before(NOW, 7) + number * DAY, is_read=number % 3 != 0)

    assert run(data, batch)["notifications"] == 6

    assert data.rows("SELECT is_read, count(*) FROM notifications GROUP BY 1") == [(False, 4)]


def test_a_notice_that_is_being_marked_unread_is_not_deleted(data: World) -> None:
    """It was read when clean-up looked, and is not any more when clean-up gets to it."""
    user = data.owner().user_id
    [first, _] = sorted(notice(data, user, months_before(NOW, 7), is_read=True) for _ in range(2))
    with psycopg.connect(data.admin_url) as owner:
        owner.execute(
            "UPDATE notifications SET is_read = false, read_at = NULL WHERE id = %s", [first]
        )
        assert run(data)["notifications"] == 1
        owner.commit()

    assert run(data)["notifications"] == 0
    assert left(data, "notifications") == {first}


@pytest.mark.covers("B-162", "B-164")
@pytest.mark.parametrize("command", ["clean", "vacuum"])
def test_the_tables_are_vacuumed_and_analysed(data: World, command: str) -> None:
    assert {"reservations", "notifications", "sync_logs"} <= set(TABLES)
    [(before,)] = data.rows("SELECT clock_timestamp()")

    result = upkeep(command, "--url", data.admin_url)

    assert result["vacuumed"] == list(TABLES)
    # the server's statistics follow a moment after the fact
    wait_until_none(
        data,
        "SELECT relname FROM pg_stat_user_tables WHERE relname = ANY(%s)"
        " AND (last_vacuum > %s AND last_analyze > %s) IS NOT TRUE",
        *(list(TABLES), before, before),
    )


@pytest.mark.covers("B-164")
def test_the_server_sweeps_up_the_queue_after_a_thousand_dead_rows(data: World) -> None:
    [(options,)] = data.rows("SELECT reloptions FROM pg_class WHERE relname = 'sync_queue'")

    assert set(options) == {
        "autovacuum_vacuum_scale_factor=0",
        "autovacuum_vacuum_threshold=1000",
    }


def test_a_database_that_is_not_there_is_exit_code_5(capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    for command in ("archive", "clean", "vacuum"):
        assert main([command, "--url", nowhere]) == 5
        assert f"{command} failed" in capsys.readouterr().err


def test_an_instant_without_a_zone_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """It would be another day for whoever runs it elsewhere."""
    with pytest.raises(SystemExit) as left:
        main(["archive", "--url", "x", "--now", "2026-11-22"])

    assert left.value.code == 2
    assert "zone" in capsys.readouterr().err
