"""The scheduler with real processes and a clock of the test's own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sync_support import (
    DEADLINE_S,
    Platform,
    SyncWorld,
    environment,
    platform,
    process,
    sync_world,
    wait_for,
    worker,
)

from reference_app.background import Stop, connect_pool
from reference_app.sync.scheduler import Scheduler, run
from reference_app.sync.settings import SyncSettings
from reference_app.sync.slots import cycle_start, next_run, slot_of
from reference_app.variant import Variant

pytestmark = pytest.mark.db

QUEUE = Variant(sync="queue", row_security="wrapped")
STAGGERED = Variant(sync="staggered", row_security="wrapped")
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def outside() -> Iterator[Platform]:
    with platform() as running:
        yield running


@pytest.fixture
def world(database: str) -> Iterator[SyncWorld]:
    with sync_world(database, QUEUE) as made:
        yield made


def synced(world: SyncWorld, unit_id: UUID, at: datetime | None) -> UUID:
    world.run("UPDATE gites SET last_synced_at = %s WHERE id = %s", at, unit_id)
    return unit_id


def schedule(world: SyncWorld, *instants: datetime, staggered: bool = False) -> list[int | None]:
    """What a scheduler answers at each of these instants."""

    async def at_each() -> list[int | None]:
        pool = connect_pool(world.worker_url, size=1, name="test")
        await pool.open()
        try:
            scheduler = Scheduler(pool, staggered=staggered)
            return [await scheduler.schedule(now) for now in instants]
        finally:
            await pool.close()

    return asyncio.run(at_each())


def queued(world: SyncWorld) -> dict[Any, Any]:
    return dict(world.rows("SELECT gite_id, available_at FROM sync_queue"))


@pytest.mark.covers("B-132")
def test_gites_never_synchronised_or_not_in_this_cycle_are_queued(world: SyncWorld) -> None:
    owner = world.owner()
    never, long_ago, last_cycle, just_now = (
        synced(world, world.calendar(owner)[1], at)
        for at in (
            None,
            NOON - timedelta(days=9),
            # queued at ten, done some seconds later: not quite two hours old
            NOON - timedelta(hours=2) + timedelta(seconds=40),
            NOON - timedelta(minutes=10),
        )
    )
    world.unit(owner)  # without a calendar

    assert schedule(world, NOON) == [3]
    assert queued(world) == dict.fromkeys((never, long_ago, last_cycle), NOON)
    assert just_now not in queued(world)
    assert world.rows("SELECT DISTINCT priority, status FROM sync_queue") == [(2, "pending")]
    assert world.rows("SELECT starts_at, queued FROM sync_cycles") == [(NOON, 3)]


@pytest.mark.covers("B-135")
def test_a_gite_that_still_waits_is_not_queued_again(world: SyncWorld) -> None:
    units = [world.calendar() for _ in range(3)]
    first = world.task(*units[0][:2])

    assert schedule(world, NOON, NOON + timedelta(hours=2)) == [2, 0]
    assert len(queued(world)) == 3
    assert world.task_row(first)["status"] == "pending"


@pytest.mark.covers("B-132")
def test_a_cycle_is_scheduled_once_whoever_comes_and_a_missed_one_is_made_up_for(
    world: SyncWorld,
) -> None:
    world.calendar()
    late = NOON + timedelta(minutes=70)

    assert schedule(world, late, late + timedelta(minutes=49), NOON) == [1, None, None]
    assert world.rows("SELECT starts_at FROM sync_cycles") == [(NOON,)]


@pytest.mark.covers("B-132", "B-135")
def test_of_many_schedulers_at_once_one_acts(world: SyncWorld) -> None:
    for _ in range(30):
        world.calendar()

    async def race() -> list[int | None]:
        pools = [connect_pool(world.worker_url, size=1, name="test") for _ in range(8)]
        for pool in pools:
            await pool.open()
        try:
            schedulers = [Scheduler(pool, staggered=False) for pool in pools]
            return await asyncio.gather(*(one.schedule(NOON) for one in schedulers))
        finally:
            for pool in pools:
                await pool.close()

    assert sorted(asyncio.run(race()), key=str) == [30] + [None] * 7
    assert len(queued(world)) == 30


@pytest.mark.covers("B-137", "B-138", "B-140", "B-141", "F-13")
def test_each_owner_has_a_minute_of_their_own(database: str) -> None:
    with sync_world(database, STAGGERED) as world:
        owners = {}
        for _ in range(40):
            owner = world.owner()
            owners |= {world.calendar(owner)[1]: owner.user_id for _ in range(2)}
        now = NOON + timedelta(minutes=30, seconds=1)

        assert schedule(world, now, staggered=True) == [80]
        turns = queued(world)

    assert turns == {unit: next_run(now, slot_of(owner)) for unit, owner in owners.items()}
    assert all(now < at <= now + timedelta(hours=2) for at in turns.values())
    assert len(set(turns.values())) > 20


@pytest.mark.covers("B-138", "B-139")
def test_no_slot_is_left_out_from_cycle_to_cycle(database: str, outside: Platform) -> None:
    """Also by a scheduler that starts in an odd hour, before a slot of 60 or more."""
    with sync_world(database, STAGGERED) as world:
        units = {world.calendar()[1] for _ in range(30)}
        started = NOON + timedelta(minutes=61)
        runs: dict[UUID, list[datetime]] = {unit: [] for unit in units}
        for now in [started, *(NOON + timedelta(hours=2 * cycle) for cycle in range(1, 5))]:
            schedule(world, now, staggered=True)
            for unit, at in queued(world).items():
                if at <= cycle_start(now) + timedelta(hours=2):
                    runs[unit].append(at)
                    # done, some seconds after its turn
                    world.run("DELETE FROM sync_queue WHERE gite_id = %s", unit)
                    synced(world, unit, at + timedelta(seconds=7))

    for times in runs.values():
        assert started < times[0] <= started + timedelta(hours=2)
        assert {b - a for a, b in itertools.pairwise(times)} == {timedelta(hours=2)}


def test_a_scheduler_and_a_worker_bring_every_calendar(world: SyncWorld, outside: Platform) -> None:
    units = [world.calendar() for _ in range(12)]
    env = environment(world, outside, QUEUE)
    with ExitStack() as running:
        running.enter_context(worker(world, outside, QUEUE))
        schedulers = [
            running.enter_context(process("reference_app.sync.scheduler", env=env))
            for _ in range(2)
        ]
        for scheduler in schedulers:
            scheduler.wait_until_it_says("sync scheduler ready")
        wait_for(
            lambda: world.rows("SELECT count(*) FROM gites WHERE last_synced_at IS NULL") == [(0,)],
            "not every calendar is brought",
        )
        assert [scheduler.end() for scheduler in schedulers] == [0, 0]

    assert {outside.asked(address) for *_, address in units} == {1}


def test_with_once_it_says_how_many_it_queued_and_ends(world: SyncWorld, outside: Platform) -> None:
    for _ in range(2):
        world.calendar()
    env = environment(world, outside, QUEUE)
    arguments = ("--once", "--at", "2026-07-01T14:30:00+02:00")
    said = []
    for _ in range(2):
        with process("reference_app.sync.scheduler", *arguments, env=env) as running:
            assert running.popen.wait(DEADLINE_S) == 0
            said.append(running.said().splitlines()[-1])

    assert said == ["2", "0"]
    assert world.rows("SELECT starts_at FROM sync_cycles") == [(NOON,)]
    with process("reference_app.sync.scheduler", "--at", "noon", env=env) as running:
        assert running.popen.wait(DEADLINE_S) == 2
        assert "--at needs --once" in running.said()


@pytest.mark.covers("B-132")
def test_the_next_cycle_is_scheduled_when_the_clock_reaches_it(world: SyncWorld) -> None:
    world.calendar()
    settings = SyncSettings(database_url=world.worker_url, variant=QUEUE)
    instants = iter(
        [NOON, NOON + timedelta(hours=2, milliseconds=-1), *[NOON + timedelta(hours=2)] * 2]
    )

    async def two_cycles() -> None:
        stop = Stop()

        def clock() -> datetime:
            now = next(instants, None)
            if now is None:
                stop.wish()
                return NOON + timedelta(hours=4, milliseconds=-1)
            return now

        await run(settings, stop, clock, once=False)

    asyncio.run(two_cycles())

    assert world.rows("SELECT starts_at FROM sync_cycles ORDER BY starts_at") == [
        (NOON,),
        (NOON + timedelta(hours=2),),
    ]


@pytest.mark.covers("B-123")
def test_the_queue_has_the_columns_of_the_source_and_its_defects_mended(world: SyncWorld) -> None:
    columns = dict(
        world.rows(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_name = 'sync_queue'"
        )
    )

    stated = (
        "task_id user_id gite_id priority status retries created_at started_at completed_at"
        " failed_at last_error error_message"
    )
    assert set(stated.split()) <= columns.keys()
    assert columns["priority"] == "smallint"


@pytest.mark.covers("I-28", "I-29")
def test_the_full_index_set_serves_the_next_task_and_an_owners_tasks(database: str) -> None:
    with sync_world(database, Variant(sync="queue", indexes="full")) as world:
        owner = world.owner()
        world.run(
            "INSERT INTO gites (id, owner_user_id, nom, ville, code_postal, capacite, ical_url)"
            " SELECT gen_random_uuid(), %s, 'x', 'x', 'x', 2, 'http://x/' FROM"
            " generate_series(1, 5000)",
            owner.user_id,
        )
        assert schedule(world, NOON) == [5000]
        world.run("ANALYZE sync_queue")
        plans = [
            "".join(line for (line,) in world.rows(f"EXPLAIN {query}"))
            for query in (
                "SELECT task_id FROM sync_queue WHERE status = 'pending' AND available_at <= now()"
                " ORDER BY priority DESC, created_at LIMIT 1 FOR UPDATE SKIP LOCKED",
                "SELECT * FROM sync_queue WHERE user_id = md5('one of many')::uuid",
            )
        ]

    assert "idx_sync_queue_status" in plans[0]
    assert "idx_sync_queue_user" in plans[1]
