"""Bulk operations: through the queue with real workers, over kills, limits and crowds."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from app_support import Site, app_login, migrate_both, site_on, worker_login
from sync_support import Process, process, wait_for

from reference_app.bulk.queries import WAITING_MAX
from reference_app.bulk.queue import RUNS_MAX
from reference_app.bulk.worker import NAME, READY
from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

VARIANT = Variant(indexes="full", row_security="wrapped", pagination="keyset")


class Campus:
    """An application and the login of its workers."""

    def __init__(self, site: Site, worker_url: str) -> None:
        self.site = site
        self.world = site.world
        self.worker_url = worker_url

    def worker(self, **settings: str) -> AbstractContextManager[Process]:
        """A worker process, running until the block ends."""
        env = {"APP_DATABASE_URL": self.worker_url, **settings}
        return process("reference_app.bulk.worker", env=env)

    def ask(self, who: Principal, what: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.site.call("POST", f"/api/bulk/{what}", who, json=body)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def look(self, who: Principal, operation: dict[str, Any]) -> dict[str, Any]:
        return dict(self.site.call("GET", f"/api/bulk/{operation['id']}", who).json())

    def end_of(self, who: Principal, operation: dict[str, Any]) -> dict[str, Any]:
        """Wait until it is through."""

        def through() -> dict[str, Any] | None:
            seen = self.look(who, operation)
            return seen if seen["status"] in ("completed", "failed") else None

        return wait_for(through, f"{operation['id']} is not through")

    def wait_until_no_worker_is_connected(self) -> None:
        """A killed worker's last statement may still be running in the server."""
        wait_for(
            lambda: (
                self.world.rows(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = %s",
                    NAME,
                )
                == [(0,)]
            ),
            "a worker is still connected",
        )

    def count(self, table: str, group: Principal) -> int:
        ((found,),) = self.world.rows(
            f"SELECT count(*) FROM {table} WHERE school_group_id = %s", group.tenant_id
        )
        return int(found)


@pytest.fixture(scope="module")
def campus(fresh_database: Any) -> Iterator[Campus]:
    with fresh_database() as url:
        migrate_both(url, VARIANT)
        worker_url = worker_login(url)
        with site_on(url, app_login(url), VARIANT) as up:
            yield Campus(up, worker_url)


def students(school: uuid.UUID, number: int) -> dict[str, Any]:
    return {"items": [{"school_id": str(school), "name": f"Élève {n}"} for n in range(number)]}


@pytest.mark.covers("B-38", "B-20", "T-04")
def test_five_hundred_students_are_enrolled_in_one_operation(campus: Campus) -> None:
    admin = campus.world.group("pro")
    school = campus.world.school(admin)

    asked = campus.ask(admin, "students", students(school, 500))
    assert (asked["status"], asked["total"], asked["done"]) == ("pending", 500, 0)
    with campus.worker():
        ended = campus.end_of(admin, asked)

    assert ended["status"] == "completed"
    assert (ended["done"], ended["failed"], ended["failures"]) == (500, 0, [])
    assert campus.count("students", admin) == 500
    named = campus.world.rows(
        "SELECT count(DISTINCT name) FROM students WHERE school_group_id = %s", admin.tenant_id
    )
    assert named == [(500,)]
    listed = campus.site.call("GET", "/api/bulk", admin).json()["items"]
    assert listed == [ended]


def test_a_plan_that_serves_every_kind_may_read_what_it_needs(campus: Campus) -> None:
    """The server takes one after some executions, when that is cheaper; here at every one."""
    admin = campus.world.group("pro")
    school = campus.world.school(admin)
    ((name,),) = campus.world.rows("SELECT current_database()")
    campus.world.run(f'ALTER DATABASE "{name}" SET plan_cache_mode = force_generic_plan')
    try:
        with campus.worker():
            ended = campus.end_of(admin, campus.ask(admin, "students", students(school, 3)))
    finally:
        campus.world.run(f'ALTER DATABASE "{name}" RESET plan_cache_mode')

    assert (ended["status"], ended["error"], ended["done"]) == ("completed", None, 3)


@pytest.mark.covers("B-36", "B-38")
def test_as_many_get_in_as_there_is_room_for_and_the_others_are_named(campus: Campus) -> None:
    admin, other = campus.world.group("free"), campus.world.group("free")
    school, foreign = campus.world.school(admin), campus.world.school(other)
    body = students(school, 110)
    body["items"][3]["school_id"] = str(foreign)
    body["items"][7]["school_id"] = str(uuid.uuid4())

    with campus.worker():
        ended = campus.end_of(admin, campus.ask(admin, "students", body))

    assert (ended["status"], ended["done"], ended["failed"]) == ("completed", 100, 10)
    assert [(f["index"], f["problem"]) for f in ended["failures"]] == [
        (3, "not-found"),
        (7, "not-found"),
        *((index, "limit-reached") for index in range(102, 110)),
    ]
    assert all(failure["detail"] for failure in ended["failures"])
    assert campus.count("students", admin) == 100
    assert campus.count("students", other) == 0


def test_a_suspended_group_gets_nothing(campus: Campus) -> None:
    admin = campus.world.group("pro", status="suspended")

    with campus.worker():
        asked = campus.ask(admin, "schools", {"items": [{"name": "É", "city": "Dole"}] * 3})
        ended = campus.end_of(admin, asked)

    assert (ended["done"], ended["failed"]) == (0, 3)
    assert {failure["problem"] for failure in ended["failures"]} == {"no-running-subscription"}


def test_schools_and_staff_are_created_in_bulk_too(campus: Campus) -> None:
    admin = campus.world.group("premium")
    school = campus.world.school(admin)
    hired = [{"school_id": str(school), "name": f"P{n}", "position": "CPE"} for n in range(21)]

    with campus.worker():
        schools = campus.ask(admin, "schools", {"items": [{"name": "É", "city": "Dole"}] * 4})
        staff = campus.ask(admin, "staff", {"items": hired})
        ended = [campus.end_of(admin, asked) for asked in (schools, staff)]

    assert [(each["done"], each["failed"]) for each in ended] == [(2, 2), (20, 1)]
    assert (campus.count("schools", admin), campus.count("staff", admin)) == (3, 20)


@pytest.mark.covers("B-38", "B-21")
def test_many_groups_get_another_plan_in_one_operation(campus: Campus) -> None:
    boss = campus.world.super_admin()
    groups = [campus.world.group("pro") for _ in range(60)]
    wanted = [str(group.tenant_id) for group in groups]
    wanted.insert(5, str(uuid.uuid4()))

    with campus.worker():
        asked = campus.ask(boss, "plan", {"group_ids": wanted, "plan": "premium"})
        ended = campus.end_of(boss, asked)

    assert (ended["done"], ended["failed"]) == (60, 1)
    assert [(f["index"], f["problem"]) for f in ended["failures"]] == [(5, "not-found")]
    assert campus.world.rows(
        "SELECT p.slug, count(*) FROM subscriptions s JOIN subscription_plans p ON p.id = s.plan_id"
        " WHERE s.school_group_id = ANY (%s) GROUP BY 1",
        [group.tenant_id for group in groups],
    ) == [("premium", 60)]
    assert campus.site.call(
        "POST", "/api/bulk/plan", boss, json={"group_ids": wanted, "plan": "gold"}
    ).json()["errors"] == [
        {"field": "plan", "message": "must be one of free, premium, pro, institutional"}
    ]


@pytest.mark.covers("B-38")
def test_a_tenant_with_too_many_waiting_has_to_come_back_however_many_ask(campus: Campus) -> None:
    admin, other = campus.world.group("pro"), campus.world.group("pro")
    school = campus.world.school(admin)
    body = {"json": students(school, 1)}

    answers = campus.site.app.together([("POST", "/api/bulk/students", admin, body)] * 64)
    unhindered = campus.site.call("POST", "/api/bulk/schools", other, json={
        "items": [{"name": "É", "city": "Dole"}]
    })  # fmt: skip

    assert Counter(answer.status_code for answer in answers) == {
        202: WAITING_MAX,
        429: 64 - WAITING_MAX,
    }
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["type"] == "/problems/too-many-operations"
    assert int(refused.headers["Retry-After"]) > 0
    assert unhindered.status_code == 202
    with campus.worker():
        wait_for(lambda: campus.count("students", admin) == WAITING_MAX, "not all were enrolled")
        assert campus.ask(admin, "students", students(school, 1))


def test_nobody_sees_or_reads_somebody_elses_operations(campus: Campus) -> None:
    admin, other, boss = (
        campus.world.group("pro"), campus.world.group("pro"), campus.world.super_admin()
    )  # fmt: skip
    asked = campus.ask(admin, "schools", {"items": [{"name": "É", "city": "Dole"}]})

    for stranger in (other, boss):
        address = f"/api/bulk/{asked['id']}"
        assert campus.site.call("GET", address, stranger).status_code == 404
        assert campus.site.call("GET", "/api/bulk", stranger).json()["items"] == []
    assert campus.site.call("POST", "/api/bulk/plan", admin, json={}).status_code == 403
    assert campus.site.call("POST", "/api/bulk/schools", boss, json={}).status_code == 403


@pytest.mark.parametrize("body", [{"items": []}, {"items": [{"name": "É"}]}, {"items": 3}, {}])
def test_an_operation_that_makes_no_sense_is_refused_at_once(
    campus: Campus, body: dict[str, Any]
) -> None:
    admin = campus.world.group("pro")
    assert campus.site.call("POST", "/api/bulk/schools", admin, json=body).status_code == 400
    too_many = {"items": [{"name": "É", "city": "Dole"}] * 501}
    assert campus.site.call("POST", "/api/bulk/schools", admin, json=too_many).status_code == 400


@pytest.mark.covers("B-38")
def test_a_killed_worker_loses_nothing_and_doubles_nothing(campus: Campus) -> None:
    """Killed in the middle of an operation; the next worker goes on behind the last chunk."""
    admin = campus.world.group("institutional")
    school = campus.world.school(admin)
    asked = campus.ask(admin, "students", students(school, 500))

    with campus.worker(APP_BULK_ITEMS_PER_S="200", APP_BULK_LEASE_S="1") as first:
        wait_for(lambda: campus.look(admin, asked)["done"] >= 100, "it does not get on")
        first.kill()
    campus.wait_until_no_worker_is_connected()
    seen = campus.look(admin, asked)
    assert seen["status"] == "processing"
    assert seen["done"] == campus.count("students", admin) < 500
    with campus.worker():
        ended = campus.end_of(admin, asked)

    assert (ended["status"], ended["done"], ended["failed"]) == ("completed", 500, 0)
    assert campus.world.rows(
        "SELECT count(*), count(DISTINCT name) FROM students WHERE school_group_id = %s",
        admin.tenant_id,
    ) == [(500, 500)]


def test_a_worker_that_is_asked_to_end_gives_the_rest_back(campus: Campus) -> None:
    admin = campus.world.group("institutional")
    school = campus.world.school(admin)
    asked = campus.ask(admin, "students", students(school, 500))

    with campus.worker(APP_BULK_ITEMS_PER_S="100") as worker:
        wait_for(lambda: campus.look(admin, asked)["done"] > 0, "it does not get on")
        assert worker.end() == 0

    seen = campus.look(admin, asked)
    assert seen["status"] == "pending"
    assert 0 < seen["done"] == campus.count("students", admin) < 500
    with campus.worker():
        assert campus.end_of(admin, asked)["done"] == 500


def test_an_operation_over_which_workers_are_lost_again_and_again_ends(campus: Campus) -> None:
    admin = campus.world.group("pro")
    asked = campus.ask(admin, "schools", {"items": [{"name": "É", "city": "Dole"}]})
    campus.world.run(
        "UPDATE bulk_operations SET status = 'processing', worker = 'gone', attempts = %s,"
        " started_at = now(), lease_until = now() - interval '1 second' WHERE id = %s",
        RUNS_MAX,
        asked["id"],
    )

    with campus.worker():
        ended = campus.end_of(admin, asked)

    assert ended["status"] == "failed"
    assert ended["error"]
    assert campus.count("schools", admin) == 0


def test_a_worker_that_comes_back_late_changes_nothing(campus: Campus) -> None:
    """Its lease ran out and another went on: what it still holds to be its own is not."""
    admin = campus.world.group("pro")
    asked = campus.ask(admin, "schools", {"items": [{"name": "É", "city": "Dole"}]})
    ((begun,),) = campus.world.rows(
        "UPDATE bulk_operations SET status = 'processing', worker = 'late', started_at = now(),"
        " lease_until = now() - interval '1 second' WHERE id = %s RETURNING started_at",
        asked["id"],
    )
    with campus.worker():
        campus.end_of(admin, asked)

    with psycopg.connect(campus.worker_url) as late:
        answer = late.execute(
            "SELECT run_bulk_chunk(%s, 'late', %s, 50, 30)", [asked["id"], begun]
        ).fetchone()

    assert answer == (None,)
    assert campus.count("schools", admin) == 1


@pytest.mark.covers("B-36", "B-38")
def test_single_and_bulk_creations_together_give_exactly_the_limit(campus: Campus) -> None:
    """Two workers, 64 requests, one place after the other: 100 students and not one more."""
    admin = campus.world.group("free")
    school = campus.world.school(admin)
    with campus.worker() as one, campus.worker() as two:
        for worker in (one, two):
            worker.wait_until_it_says(READY)
        asked = [campus.ask(admin, "students", students(school, 60)) for _ in range(2)]
        single = {"json": {"school_id": str(school), "name": "Seule"}}
        answers = campus.site.app.together([("POST", "/api/students", admin, single)] * 64)
        ended = [campus.end_of(admin, each) for each in asked]

    alone = Counter(answer.status_code for answer in answers)
    assert set(alone) <= {201, 409}
    assert alone[201] + sum(each["done"] for each in ended) == 100
    assert campus.count("students", admin) == 100
    assert all(each["done"] + each["failed"] == 60 for each in ended)


@pytest.mark.covers("B-38")
def test_one_operation_of_a_tenant_runs_at_a_time(campus: Campus) -> None:
    admin = campus.world.group("institutional")
    school = campus.world.school(admin)
    with campus.worker(APP_BULK_PARALLEL="4", APP_BULK_ITEMS_PER_S="400") as worker:
        worker.wait_until_it_says(READY)
        asked = [campus.ask(admin, "students", students(school, 100)) for _ in range(4)]
        ended = [campus.end_of(admin, each) for each in asked]

    spans = sorted((each["started_at"], each["finished_at"]) for each in ended)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_a_worker_without_its_settings_says_what_is_missing(campus: Campus) -> None:
    with process("reference_app.bulk.worker", env={"APP_BULK_PARALLEL": "0"}) as worker:
        assert worker.popen.wait(30) == 2
        said = worker.said()

    assert "APP_DATABASE_URL is not set" in said
    assert "APP_BULK_PARALLEL is '0'" in said
