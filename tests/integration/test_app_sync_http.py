"""Synchronisation over HTTP: asking for it in each variant, following it, and the proxy."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from app_support import Site, app_login, migrate_both, site, site_on, worker_login
from sync_support import AIRBNB, Platform, Stay, SyncWorld, platform, worker

from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

DAY = date(2035, 7, 1)
QUEUE = Variant(sync="queue", pagination="offset", row_security="wrapped")


@pytest.fixture(scope="module")
def outside() -> Iterator[Platform]:
    with platform() as running:
        yield running
        assert running.strangers() == {}


@pytest.fixture(scope="module")
def up(fresh_database: Any, outside: Platform) -> Iterator[Site]:
    with fresh_database() as url, site(url, QUEUE, calendars=outside.calendars) as running:
        yield running


@pytest.fixture(scope="module")
def world(up: Site) -> SyncWorld:
    return SyncWorld(up.world.admin_url, up.world.connection, worker_login(up.world.admin_url))


def proxied(up: Site, owner: Principal | None, address: str) -> Any:
    return up.call("GET", "/api/calendar", owner, params={"url": address})


@pytest.mark.covers("B-142", "B-143", "F-25", "X-45")
def test_the_same_feed_within_half_an_hour_is_fetched_once_for_everyone(
    up: Site, outside: Platform
) -> None:
    address = f"http://{AIRBNB}/shared.ics"
    one, other = up.world.owner(), up.world.owner()

    first = proxied(up, one, address)
    second = proxied(up, other, address)

    for answer in (first, second):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert answer.headers["Cache-Control"] == "public, max-age=1800"
    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("miss", "hit")
    assert first.content == second.content
    assert first.content.startswith(b"BEGIN:VCALENDAR")
    assert outside.asked(address) == 1


@pytest.mark.covers("B-143", "X-45")
def test_after_half_an_hour_it_is_fetched_again(up: Site, outside: Platform) -> None:
    address = f"http://{AIRBNB}/aging.ics"
    owner = up.world.owner()
    proxied(up, owner, address)
    age = "UPDATE calendar_cache SET fetched_at = now() - %s * interval '1 second'"

    up.world.run(age, 1_790)
    kept = proxied(up, owner, address)
    assert (kept.headers["X-Cache"], outside.asked(address)) == ("hit", 1)
    assert 1_790 <= int(kept.headers["Age"]) <= 1_800
    up.world.run(age, 1_801)
    assert proxied(up, owner, address).headers["X-Cache"] == "miss"
    assert outside.asked(address) == 2


def test_what_is_kept_is_bounded_and_does_not_say_whose_it_is(up: Site) -> None:
    owner = up.world.owner()
    for number in range(12):
        proxied(up, owner, f"http://{AIRBNB}/old-{number}.ics")
    up.world.run("UPDATE calendar_cache SET fetched_at = now() - interval '1 hour'")
    for number in range(4):
        proxied(up, owner, f"http://{AIRBNB}/new-{number}.ics")

    addresses = [address for (address,) in up.world.rows("SELECT address FROM calendar_cache")]
    assert len(addresses) == 4
    assert not any("airbnb" in address for address in addresses)


def test_of_many_requests_at_once_one_fetches(up: Site, outside: Platform) -> None:
    address = f"http://{AIRBNB}/slow/200/crowd.ics"
    owners = [up.world.owner() for _ in range(20)]

    answers = up.app.together(
        [("GET", "/api/calendar", owner, {"params": {"url": address}}) for owner in owners]
    )

    assert {answer.status_code for answer in answers} == {200}
    assert outside.asked(address) == 1


@pytest.mark.covers("B-142", "B-144", "F-25")
def test_without_an_address_400_and_for_another_host_403(up: Site, outside: Platform) -> None:
    owner = up.world.owner()

    assert up.call("GET", "/api/calendar", owner).status_code == 400
    assert proxied(up, owner, "").status_code == 400
    for address in ("http://elsewhere.example/1.ics", "file:///etc/passwd", "nonsense"):
        answer = proxied(up, owner, address)
        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/calendar-not-allowed"
    hop = proxied(up, owner, f"http://{AIRBNB}/redirect/metadata/1.ics")
    assert hop.status_code == 403


@pytest.mark.covers("B-144")
def test_the_proxy_is_for_owners_who_have_signed_in(up: Site) -> None:
    address = f"http://{AIRBNB}/1.ics"
    assert proxied(up, None, address).status_code == 401
    assert proxied(up, up.world.group(), address).status_code == 403


@pytest.mark.parametrize("path", ["status/500", "malformed/html", "half", "empty"])
def test_only_a_calendar_is_passed_on_and_kept(up: Site, outside: Platform, path: str) -> None:
    owner = up.world.owner()
    address = f"http://{AIRBNB}/{path}/1.ics"

    answers = [proxied(up, owner, address).status_code for _ in range(2)]

    assert answers == ([200] * 2 if path == "empty" else [502] * 2)
    assert outside.asked(address) == (1 if path == "empty" else 2)


@pytest.mark.covers("B-124", "B-135")
def test_with_a_queue_a_request_is_a_task_and_asking_again_is_the_same_task(
    up: Site, world: SyncWorld, outside: Platform
) -> None:
    owner, unit_id, address = world.calendar()
    path = f"/api/units/{unit_id}/sync"

    answers = up.app.together([("POST", path, owner, {}) for _ in range(16)])

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["task_id"] for answer in answers}) == 1
    assert answers[0].json()["priority"] == 3
    with worker(world, outside, QUEUE):
        world.wait_for_status(uuid.UUID(answers[0].json()["task_id"]), "completed")
    assert outside.asked(address) == 1
    again = up.call("POST", path, owner).json()
    assert again["task_id"] != answers[0].json()["task_id"]


@pytest.mark.covers("B-134", "B-135", "X-48")
@pytest.mark.parametrize(
    "repetitions", [3, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_sixty_four_requests_at_once_and_two_workers_do_each_task_once(
    up: Site, world: SyncWorld, outside: Platform, repetitions: int
) -> None:
    """Tasks are asked for while the ones before them end: none is lost, none is done twice."""
    units = [world.calendar() for _ in range(8)]
    ids = [unit_id for _, unit_id, _ in units]
    told: set[str] = set()
    with worker(world, outside, QUEUE), worker(world, outside, QUEUE):
        for _ in range(repetitions):
            answers = up.app.together(
                [("POST", f"/api/units/{unit}/sync", owner, {}) for owner, unit, _ in units * 8]
            )
            assert {answer.status_code for answer in answers} == {202}
            told |= {answer.json()["task_id"] for answer in answers}
        for task in told:
            world.wait_for_status(uuid.UUID(task), "completed")

    tasks = "SELECT task_id::text FROM sync_queue WHERE gite_id = ANY(%s)"
    assert {task for (task,) in world.rows(tasks, ids)} == told
    runs = "SELECT task_id::text, status FROM sync_logs WHERE gite_id = ANY(%s)"
    assert sorted(world.rows(runs, ids)) == sorted((task, "success") for task in told)
    assert sum(outside.asked(address) for *_, address in units) == len(told)


@pytest.mark.covers("B-138")
def test_asking_for_a_gite_that_waits_for_its_slot_brings_it_forward(
    up: Site, world: SyncWorld
) -> None:
    owner, unit_id, _ = world.calendar()
    task = world.task(owner, unit_id)
    world.run("UPDATE sync_queue SET available_at = now() + interval '90 minutes'")

    asked = up.call("POST", f"/api/units/{unit_id}/sync", owner).json()

    assert asked["task_id"] == str(task)
    due = "SELECT available_at <= now() FROM sync_queue WHERE task_id = %s"
    assert world.rows(due, task) == [(True,)]


def test_a_task_that_failed_keeps_its_delay_whoever_asks(up: Site, world: SyncWorld) -> None:
    owner, unit_id, _ = world.calendar()
    world.task(owner, unit_id)
    world.run(
        "UPDATE sync_queue SET retries = 1, available_at = now() + interval '4 s'"
        " WHERE gite_id = %s RETURNING available_at",
        unit_id,
    )
    before = world.rows("SELECT available_at FROM sync_queue WHERE gite_id = %s", unit_id)

    up.call("POST", f"/api/units/{unit_id}/sync", owner)

    assert world.rows("SELECT available_at FROM sync_queue WHERE gite_id = %s", unit_id) == before


def test_without_a_calendar_409_and_somebody_elses_gite_404(up: Site, world: SyncWorld) -> None:
    owner, unit_id, _ = world.calendar()
    bare = world.unit(owner)

    def status(unit: uuid.UUID, who: Principal) -> int:
        return up.call("POST", f"/api/units/{unit}/sync", who).status_code

    assert status(bare, owner) == 409
    assert status(unit_id, world.owner()) == 404
    assert status(uuid.uuid4(), owner) == 404
    assert world.rows("SELECT count(*) FROM sync_queue WHERE gite_id = %s", bare) == [(0,)]


@pytest.mark.covers("B-131", "F-23")
def test_an_owner_follows_tasks_and_runs_and_nobody_elses(
    up: Site, world: SyncWorld, outside: Platform
) -> None:
    owner, unit_id, _ = world.calendar(path="status/500/")
    _, other_unit, _ = world.calendar(owner)
    stranger = world.owner()
    for unit in (unit_id, other_unit):
        up.call("POST", f"/api/units/{unit}/sync", owner)
    with worker(world, outside, QUEUE):
        for (task,) in world.rows(
            "SELECT task_id FROM sync_queue WHERE user_id = %s", owner.user_id
        ):
            world.wait_for_status(task, "failed" if _of(world, task) == unit_id else "completed")

    def listed(path: str, who: Principal, **query: str) -> list[dict[str, Any]]:
        answer = up.call("GET", f"/api/sync/{path}", who, params=query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    (failed,) = listed("tasks", owner, status="failed")
    assert failed["gite_id"] == str(unit_id)
    assert (failed["retries"], failed["error_message"]) == (3, "the platform answered 500")
    assert failed["failed_at"] is not None
    assert len(listed("tasks", owner)) == 2
    logs = listed("logs", owner)
    assert [log["synced_at"] for log in logs] == sorted(
        (log["synced_at"] for log in logs), reverse=True
    )
    assert [log["error"] for log in listed("logs", owner, gite_id=str(unit_id))] == [
        "the platform answered 500"
    ] * 4
    assert len(listed("logs", owner, status="success")) == 1
    assert listed("tasks", stranger) == listed("logs", stranger) == []


def _of(world: SyncWorld, task: uuid.UUID) -> Any:
    return world.task_row(task)["gite_id"]


@pytest.mark.covers("B-137", "B-141", "F-13")
def test_owners_see_their_own_slot_and_a_run_ahead(up: Site) -> None:
    slots = [up.call("GET", "/api/sync/slot", up.world.owner()).json() for _ in range(12)]

    assert len({slot["slot"] for slot in slots}) > 1
    for slot in slots:
        assert 0 <= slot["slot"] < slot["slots"] == 120
        ahead_s = _epoch(slot["next_run"]) - time.time()
        assert -5 < ahead_s <= 7_200


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize("security", ["off", "naive", "indexed", "wrapped"])
@pytest.mark.parametrize("cache", ["none", "memory"])
def test_a_sync_works_in_every_variant_and_the_next_answer_shows_it(
    database: str, outside: Platform, security: Any, cache: Any
) -> None:
    """A kept list is not shown again once the worker has committed (B-150)."""
    variant = Variant(sync="queue", row_security=security, cache=cache)
    migrate_both(database, variant)
    with site_on(database, app_login(database), variant, calendars=outside.calendars) as up:
        world = SyncWorld(database, up.world.connection, worker_login(database))
        owner, unit_id, address = world.calendar()
        outside.set_feed(address, Stay("1@x", DAY, date(2035, 7, 8)))
        assert up.call("GET", "/api/reservations", owner).json()["total"] == 0
        with worker(world, outside, variant):
            task = up.call("POST", f"/api/units/{unit_id}/sync", owner).json()["task_id"]
            world.wait_for_status(uuid.UUID(task), "completed")
            found = up.call("GET", "/api/reservations", owner).json()["items"]

    assert [row["date_debut"] for row in found] == [str(DAY)]
