"""The queue with real workers on a real database, and platforms that answer when they want."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sync_support import Platform, SyncWorld, platform, process, sync_world, wait_for, worker

from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

QUEUE = Variant(sync="queue", row_security="wrapped")
STAGGERED = Variant(sync="staggered", row_security="wrapped")


@pytest.fixture(scope="module")
def outside() -> Iterator[Platform]:
    with platform() as running:
        yield running


@pytest.fixture
def world(database: str) -> Iterator[SyncWorld]:
    with sync_world(database, QUEUE) as made:
        yield made


@pytest.mark.covers("B-127", "B-128", "B-131", "B-135", "J-12")
def test_a_task_brings_the_stays_of_the_feed_and_is_completed(
    world: SyncWorld, outside: Platform
) -> None:
    owner, unit_id, address = world.calendar()
    with worker(world, outside, QUEUE):
        task = world.task(owner, unit_id)
        done = world.wait_for_status(task, "completed")

    assert done["completed_at"] is not None
    assert (done["retries"], done["worker"], done["lease_until"]) == (0, None, None)
    stays = world.stays(unit_id)
    assert stays
    assert {status for *_, status in stays} == {"confirmed"}
    assert world.logs(unit_id) == [("success", len(stays), 0, 0, 0, None)]
    assert world.rows("SELECT last_synced_at > now() - interval '1 minute' FROM gites") == [(True,)]
    assert outside.asked(address) == 1
    assert outside.strangers() == {}


@pytest.mark.covers("B-129", "F-23", "X-46")
def test_a_feed_that_always_fails_is_run_four_times_and_has_failed_then(
    world: SyncWorld, outside: Platform
) -> None:
    owner, unit_id, address = world.calendar(path="status/500/")
    with worker(world, outside, QUEUE):
        failed = world.wait_for_status(world.task(owner, unit_id), "failed")

    assert failed["retries"] == 3
    assert failed["failed_at"] is not None
    assert failed["error_message"] == failed["last_error"] == "the platform answered 500"
    assert outside.asked(address) == 4
    assert [log[0] for log in world.logs(unit_id)] == ["failed"] * 4
    assert world.rows("SELECT last_synced_at FROM gites") == [(None,)]


@pytest.mark.covers("B-129", "F-23")
def test_between_its_runs_a_task_is_pending_and_says_what_went_wrong(
    world: SyncWorld, outside: Platform
) -> None:
    owner, unit_id, _ = world.calendar(path="flaky/3/")
    task = world.task(owner, unit_id)
    seen = []
    for run in range(1, 4):
        # each worker does one run and is ended in the pause after it
        with worker(world, outside, QUEUE, APP_SYNC_PARALLEL=1, APP_SYNC_PAUSE_S=600) as running:
            wait_for(lambda run=run: world.task_row(task)["retries"] == run, f"no retry {run}")
            assert running.end() == 0
        row = world.task_row(task)
        seen.append((row["status"], row["retries"], row["last_error"], row["failed_at"]))
    with worker(world, outside, QUEUE):
        done = world.wait_for_status(task, "completed")

    assert seen == [("pending", run, "the platform answered 500", None) for run in (1, 2, 3)]
    assert done["retries"] == 3
    assert [log[0] for log in world.logs(unit_id)] == ["failed"] * 3 + ["success"]


@pytest.mark.covers("B-140")
def test_staggered_tasks_are_run_three_times_two_and_four_seconds_apart(
    database: str, outside: Platform
) -> None:
    with sync_world(database, STAGGERED) as world:
        owner, unit_id, address = world.calendar(path="status/500/")
        with worker(world, outside, STAGGERED):
            failed = world.wait_for_status(world.task(owner, unit_id), "failed")
        runs = [at for (at,) in world.rows("SELECT synced_at FROM sync_logs ORDER BY synced_at")]

    assert failed["retries"] == 2
    assert outside.asked(address) == 3
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(runs)]
    assert 2 <= gaps[0] < 4 <= gaps[1]


@pytest.mark.covers("B-127", "F-24")
@pytest.mark.parametrize("path", ["hold/for-ever/", "trickle/50/"])
def test_a_feed_that_is_too_slow_is_given_up_as_a_whole_and_counts_as_a_failure(
    world: SyncWorld, outside: Platform, path: str
) -> None:
    """A byte now and then is no answer either: the time is for all of it."""
    owner, unit_id, _ = world.calendar(path=path)
    with worker(world, outside, QUEUE, APP_SYNC_TIMEOUT_S=0.4):
        failed = world.wait_for_status(world.task(owner, unit_id), "failed")

    assert failed["error_message"] == "no whole answer within 0.4 s"
    took = world.rows("SELECT min(duration_ms), max(duration_ms) FROM sync_logs")[0]
    assert took[0] >= 400
    assert failed["retries"] == 3


@pytest.mark.slow
@pytest.mark.covers("B-127", "F-24")
def test_without_another_wish_a_feed_is_given_up_after_ten_seconds(
    world: SyncWorld, outside: Platform
) -> None:
    owner, unit_id, _ = world.calendar(path="hold/ten/")
    with worker(world, outside, QUEUE):
        task = world.task(owner, unit_id)
        wait_for(lambda: world.logs(unit_id), "the first run does not end")

    assert world.logs(unit_id)[0][-1] == "no whole answer within 10 s"
    (took_ms,) = world.rows("SELECT min(duration_ms) FROM sync_logs")[0]
    assert 10_000 <= took_ms < 14_000
    assert world.task_row(task)["status"] in ("pending", "processing")


@pytest.mark.covers("B-124", "B-126", "B-133", "X-46")
def test_high_comes_before_normal_before_low_and_then_the_oldest(
    world: SyncWorld, outside: Platform
) -> None:
    """As text, sorted descending, it was normal, low, high."""
    tasks = {}
    for number, priority in enumerate([1, 2, 3, 2, 1, 3]):
        owner, unit_id, _ = world.calendar()
        tasks[world.task(owner, unit_id, priority)] = (priority, number)
    with worker(world, outside, QUEUE, APP_SYNC_PARALLEL=1):
        for task in tasks:
            world.wait_for_status(task, "completed")

    order = world.rows("SELECT task_id FROM sync_queue ORDER BY started_at")
    assert [tasks[task] for (task,) in order] == [(3, 2), (3, 5), (2, 1), (2, 3), (1, 0), (1, 4)]


@pytest.mark.covers("B-125")
def test_a_worker_has_three_tasks_at_a_time(world: SyncWorld) -> None:
    with platform() as outside:
        tasks = [world.task(owner, unit) for owner, unit, _ in held(world, "three", 5)]
        with worker(world, outside, QUEUE):
            outside.wait_until_held("three", 3)
            assert len(processing(world)) == 3
            outside.release("three")
            for task in tasks:
                world.wait_for_status(task, "completed")

        assert outside.counts()["busy_max"] == 3


@pytest.mark.covers("B-130")
def test_after_a_task_a_worker_waits_a_second(world: SyncWorld, outside: Platform) -> None:
    tasks = [world.task(owner, unit) for owner, unit, _ in held(world, "none", 3, path="")]
    with worker(world, outside, QUEUE, APP_SYNC_PARALLEL=1, APP_SYNC_PAUSE_S=""):
        for task in tasks:
            world.wait_for_status(task, "completed")

    starts = [at for (at,) in world.rows("SELECT started_at FROM sync_queue ORDER BY started_at")]
    ends = [at for (at,) in world.rows("SELECT completed_at FROM sync_queue ORDER BY 1")]
    for end, start in zip(ends, starts[1:], strict=False):
        assert (start - end).total_seconds() >= 0.95


@pytest.mark.covers("B-122", "B-134", "X-48")
def test_two_hundred_tasks_of_four_workers_are_each_done_once(
    world: SyncWorld, outside: Platform
) -> None:
    units = [world.calendar() for _ in range(200)]
    tasks = [world.task(owner, unit_id) for owner, unit_id, _ in units]
    with ExitStack() as several:
        for _ in range(4):
            several.enter_context(worker(world, outside, QUEUE))
        for task in tasks:
            world.wait_for_status(task, "completed")

    assert {outside.asked(address) for *_, address in units} == {1}
    assert world.rows(
        "SELECT count(*), count(DISTINCT task_id), count(*) FILTER (WHERE status = 'success')"
        " FROM sync_logs"
    ) == [(200, 200, 200)]
    assert world.rows("SELECT DISTINCT retries FROM sync_queue") == [(0,)]
    for _, unit_id, _ in units:
        (log,) = world.logs(unit_id)
        assert len(world.stays(unit_id)) == log[1]


@pytest.mark.covers("B-135", "X-48")
def test_a_gite_waits_or_is_worked_on_only_once(world: SyncWorld, outside: Platform) -> None:
    owner, unit_id, _ = world.calendar(path="hold/once/")
    task = world.task(owner, unit_id)
    with pytest.raises(psycopg.errors.UniqueViolation):
        world.task(owner, unit_id)
    with worker(world, outside, QUEUE):
        outside.wait_until_held("once")
        with pytest.raises(psycopg.errors.UniqueViolation):
            world.task(owner, unit_id)
        outside.release("once")
        world.wait_for_status(task, "completed")
    world.task(owner, unit_id)


def test_a_gite_without_an_address_is_nothing_to_do(world: SyncWorld, outside: Platform) -> None:
    owner, unit_id, _ = world.calendar()
    world.run("UPDATE gites SET ical_url = NULL")
    with worker(world, outside, QUEUE):
        world.wait_for_status(world.task(owner, unit_id), "completed")

    assert world.logs(unit_id) == []
    assert world.rows("SELECT last_synced_at FROM gites") == [(None,)]


@pytest.mark.covers("B-135", "J-12")
@pytest.mark.parametrize(
    "repetitions", [3, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_a_worker_killed_in_mid_task_loses_nothing_and_doubles_nothing(
    world: SyncWorld, outside: Platform, repetitions: int
) -> None:
    """The platform holds its answers, the worker is killed, another one does the tasks."""
    for repetition in range(repetitions):
        name = f"kill-{world.admin_url[-8:]}-{repetition}"
        units = held(world, name, 4)
        tasks = [world.task(owner, unit_id) for owner, unit_id, _ in units]
        with worker(world, outside, QUEUE, APP_SYNC_LEASE_S=1) as killed:
            outside.wait_until_held(name, 3)
            killed.kill()
        assert len(processing(world)) == 3
        outside.release(name)
        with worker(world, outside, QUEUE, APP_SYNC_LEASE_S=1):
            rows = [world.wait_for_status(task, "completed") for task in tasks]

        assert sorted(row["retries"] for row in rows) == [0, 1, 1, 1]
        for _owner, unit_id, _ in units:
            *lost, success = world.logs(unit_id)
            assert [log[0] for log in lost] in ([], ["failed"])
            assert success[:2] == ("success", len(world.stays(unit_id)))
            assert success[1] > 0
            assert world.rows(
                "SELECT count(*) - count(DISTINCT ical_uid) FROM reservations WHERE gite_id = %s",
                unit_id,
            ) == [(0,)]
    assert outside.strangers() == {}


@pytest.mark.covers("B-135")
def test_a_worker_killed_while_it_writes_leaves_all_of_it_or_nothing(
    world: SyncWorld, outside: Platform
) -> None:
    """It waits for the gîte's lock with its task already completed in its transaction."""
    owner, unit_id, _ = world.calendar()
    with (
        worker(world, outside, QUEUE, APP_SYNC_LEASE_S=1) as killed,
        psycopg.connect(world.admin_url) as other,
    ):
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(unit_id)])
        task = world.task(owner, unit_id)
        world.wait_for_lock("apply_feed")
        killed.kill()
        other.rollback()
        wait_for(
            lambda: (
                not world.rows(
                    "SELECT FROM pg_stat_activity WHERE application_name LIKE '%%sync worker'"
                    " AND datname = current_database()"
                )
            ),
            "the killed worker's transaction does not end",
        )
    row = world.task_row(task)
    stays = world.stays(unit_id)
    if row["status"] == "completed":
        assert [log[:2] for log in world.logs(unit_id)] == [("success", len(stays))]
        assert stays
    else:
        assert (row["status"], stays, world.logs(unit_id)) == ("processing", [], [])
    with worker(world, outside, QUEUE, APP_SYNC_LEASE_S=1):
        world.wait_for_status(task, "completed")
    assert world.logs(unit_id)[-1][:2] == ("success", len(world.stays(unit_id)))


@pytest.mark.covers("B-135")
def test_a_worker_that_was_thought_dead_changes_nothing_when_it_comes_back(
    world: SyncWorld, outside: Platform
) -> None:
    """It stood still for longer than its lease; by then the task was another's."""
    owner, unit_id, _ = world.calendar(path="hold/still/")
    with worker(world, outside, QUEUE, APP_SYNC_LEASE_S=1) as stopped:
        task = world.task(owner, unit_id)
        outside.wait_until_held("still")
        stopped.popen.send_signal(signal.SIGSTOP)
        with worker(world, outside, QUEUE, APP_SYNC_LEASE_S=1):
            outside.wait_until_held("still", 2)
            outside.release("still")
            world.wait_for_status(task, "completed")
        stays, logs = world.stays(unit_id), world.logs(unit_id)
        stopped.popen.send_signal(signal.SIGCONT)
        stopped.wait_until_it_says("was taken from us")

        assert (world.stays(unit_id), world.logs(unit_id)) == (stays, logs)
        assert [log[0] for log in logs] == ["failed", "success"]
        assert stopped.end() == 0


def test_a_task_longer_than_its_lease_stays_with_a_worker_that_lives(
    world: SyncWorld, outside: Platform
) -> None:
    owner, unit_id, address = world.calendar(path="hold/long/")
    with worker(world, outside, QUEUE, APP_SYNC_LEASE_S=3):
        task = world.task(owner, unit_id)
        outside.wait_until_held("long")
        first = world.task_row(task)["lease_until"]
        with worker(world, outside, QUEUE, APP_SYNC_LEASE_S=3):
            wait_for(
                lambda: (world.task_row(task)["lease_until"] - first).total_seconds() > 3.5,
                "the lease is not renewed",
            )
            outside.release("long")
            done = world.wait_for_status(task, "completed")

    assert done["retries"] == 0
    assert outside.asked(address) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_end_gives_back_what_it_fetches(
    world: SyncWorld, outside: Platform, number: int
) -> None:
    owner, unit_id, _ = world.calendar(path=f"hold/end-{number}/")
    with worker(world, outside, QUEUE) as running:
        task = world.task(owner, unit_id)
        outside.wait_until_held(f"end-{number}")
        assert running.end(number) == 0

    row = world.task_row(task)
    assert (row["status"], row["retries"], row["worker"]) == ("pending", 0, None)
    assert world.logs(unit_id) == []


def test_a_worker_waits_for_its_database_and_goes_on(world: SyncWorld, outside: Platform) -> None:
    owner, unit_id, _ = world.calendar()
    name = world.rows("SELECT current_database()")[0][0]
    with worker(world, outside, QUEUE) as running, maintenance(world) as server:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            " AND application_name LIKE '%%sync worker'",
            [name],
        )
        running.wait_until_it_says("database unavailable")
        task = world.task(owner, unit_id)
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
        world.wait_for_status(task, "completed")
        running.wait_until_it_says("sync worker ready", times=2)


def test_a_worker_with_a_wrong_environment_says_all_that_is_wrong() -> None:
    env = {
        "APP_VARIANT": '{"sync": "sometimes"}',
        "APP_CALENDAR_HOSTS": "ok.example, http://not.a.host/",
        "APP_OUTBOUND_PROXY": "nonsense",
        "APP_SYNC_LEASE_S": "0",
    }
    with process("reference_app.sync.worker", env=env) as running:
        assert running.popen.wait(40) == 2
        for name in ("APP_DATABASE_URL", *env):
            assert name in running.said()


def held(
    world: SyncWorld, name: str, count: int, path: str | None = None
) -> list[tuple[Principal, UUID, str]]:
    """Gîtes of different owners whose platform holds its answer until it is let go."""
    return [world.calendar(path=f"hold/{name}/" if path is None else path) for _ in range(count)]


def processing(world: SyncWorld) -> list[tuple[Any, ...]]:
    return world.rows("SELECT task_id FROM sync_queue WHERE status = 'processing'")


@contextmanager
def maintenance(world: SyncWorld) -> Iterator[psycopg.Connection[Any]]:
    """The same server, from another database."""
    url = make_conninfo(world.admin_url, dbname="postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
