"""Logs in monthly tables: made ahead, dropped after a year, in nobody's way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from app_support import World
from hypothesis import given
from hypothesis import strategies as st
from sync_support import wait_for
from upkeep_support import upkeep, world

from reference_app.upkeep.ages import months_before
from reference_app.upkeep.database import NO_ID
from reference_app.upkeep.partitions import is_past, months_from, partition_name

pytestmark = pytest.mark.db

NOW = datetime(2027, 2, 10, 3, 0, tzinfo=UTC)
LOGS = ("audit_trail", "automation_log", "health_checks", "webhook_attempts")


@pytest.fixture
def data(database: str) -> Iterator[World]:
    with world(database) as found:
        yield found


def turn(data: World, now: datetime = NOW) -> dict[str, Any]:
    return upkeep("partitions", "--url", data.admin_url, "--now", now.isoformat())


def log_check(data: World, at: datetime) -> None:
    data.run(
        "INSERT INTO health_checks (at, status, components) VALUES (%s, 'ok', '{}')",
        at,
    )


def places(data: World) -> list[tuple[str, datetime]]:
    """In which table each check is."""
    return data.rows("SELECT tableoid::regclass::text, at FROM health_checks ORDER BY at")


@pytest.mark.covers("I-41", "B-55", "T-25")
def test_months_are_made_ahead_and_dropped_when_all_of_them_is_older_than_a_year(
    data: World,
) -> None:
    moments = [
        datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 2, 1, tzinfo=UTC),
        datetime(2027, 2, 9, tzinfo=UTC),
        datetime(2027, 4, 30, tzinfo=UTC),
    ]
    for month in (date(2026, 1, 1), date(2026, 2, 1)):
        data.rows("SELECT ensure_log_partition('health_checks', %s)", month)
    for at in moments:
        log_check(data, at)

    done = turn(data)

    for log in LOGS:
        for month in ("2027_02", "2027_03", "2027_04"):
            assert data.rows("SELECT to_regclass(%s) IS NOT NULL", f"{log}_{month}") == [(True,)]
    assert done["dropped"] == ["health_checks_2026_01"]
    assert places(data) == [
        ("health_checks_2026_02", moments[1]),
        ("health_checks_2027_02", moments[2]),
        ("health_checks_2027_04", moments[3]),
    ]
    assert turn(data) == {"made": [], "dropped": [], "deleted": {}}


def test_old_rows_that_no_month_has_are_deleted_and_the_others_stay(data: World) -> None:
    """Upkeep that was forgotten for a year loses nothing that should be kept."""
    old, young = datetime(2024, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
    log_check(data, old)
    log_check(data, young)

    done = turn(data)

    assert done["deleted"] == {"health_checks": 1}
    assert places(data) == [("health_checks_default", young)]


@pytest.mark.covers("I-41")
def test_every_month_has_the_indexes_of_its_log(data: World) -> None:
    turn(data)

    found = data.rows(
        "SELECT count(*) FILTER (WHERE tablename = 'audit_trail'),"
        " count(*) FILTER (WHERE tablename = 'audit_trail_2027_02')"
        " FROM pg_indexes WHERE starts_with(tablename, 'audit_trail')"
    )

    assert found == [(2, 2)]


def test_the_newest_of_a_groups_trail_are_read_from_the_indexes_of_the_months(data: World) -> None:
    data.run("SET enable_seqscan = off")
    plan = [
        line.strip().removeprefix("->  ")
        for (line,) in data.rows(
            "EXPLAIN SELECT * FROM audit_trail WHERE school_group_id = %s"
            " ORDER BY at DESC, id DESC LIMIT 51",
            NO_ID,
        )
    ]

    assert any(line.startswith("Merge Append") for line in plan)
    assert not any(line.startswith("Sort  ") for line in plan)


def test_a_drop_gives_way_to_who_reads_and_comes_back(data: World) -> None:
    turn(data)
    data.rows("SELECT ensure_log_partition('audit_trail', '2026-01-01')")
    with psycopg.connect(data.admin_url) as reader:
        reader.execute("SELECT FROM audit_trail")
        done: dict[str, Any] = {}
        dropping = threading.Thread(target=lambda: done.update(turn(data)))
        dropping.start()
        wait_for(
            lambda: data.rows(
                "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
                " AND relation IN ('audit_trail'::regclass, 'audit_trail_2026_01'::regclass)"
            ),
            "the drop does not wait",
        )
        # a writer waits for the drop, which waits for the reader, but not for long
        data.run(
            "INSERT INTO audit_trail (actor_role, table_name, row_id, action)"
            " VALUES ('x', 't', '1', 'insert')"
        )
        reader.rollback()
        dropping.join(60)

    assert done["dropped"] == ["audit_trail_2026_01"]


# arithmetic ---------------------------------------------------------------------------------


@given(st.integers(0, 100 * 365 * 24))
def test_a_month_is_past_when_its_last_instant_is_older_than_a_year(hours: int) -> None:
    now = NOW + timedelta(hours=hours)
    until = months_before(now, 12)
    past = [
        month
        for month in months_from(months_before(now.date().replace(day=1), 15), 20)
        if is_past(partition_name("log", month), until)
    ]

    first_kept = until.date().replace(day=1)
    assert all(month < first_kept for month in past)
    assert len(past) == 3
    assert not is_past("log_default", until)
