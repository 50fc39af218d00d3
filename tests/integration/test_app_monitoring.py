"""Checks, alerts and readiness, over outages of a real database."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from app_support import Site, app_login, migrate_both, site, site_on, worker_login
from sync_support import Process, process, wait_for

from reference_app.monitoring.__main__ import EVERY_S, READY, main
from reference_app.variant import Variant

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from alert_receiver import Receiver, alert_receiver
from own_server import own_server

pytestmark = pytest.mark.db

VARIANT = Variant(indexes="full", row_security="wrapped", pagination="keyset")
SECRET = "the root key of all webhooks in tests"
OUTAGE = "database-down"


@pytest.fixture(scope="module")
def office(fresh_database: Any) -> Iterator[Site]:
    with fresh_database() as url, site(url, VARIANT) as up:
        yield up


@pytest.fixture(scope="module")
def worker_url(office: Site) -> str:
    return worker_login(office.world.admin_url)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with alert_receiver(SECRET) as listening:
        yield listening


@pytest.fixture(autouse=True)
def nothing_seen_yet(request: pytest.FixtureRequest) -> None:
    if "office" in request.fixturenames:
        office: Site = request.getfixturevalue("office")
        office.world.run("TRUNCATE alerts, health_checks, automation_retries")


def monitoring(
    worker_url: str, receiver: Receiver, *arguments: str
) -> AbstractContextManager[Process]:
    env = {
        "APP_DATABASE_URL": worker_url,
        "APP_ALERT_WEBHOOK_URL": receiver.url,
        "WEBHOOK_SECRET": SECRET,
        "APP_WEBHOOK_BACKOFF_S": "0.05,0.05",
    }
    return process("reference_app.monitoring", *arguments, env=env)


def look_once(worker_url: str, receiver: Receiver) -> int:
    with monitoring(worker_url, receiver, "--once") as one:
        return one.popen.wait(60)


def give_up(office: Site) -> None:
    """A subscription that needs a person: the figure automation_given_up."""
    office.world.run(
        "INSERT INTO automation_retries (subscription_id, period, action, attempts, error)"
        " SELECT id, 1, 'renew', 3, 'no answer' FROM subscriptions WHERE school_group_id = %s",
        office.world.group("pro").tenant_id,
    )


# outages ------------------------------------------------------------------------------------


@pytest.mark.covers("B-59", "B-61")
def test_a_stopped_database_is_told_once_and_so_is_its_return(receiver: Receiver) -> None:
    """Readiness says no meanwhile and yes afterwards, without anybody's help."""
    with own_server() as server:
        migrate_both(server.url, VARIANT)
        app_url, worker_url = app_login(server.url), worker_login(server.url)
        with (
            site_on(server.url, app_url, VARIANT, pool_size=2, pool_timeout_s=0.3) as up,
            monitoring(worker_url, receiver, "--every", "0.1") as watching,
        ):
            boss = up.world.super_admin()
            watching.wait_until_it_says(READY)
            wait_for(lambda: up.world.rows("SELECT FROM health_checks"), "nobody looks")
            ready = up.call("GET", "/health/ready").status_code
            healthy = up.call("GET", "/api/health", boss).json()

            server.stop()
            wait_for(lambda: receiver.types(OUTAGE), "the outage is not told")
            away = [up.call("GET", path).status_code for path in ("/health/ready", "/health/live")]
            ill = up.call("GET", "/api/health", boss)

            server.start()
            wait_for(lambda: len(receiver.types(OUTAGE)) == 2, "the return is not told")
            wait_for(
                lambda: up.call("GET", "/health/ready").status_code == 200, "it is not ready again"
            )
            assert watching.end() == 0
        with psycopg.connect(server.url) as after:
            alerts = after.execute(
                "SELECT rule, closed_at > opened_at, told_at IS NOT NULL, end_told_at IS NOT NULL,"
                " attempts FROM alerts"
            ).fetchall()
            seen = after.execute("SELECT DISTINCT status FROM health_checks").fetchall()

    assert (ready, away) == (200, [503, 200])
    assert healthy["status"] == "ok"
    assert (ill.status_code, ill.json()["status"]) == (200, "down")
    assert ill.json()["components"][0]["figures"] == {"database_up": 0.0}
    assert receiver.types(OUTAGE) == ["alert.opened", "alert.closed"]
    assert receiver.forged == 0
    assert alerts == [(OUTAGE, True, True, True, 2)]
    # what was seen during the outage was written down after it
    assert set(seen) == {("ok",), ("down",)}


def test_a_process_that_starts_in_an_outage_tells_of_it(receiver: Receiver) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"

    assert look_once(nowhere, receiver) == 5
    assert receiver.types(OUTAGE) == ["alert.opened"]


# alerts -------------------------------------------------------------------------------------


@pytest.mark.covers("B-60")
def test_an_alert_opens_once_and_closes_once_however_many_look(
    office: Site, worker_url: str, receiver: Receiver
) -> None:
    """Killed between telling and writing it down, the next one tells again, under the same name."""
    rule = "automation-gave-up"
    give_up(office)
    with (
        monitoring(worker_url, receiver, "--every", "0.05") as one,
        monitoring(worker_url, receiver, "--every", "0.05") as other,
    ):
        wait_for(lambda: receiver.types(rule), "nobody is told")
        one.kill()
        office.world.run("TRUNCATE automation_retries")
        wait_for(lambda: "alert.closed" in receiver.types(rule), "its end is not told")
        assert other.end() == 0

    ((alert,),) = office.world.rows("SELECT id FROM alerts")
    told = list(dict.fromkeys(receiver.deliveries))
    assert told == [f"{alert}.alert.opened", f"{alert}.alert.closed"]
    assert office.world.rows("SELECT rule, closed_at IS NOT NULL FROM alerts") == [(rule, True)]
    opened = receiver.accepted[0]
    assert opened["text"] == (
        "[critical] OPEN: A subscription needs a person (automation_given_up > 0, was 1)"
    )
    assert opened["id"] == receiver.deliveries[0]


def test_what_nobody_accepted_is_told_at_the_next_look(
    office: Site, worker_url: str, receiver: Receiver
) -> None:
    give_up(office)
    receiver.refuses = True
    look_once(worker_url, receiver)
    untold = office.world.rows("SELECT told_at, attempts, last_error FROM alerts")
    receiver.refuses = False
    look_once(worker_url, receiver)
    look_once(worker_url, receiver)

    assert untold == [(None, 3, "status 500")]
    assert receiver.refused == 3
    assert receiver.types("automation-gave-up") == ["alert.opened"]
    assert office.world.rows("SELECT told_at IS NOT NULL, attempts, last_error FROM alerts") == [
        (True, 4, None)
    ]


def test_a_rule_is_changed_over_http_and_holds_from_the_next_look_on(
    office: Site, worker_url: str, receiver: Receiver
) -> None:
    boss, rule = office.world.super_admin(), "automation-gave-up"
    path = f"/api/alert-rules/{rule}"
    give_up(office)
    changed = office.call("PATCH", path, boss, json={"threshold": 1})
    look_once(worker_url, receiver)
    quiet = list(receiver.accepted)

    office.call("PATCH", path, boss, json={"threshold": 0})
    look_once(worker_url, receiver)
    shown = office.call("GET", "/api/alerts?is_open=true", office.world.support()).json()["items"]
    office.call("PATCH", path, boss, json={"is_enabled": False})
    look_once(worker_url, receiver)
    closed = office.call("GET", f"/api/alerts?rule={rule}", boss).json()["items"]
    office.call("PATCH", path, boss, json={"is_enabled": True})

    assert (changed.status_code, changed.json()["threshold"]) == (200, 1)
    assert quiet == []
    assert [(each["rule"], each["severity"], each["value"]) for each in shown] == [
        (rule, "critical", 1)
    ]
    assert receiver.types(rule) == ["alert.opened", "alert.closed"]
    assert [each["closed_at"] is not None for each in closed] == [True]


def test_only_who_runs_the_service_sees_its_state_and_only_super_administrators_set_rules(
    office: Site,
) -> None:
    world = office.world
    people = [world.owner(), world.group("pro"), world.support(), world.super_admin()]

    def statuses(method: str, path: str, **options: Any) -> list[int]:
        return [office.call(method, path, who, **options).status_code for who in people]

    for path in ("/api/health", "/api/alerts", "/api/alert-rules"):
        assert statuses("GET", path) == [403, 403, 200, 200]
    body = {"json": {"for_s": 0}}
    assert statuses("PATCH", "/api/alert-rules/bulk-waits", **body) == [403, 403, 403, 200]
    assert office.call("PATCH", "/api/alert-rules/none", people[3], **body).status_code == 404
    assert office.call("GET", "/api/health").status_code == 401


def test_health_shows_what_waits_and_who_works(
    office: Site, worker_url: str, receiver: Receiver
) -> None:
    admin, boss = office.world.group("pro"), office.world.super_admin()
    office.call(
        "POST", "/api/bulk/schools", admin, json={"items": [{"name": "École", "city": "Dole"}]}
    )
    before = time.time()
    with monitoring(worker_url, receiver) as running:
        wait_for(lambda: office.world.rows("SELECT FROM health_checks"), "nobody looks")
        shown = office.call("GET", "/api/health", boss).json()
        assert running.end() == 0

    parts = {each["name"]: each for each in shown["components"]}
    workers = {each["name"]: each for each in shown["workers"]}
    assert set(parts) == {"database", "queues", "business"}
    assert parts["queues"]["figures"]["bulk_waiting"] >= 1
    assert parts["database"]["figures"]["database_size_mb"] > 1
    assert parts["business"]["figures"]["subscriptions"] >= 1
    assert workers["monitoring"]["last_seen"] is not None
    assert workers["automation"] == {"name": "automation", "connections": 0, "last_seen": None}
    ((at, status, figures),) = office.world.rows(
        "SELECT extract(epoch FROM at)::float8, status, components -> 'figures' FROM health_checks"
    )
    assert at >= before - 1
    assert status == "ok"
    assert figures["bulk_waiting"] >= 1


def test_parts_that_do_not_answer_are_named_and_do_not_spoil_the_others(
    office: Site, worker_url: str
) -> None:
    """Nobody is told yet: an application may be away for five minutes (T-99)."""
    env = {
        "APP_DATABASE_URL": worker_url,
        "APP_REPLICA_URL": worker_url,
        "APP_REDIS_URL": "redis://127.0.0.1:1/0",
        "APP_MONITORED_URL": "http://127.0.0.1:1",
    }
    with process("reference_app.monitoring", "--once", env=env) as one:
        assert one.popen.wait(60) == 0

    ((status, found),) = office.world.rows("SELECT status, components FROM health_checks")
    parts = {each["name"]: each for each in found["components"]}
    assert status == "degraded"
    assert {name: part["status"] for name, part in parts.items()} == {
        "database": "ok",
        "queues": "ok",
        "business": "ok",
        "replica": "ok",
        "redis": "down",
        "application": "down",
    }
    assert parts["application"]["detail"].startswith("ConnectError")
    assert {found["figures"][name] for name in ("redis_up", "application_up")} == {0}
    assert found["figures"]["replica_lag_s"] == 0
    assert office.world.rows("SELECT rule FROM alerts") == []


@pytest.mark.covers("T-23")
def test_the_service_is_looked_at_every_five_minutes() -> None:
    assert EVERY_S == 300


@pytest.mark.covers("B-211")
def test_monitoring_that_is_switched_off_looks_at_nothing_and_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MONITORING_ENABLED", "false")
    monkeypatch.setenv("APP_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")

    assert main([]) == 0
