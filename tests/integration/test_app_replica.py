"""Reports from a real streaming replica, which a test can stop from replaying."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from app_support import Site, app_login, migrate_both, site_on
from signal_support import send_to_all

from palier.stack.database import Database, create_database
from palier.stack.postgres import Server, start_server
from palier.stack.replica import replica_url, start_replica, wait_until_caught_up
from palier.stack.workspace import Workspace
from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

# Commits are written before they are acknowledged, or "caught up" would not mean what it says.
FAST = (("fsync", "off"), ("full_page_writes", "off"), ("shared_buffers", "32MB"))
DAY = date(2026, 7, 1)
STATISTICS = f"/api/statistics?year={DAY.year}"
REPORTS = (
    STATISTICS,
    "/api/statistics/history",
    "/api/statistics/monthly",
    f"/api/tax?year={DAY.year}",
    "/api/exports/reservations.csv",
    f"/api/exports/tax.csv?year={DAY.year}",
)
WRITERS = 64
DEADLINE_S = 40.0


@dataclass(frozen=True)
class Pair:
    """A primary with its replica, and an application that reads reports from the replica."""

    up: Site
    primary: Server
    replica: Server
    database: Database
    app_url: str
    reports_url: str

    def caught_up(self) -> None:
        wait_until_caught_up(self.replica, self.database)

    @contextmanager
    def replay_paused(self) -> Iterator[None]:
        """The replica takes the log and shows nothing of it."""
        with psycopg.connect(self.replica.maintenance_url, autocommit=True) as connection:
            connection.execute("SELECT pg_wal_replay_pause()")
            try:
                eventually(
                    lambda: (
                        connection.execute("SELECT pg_get_wal_replay_pause_state()").fetchone()
                        == ("paused",)
                    ),
                    "replay pauses",
                )
                yield
            finally:
                connection.execute("SELECT pg_wal_replay_resume()")

    def owner(self) -> tuple[Principal, UUID]:
        """With one stay, on both servers."""
        owner = self.up.world.owner()
        unit = self.up.world.unit(owner)
        self.up.world.reservation(owner, unit, DAY, DAY + timedelta(days=1))
        self.caught_up()
        return owner, unit

    def book(self, owner: Principal, unit: UUID, night: int, up: Site | None = None) -> None:
        body = booking(unit, night)
        answer = (up or self.up).call("POST", "/api/reservations", owner, json=body)
        assert answer.status_code == 201, answer.text

    def bookings(self, owner: Principal) -> int:
        answer = self.up.call("GET", STATISTICS, owner)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["bookings"])

    def reads(self) -> dict[str, int]:
        """Reports so far by why they were read where."""
        text = self.up.call("GET", "/metrics").text
        found = re.findall(r'^app_report_reads_total\{reason="(\w+)",.*\} (\d+)', text, re.M)
        return {"current": 0, "behind": 0, "away": 0} | {k: int(v) for k, v in found}

    def gauge(self, name: str) -> float | None:
        text = self.up.call("GET", "/metrics").text
        found = re.search(rf"^app_replica_{name} (\S+)$", text, re.M)
        return None if found is None else float(found[1])


def booking(unit: UUID, night: int) -> dict[str, Any]:
    first = DAY + timedelta(days=night)
    return {
        "gite_id": str(unit),
        "date_debut": str(first),
        "date_fin": str(first + timedelta(days=1)),
        "client_nom": "Anne Martin",
    }


def eventually(true: Callable[[], bool], what: str) -> None:
    """Wait for a fact, not for a time."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    variant = Variant(indexes="tier1", reads="replica")
    with Workspace.create(purpose="test", logs=tmp_path_factory.mktemp("logs")) as workspace:
        primary = start_server(workspace, settings=FAST)
        replica = start_replica(workspace, primary)
        database = create_database(primary, workspace.token)
        migrate_both(database.admin_url, variant)
        app_url = app_login(database.admin_url)
        reports_url = replica_url(replica, app_url)
        wait_until_caught_up(replica, database)
        with site_on(database.admin_url, app_url, variant, replica_url=reports_url) as up:
            yield Pair(up, primary, replica, database, app_url, reports_url)


@pytest.mark.covers("B-90", "B-91", "B-172", "B-174", "B-216")
@pytest.mark.parametrize("path", REPORTS)
def test_reports_come_from_the_replica(pair: Pair, path: str) -> None:
    owner, _ = pair.owner()
    before = pair.reads()

    answer = pair.up.call("GET", path, owner)

    assert answer.status_code == 200, answer.text
    assert pair.reads() == {**before, "current": before["current"] + 1}


@pytest.mark.covers("B-172", "B-174")
def test_what_the_replica_does_not_have_its_reports_do_not_show(pair: Pair) -> None:
    owner, unit = pair.owner()
    with pair.replay_paused():
        # Past the triggers: nothing says that the owner's rows have changed.
        with pair.up.world.connection.transaction():
            pair.up.world.run("SET LOCAL session_replication_role = replica")
            pair.up.world.reservation(owner, unit, DAY + timedelta(days=1), DAY + timedelta(days=2))
        assert pair.bookings(owner) == 1
    pair.caught_up()
    assert pair.bookings(owner) == 2


@pytest.mark.covers("B-173")
def test_an_owner_reads_back_own_writes_while_the_replica_is_behind(pair: Pair) -> None:
    owner, unit = pair.owner()
    other, _ = pair.owner()
    with pair.replay_paused():
        pair.book(owner, unit, 1)
        before = pair.reads()

        assert pair.bookings(owner) == 2
        assert pair.bookings(other) == 1

        after = pair.reads()
    assert after["behind"] == before["behind"] + 1
    assert after["current"] == before["current"] + 1

    pair.caught_up()
    assert pair.bookings(owner) == 2
    assert pair.reads()["current"] == after["current"] + 1


@pytest.mark.covers("B-173")
def test_what_another_process_wrote_is_read_back_too(pair: Pair) -> None:
    """The worker and a second application process leave no trace in this one."""
    owner, unit = pair.owner()
    variant = Variant(indexes="tier1", reads="replica")
    with (
        site_on(
            pair.database.admin_url,
            pair.app_url,
            variant,
            replica_url=pair.reports_url,
            pool_size=2,
        ) as other,
        pair.replay_paused(),
    ):
        pair.book(owner, unit, 1, up=other)
        assert pair.bookings(owner) == 2


@pytest.mark.covers("B-173")
def test_the_lag_is_measured(pair: Pair) -> None:
    owner, unit = pair.owner()
    eventually(lambda: pair.gauge("lag_bytes") == 0, "no lag")
    assert pair.gauge("lag_seconds") == 0
    with pair.replay_paused():
        pair.book(owner, unit, 1)
        eventually(lambda: (pair.gauge("lag_bytes") or 0) > 0, "lag in bytes")
        assert (pair.gauge("lag_seconds") or 0) > 0
    eventually(lambda: pair.gauge("lag_bytes") == 0, "no lag any more")
    assert pair.gauge("up") == 1


@pytest.mark.covers("B-173")
@pytest.mark.parametrize("cache", ["none", "memory"])
def test_64_writers_see_their_writes_in_reports_of_a_replica_that_runs_after_them(
    pair: Pair, cache: Any
) -> None:
    owner, unit = pair.owner()
    variant = Variant(indexes="tier1", reads="replica", cache=cache)
    acknowledged = 1

    async def write_and_look(up: Site, night: int) -> None:
        nonlocal acknowledged
        answer = await up.app.request("POST", "/api/reservations", owner, json=booking(unit, night))
        assert answer.status_code == 201, answer.text
        acknowledged += 1
        known = acknowledged
        for path in (STATISTICS, "/api/statistics/history"):
            found = await up.app.request("GET", path, owner)
            assert found.status_code == 200, found.text
            year = found.json() if path == STATISTICS else found.json()[0]
            assert year["bookings"] >= known

    async def storm(up: Site) -> None:
        await asyncio.gather(*(write_and_look(up, night + 1) for night in range(WRITERS)))

    with site_on(
        pair.database.admin_url, pair.app_url, variant, replica_url=pair.reports_url
    ) as up:
        up.app.wait(storm(up))


@pytest.mark.covers("B-177")
def test_a_replica_that_hangs_or_is_gone_costs_no_report_and_is_used_again_when_it_is_back(
    pair: Pair,
) -> None:
    owner, unit = pair.owner()
    send_to_all(pair.replica.pids(), signal.SIGSTOP)
    try:
        for night in range(1, 4):
            pair.book(owner, unit, night)
            assert pair.bookings(owner) == night + 1
        assert pair.gauge("up") == 0
        assert pair.gauge("lag_seconds") is None
        for path in REPORTS:
            assert pair.up.call("GET", path, owner).status_code == 200
    finally:
        send_to_all(pair.replica.pids(), signal.SIGCONT)

    def used_again() -> bool:
        before = pair.reads()["current"]
        assert pair.bookings(owner) == 4
        return pair.reads()["current"] > before

    eventually(used_again, "the replica is read again")
    eventually(lambda: pair.gauge("up") == 1, "it is up")
