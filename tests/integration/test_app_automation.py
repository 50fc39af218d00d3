"""A year of subscriptions: notices, renewals, grace and suspensions, over kills and in pairs."""

from __future__ import annotations

import asyncio
import random
import time as time_of_day
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import pytest
from app_support import Site, app_login, migrate_both, site_on, worker_login
from automation_model import End, Event, Paying, Tenant, days_of, expected, tenants
from sync_support import Process, process, wait_for

from reference_app.automation.__main__ import NAME, READY
from reference_app.automation.charging import Charge, by_invoice
from reference_app.automation.passes import Passes
from reference_app.automation.rules import Charged
from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

VARIANT = Variant(indexes="full", row_security="wrapped", pagination="keyset")
GRACE_DAYS = 7
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)

Result = TypeVar("Result")


class Service:
    """A database with an application on it, and the login of its automation."""

    def __init__(self, site: Site, worker_url: str) -> None:
        self.site = site
        self.world = site.world
        self.worker_url = worker_url

    def automation(self, *arguments: str) -> AbstractContextManager[Process]:
        """The process, running until the block ends."""
        env = {"APP_DATABASE_URL": self.worker_url}
        return process("reference_app.automation", *arguments, env=env)

    def take_on(self, found: Sequence[Tenant]) -> None:
        """Groups and their subscriptions; those of earlier tests leave."""
        self.world.run("TRUNCATE school_groups, automation_runs, automation_log CASCADE")
        with self.world.connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO school_groups (id, name) VALUES (%s, %s)",
                [(group_id(each), f"Groupe {each.number}") for each in found],
            )
            cursor.executemany(
                "INSERT INTO subscriptions (id, school_group_id, plan_id, status, cycle, starts_on,"
                " ends_on, anchor_day, auto_renew)"
                " SELECT %s, %s, id, 'active', %s, %s, %s, %s, %s"
                " FROM subscription_plans WHERE slug = 'pro'",
                [
                    (
                        *(uuid.UUID(int=each.number), group_id(each), each.cycle),
                        *(each.ends_on - timedelta(days=28), each.ends_on, each.anchor),
                        each.paying != "leaves",
                    )
                    for each in found
                ],
            )

    def events(self) -> list[Event]:
        """What the automation logged as done, and the notices themselves."""
        found: list[Event] = [
            (subscription.int, period, action, None, day)
            for subscription, period, action, day in self.world.rows(
                "SELECT l.subscription_id, l.period, l.action, r.day"
                " FROM automation_log l JOIN automation_runs r ON r.id = l.run_id"
                " WHERE l.outcome = 'done' AND l.action <> 'notice'"
            )
        ]
        told: list[Event] = [
            (subscription.int, period, "notice", mark, day)
            for subscription, period, mark, day in self.world.rows(
                "SELECT subscription_id, period, days_before, (sent_at AT TIME ZONE 'UTC')::date"
                " FROM subscription_notices"
            )
        ]
        return sorted(found + told, key=str)

    def ends(self) -> dict[int, End]:
        """What the subscriptions are now."""
        return {
            subscription.int: End(period, status, ends_on)
            for subscription, period, status, ends_on in self.world.rows(
                "SELECT id, period, status, ends_on FROM subscriptions"
            )
        }

    def totals(self) -> dict[str, int]:
        """What all passes counted."""
        names = ("noticed", "renewed", "graced", "suspended", "failed")
        chosen = ", ".join(f"coalesce(sum({name}), 0)" for name in names)
        (found,) = self.world.rows(f"SELECT {chosen} FROM automation_runs")
        return dict(zip(names, map(int, found), strict=True))

    def subscription(self, admin: Principal) -> dict[str, Any]:
        return dict(self.site.call("GET", "/api/subscription", admin).json())

    def set_dates(self, admin: Principal, ends_on: date, **columns: Any) -> None:
        """Put a group's subscription into a state."""
        self.world.run(
            "UPDATE subscriptions SET starts_on = %s, ends_on = %s, cycle = 'monthly'"
            " WHERE school_group_id = %s",
            *(ends_on - timedelta(days=30), ends_on, admin.tenant_id),
        )
        for name, value in columns.items():
            self.world.run(
                f"UPDATE subscriptions SET {name} = %s WHERE school_group_id = %s",
                *(value, admin.tenant_id),
            )

    def passes(self, *days: date, charge: Charge = by_invoice, chunk: int = 50) -> None:
        """A pass on each of the days, in this process."""
        makes = Passes(charge=charge, worker="test", grace_days=GRACE_DAYS, chunk=chunk)

        async def make(connection: psycopg.AsyncConnection[Any]) -> None:
            for day in days:
                await makes.make(connection, noon(day))

        self.connected(make)

    def connected(
        self, work: Callable[[psycopg.AsyncConnection[Any]], Awaitable[Result]]
    ) -> Result:
        async def run() -> Result:
            async with await psycopg.AsyncConnection.connect(
                self.worker_url, autocommit=True
            ) as connection:
                return await work(connection)

        return asyncio.run(run())

    def wait_until_nobody_is_connected(self) -> None:
        """A killed process's last statement may still be running in the server."""
        wait_for(
            lambda: (
                self.world.rows(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = %s",
                    NAME,
                )
                == [(0,)]
            ),
            "an automation is still connected",
        )


def group_id(tenant: Tenant) -> UUID:
    return uuid.UUID(int=10_000 + tenant.number)


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


@pytest.fixture(scope="module")
def service(fresh_database: Any) -> Iterator[Service]:
    with fresh_database() as url:
        migrate_both(url, VARIANT)
        worker_url = worker_login(url)
        with site_on(url, app_login(url), VARIANT) as up:
            yield Service(up, worker_url)


def check_the_year(
    service: Service, found: Sequence[Tenant], days: Sequence[date], grace_days: int = GRACE_DAYS
) -> None:
    """Events, states and counts are those of the model."""
    wanted = [expected(tenant, days, grace_days=grace_days) for tenant in found]
    events = sorted((event for each, _ in wanted for event in each), key=str)
    assert service.events() == events
    assert service.ends() == {
        tenant.number: end for tenant, (_, end) in zip(found, wanted, strict=True)
    }
    kinds = Counter(what for _, _, what, _, _ in events)
    assert service.totals() == {
        "noticed": kinds["notice"],
        "renewed": kinds["renew"],
        "graced": kinds["grace"],
        "suspended": kinds["suspend"],
        "failed": 0,
    }


def every_way_of_paying(number: int) -> Paying:
    ways: dict[int, Paying] = {
        1: "leaves",
        2: "after 2 days",
        3: "after 5 refusals",
        4: "twice, then never",
    }
    return ways.get(number % 10, "at once")


def invoice_or_leave(number: int) -> Paying:
    return "leaves" if number % 4 == 1 else "at once"


@pytest.mark.timeout(900)
@pytest.mark.covers("B-40", "B-41", "B-42", "B-43", "B-44", "F-29", "J-11", "T-21", "T-22")
def test_a_year_over_500_groups_gives_exactly_the_expected_notices_renewals_and_suspensions(
    service: Service,
) -> None:
    """Ten days of it nobody looked; what was due and still true is made up for."""
    found = tenants(FIRST, 500, every_way_of_paying)
    service.take_on(found)
    away = set(days_of(date(2026, 7, 6), date(2026, 7, 15)))
    days = [day for day in days_of(FIRST, LAST) if day not in away]
    today = FIRST
    ends = {tenant.number: tenant.ends_on for tenant in found}

    async def charge(
        connection: psycopg.AsyncConnection[Any], subscription_id: UUID, period: int, /
    ) -> Charged:
        """The groups' banks, each in its way."""
        tenant = found[subscription_id.int]
        since = (today - ends[tenant.number]).days
        if tenant.paying == "twice, then never" and period > 3:
            return "declined"
        if tenant.paying == "after 2 days" and since < 2:
            return "pending"
        if tenant.paying == "after 5 refusals" and since < 5:
            return "declined"
        return "succeeded"

    makes = Passes(charge=charge, worker="test", grace_days=GRACE_DAYS, chunk=50)

    async def make(connection: psycopg.AsyncConnection[Any]) -> None:
        nonlocal today
        for today in days:
            cursor = await connection.execute("SELECT id, ends_on FROM subscriptions")
            ends.update({subscription.int: day for subscription, day in await cursor.fetchall()})
            await makes.make(connection, noon(today))

    service.connected(make)

    check_the_year(service, found, days)
    assert service.world.rows("SELECT DISTINCT chunks, groups FROM automation_runs") == [(10, 500)]


@pytest.mark.timeout(600)
@pytest.mark.covers("B-43", "B-44")
def test_killed_at_random_points_it_comes_to_the_same(service: Service) -> None:
    _kill_again_and_again(service, groups=120, through=date(2026, 3, 31), kills=5, at_once=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.covers("B-43", "B-44", "F-29")
def test_a_year_over_500_groups_comes_to_the_same_over_fifty_kills_of_two_processes_at_once(
    service: Service,
) -> None:
    _kill_again_and_again(service, groups=500, through=LAST, kills=50, at_once=2)


def _kill_again_and_again(
    service: Service, *, groups: int, through: date, kills: int, at_once: int
) -> None:
    """Each time somewhere else; the next begins with the day the last one had come to."""
    found = tenants(FIRST, groups, invoice_or_leave)
    service.take_on(found)
    days = list(days_of(FIRST, through))
    chance = random.Random(5)
    chunks = len(days) * -(-groups // 50) * at_once
    marks = sorted(chance.randrange(chunks) for _ in range(kills))

    def reached() -> tuple[int, date]:
        ((done, day),) = service.world.rows(
            "SELECT coalesce(sum(chunks), 0)::integer, coalesce(max(day), %s) FROM automation_runs",
            FIRST,
        )
        return done, day

    for mark in marks:
        with ExitStack() as running:
            _, day = reached()
            begun = [
                running.enter_context(
                    service.automation("--today", f"{day}", "--through", f"{through}")
                )
                for _ in range(at_once)
            ]
            # bounded by the time limit of the test alone: nobody knows how busy the machine is
            while reached()[0] < mark and any(each.popen.poll() is None for each in begun):
                time_of_day.sleep(0.005)
            for each in begun:
                each.kill()
        service.wait_until_nobody_is_connected()
    with ExitStack() as running:
        _, day = reached()
        for each in [
            running.enter_context(
                service.automation("--today", f"{day}", "--through", f"{through}")
            )
            for _ in range(at_once)
        ]:
            assert each.popen.wait(300) == 0, each.said()

    check_the_year(service, found, days)


@pytest.mark.timeout(600)
@pytest.mark.covers("B-43")
def test_two_processes_at_once_come_to_the_same(service: Service) -> None:
    found = tenants(FIRST, 120, invoice_or_leave)
    service.take_on(found)
    last = date(2026, 2, 15)
    stretch = ("--today", f"{FIRST}", "--through", f"{last}")

    with service.automation(*stretch) as one, service.automation(*stretch) as two:
        assert [each.popen.wait(120) for each in (one, two)] == [0, 0]

    check_the_year(service, found, list(days_of(FIRST, last)))


def test_a_process_killed_in_the_middle_of_a_chunk_leaves_nothing_of_it(service: Service) -> None:
    """It waits for the lock of a group's row, and has taken others of the chunk."""
    found = [Tenant(n, "monthly", FIRST, None, "at once") for n in range(20)]
    service.take_on(found)
    with psycopg.connect(service.world.admin_url) as holder:
        holder.execute("SELECT FROM subscriptions WHERE id = %s FOR UPDATE", [UUID(int=7)])
        with service.automation("--today", f"{FIRST}", "--once") as stuck:
            service.world.wait_for_lock("lock_subscriptions")
            stuck.kill()
    service.wait_until_nobody_is_connected()
    assert service.events() == []

    service.passes(FIRST)

    check_the_year(service, found, [FIRST])


@pytest.mark.covers("B-44")
def test_what_does_not_work_is_tried_three_times_and_hinders_nobody(service: Service) -> None:
    """One group's row cannot be renewed; the fourth time a person has asked for."""
    found = [Tenant(n, "monthly", FIRST, None, "at once") for n in range(3)]
    service.take_on(found)
    boss = service.world.super_admin()
    service.world.run(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'not this one'; END $$"
    )
    service.world.run(
        "CREATE TRIGGER refuse BEFORE UPDATE ON subscriptions FOR EACH ROW"
        f" WHEN (OLD.id = '{UUID(int=1)}') EXECUTE FUNCTION refuse()"
    )
    try:
        service.passes(*days_of(FIRST, FIRST + timedelta(days=4)))
    finally:
        service.world.run("DROP FUNCTION refuse CASCADE")

    assert {end.period for n, end in service.ends().items() if n != 1} == {2}
    assert service.ends()[1] == End(1, "active", FIRST)
    address = f"/api/automation/log?group_id={group_id(found[1])}"
    logged = service.site.call("GET", address, boss).json()["items"]
    assert [(e["outcome"], e["attempt"], e["action"], e["error"]) for e in reversed(logged)] == [
        ("retry", 1, "renew", "not this one"),
        ("retry", 2, "renew", "not this one"),
        ("given_up", 3, "renew", "not this one"),
    ]

    resumed = service.site.call("POST", f"/api/groups/{group_id(found[1])}/resume", boss)
    assert resumed.status_code == 200
    service.passes(FIRST + timedelta(days=5))
    assert service.ends()[1].period == 2


@pytest.mark.covers("B-44")
def test_a_charge_that_cannot_be_made_is_retried_and_costs_nobody_the_service(
    service: Service,
) -> None:
    found = [Tenant(n, "monthly", FIRST, None, "at once") for n in range(3)]
    service.take_on(found)
    fails = True

    async def charge(
        connection: psycopg.AsyncConnection[Any], subscription_id: UUID, period: int, /
    ) -> Charged:
        if fails and subscription_id.int == 1:
            raise ConnectionError("the processor hung up")
        return "succeeded"

    service.passes(FIRST, FIRST + timedelta(days=1), charge=charge)
    assert service.ends()[1] == End(1, "active", FIRST)
    assert {end.period for n, end in service.ends().items() if n != 1} == {2}
    fails = False
    service.passes(FIRST + timedelta(days=2), charge=charge)

    assert service.ends()[1].period == 2
    assert service.world.rows("SELECT count(*) FROM automation_retries") == [(0,)]
    assert service.world.rows(
        "SELECT outcome, attempt, error FROM automation_log WHERE subscription_id = %s"
        " AND action = 'renew' ORDER BY at",
        UUID(int=1),
    ) == [
        ("retry", 1, "ConnectionError: the processor hung up"),
        ("retry", 2, "ConnectionError: the processor hung up"),
        ("done", 3, None),
    ]


def test_a_pass_done_again_does_nothing(service: Service) -> None:
    found = tenants(FIRST, 40, every_way_of_paying)
    service.take_on(found)
    days = list(days_of(FIRST, FIRST + timedelta(days=40)))
    service.passes(*days)
    before = (service.events(), service.ends())

    service.passes(days[-1], days[-1])

    assert (service.events(), service.ends()) == before


def test_months_that_nobody_looked_are_renewed_one_after_the_other(service: Service) -> None:
    found = [Tenant(0, "monthly", date(2026, 1, 31), 31, "at once")]
    service.take_on(found)

    service.passes(date(2026, 5, 30))

    assert service.ends() == {0: End(5, "active", date(2026, 5, 31))}
    assert [(e[1], e[2], e[3]) for e in service.events()] == [
        (1, "renew", None), (2, "renew", None), (3, "renew", None), (4, "renew", None),
        (5, "notice", 1),
    ]  # fmt: skip


@pytest.mark.covers("B-41", "B-02")
def test_a_suspended_group_reads_everything_creates_nothing_and_renews_by_hand(
    service: Service,
) -> None:
    today = datetime.now(UTC).date()
    admin = service.world.group("pro")
    school = {"name": "École", "city": "Dole"}
    service.set_dates(admin, today - timedelta(days=3), auto_renew=False)

    service.passes(today)
    assert service.subscription(admin)["status"] == "grace"
    assert service.site.call("POST", "/api/schools", admin, json=school).status_code == 201
    service.passes(today + timedelta(days=GRACE_DAYS - 3))
    assert service.subscription(admin)["status"] == "grace"
    service.passes(today + timedelta(days=GRACE_DAYS - 2))
    assert service.subscription(admin)["status"] == "suspended"
    refused = service.site.call("POST", "/api/schools", admin, json=school)
    assert (refused.status_code, refused.json()["type"]) == (
        403, "/problems/no-running-subscription",
    )  # fmt: skip
    assert len(service.site.call("GET", "/api/schools", admin).json()["items"]) == 1

    renewed = service.site.call("POST", "/api/subscription/renew", admin)

    assert renewed.status_code == 200, renewed.text
    # the days of the suspension are not charged: the new period begins today
    assert (renewed.json()["status"], renewed.json()["starts_on"]) == ("active", f"{today}")
    assert service.site.call("POST", "/api/schools", admin, json=school).status_code == 201


@pytest.mark.covers("B-40")
def test_a_group_renews_by_hand_when_it_is_time_and_paid_for(service: Service) -> None:
    today = datetime.now(UTC).date()
    admin, other = service.world.group("pro"), service.world.group("pro")
    service.set_dates(admin, today + timedelta(days=31))
    early = service.site.call("POST", "/api/subscription/renew", admin)
    assert (early.status_code, early.json()["type"]) == (409, "/problems/renewal-not-due")

    service.set_dates(admin, today + timedelta(days=30))
    ((subscription,),) = service.world.rows(
        "SELECT id FROM subscriptions WHERE school_group_id = %s", admin.tenant_id
    )
    service.world.run(
        "INSERT INTO payment_methods (id, school_group_id, provider, token, label)"
        " VALUES (gen_random_uuid(), %s, 'local', 'tok_ok', 'Visa 4242')",
        admin.tenant_id,
    )
    unpaid = service.site.call("POST", "/api/subscription/renew", admin)
    assert (unpaid.status_code, unpaid.json()["type"]) == (402, "/problems/payment-required")

    service.world.run(
        "INSERT INTO payments (id, school_group_id, subscription_id, period, provider,"
        " idempotency_key, cents, status)"
        " VALUES (gen_random_uuid(), %s, %s, 2, 'local', gen_random_uuid()::text, 1, 'succeeded')",
        *(admin.tenant_id, subscription),
    )
    renewed = service.site.call("POST", "/api/subscription/renew", admin)
    assert renewed.status_code == 200
    assert renewed.json()["starts_on"] == f"{today + timedelta(days=30)}"
    assert service.site.call("POST", "/api/subscription/renew", admin).status_code == 409
    assert service.subscription(other)["starts_on"] == "2026-01-01"


def test_a_payment_that_arrives_after_the_suspension_ends_it(service: Service) -> None:
    found = [Tenant(0, "monthly", FIRST, None, "leaves")]
    service.take_on(found)
    service.passes(FIRST, FIRST + timedelta(days=8))
    assert service.ends()[0].status == "suspended"
    service.world.run(
        "INSERT INTO payments (id, school_group_id, subscription_id, period, provider,"
        " idempotency_key, cents, status)"
        " VALUES (gen_random_uuid(), %s, %s, 2, 'local', 'late', 1, 'succeeded')",
        *(group_id(found[0]), UUID(int=0)),
    )

    service.passes(FIRST + timedelta(days=9))

    assert service.ends()[0] == End(2, "active", date(2026, 2, 10))


def test_a_group_sees_its_own_notices_and_the_office_all_passes(service: Service) -> None:
    admin, other, boss = (
        service.world.group("pro"), service.world.group("pro"), service.world.super_admin()
    )  # fmt: skip
    service.set_dates(admin, FIRST + timedelta(days=30))
    service.passes(*(FIRST + timedelta(days=30 - mark) for mark in (30, 15, 7)))

    told = service.site.call("GET", "/api/subscription/notices", admin).json()["items"]
    assert [notice["days_before"] for notice in told] == [7, 15, 30]
    assert {notice["ends_on"] for notice in told} == {f"{FIRST + timedelta(days=30)}"}
    assert service.site.call("GET", "/api/subscription/notices", other).json()["items"] == []
    run = service.site.call("GET", "/api/automation/runs", boss).json()["items"][0]
    assert run["day"] == f"{FIRST + timedelta(days=23)}"
    assert run["finished_at"] is not None
    for address in ("/api/automation/runs", "/api/automation/log"):
        assert service.site.call("GET", address, admin).status_code == 403
    resume = f"/api/groups/{admin.tenant_id}/resume"
    assert service.site.call("POST", resume, admin).status_code == 403
    assert service.site.call("POST", f"/api/groups/{uuid.uuid4()}/resume", boss).status_code == 404
    assert service.site.call("GET", "/api/subscription/notices", boss).status_code == 403


def test_the_process_says_when_it_is_ready_and_ends_when_it_is_asked_to(service: Service) -> None:
    with service.automation("--every", "3600") as running:
        running.wait_until_it_says(READY)
        assert running.end() == 0


def test_a_process_without_its_settings_says_what_is_missing() -> None:
    env = {"APP_AUTOMATION_CHUNK": "0", "APP_GRACE_DAYS": "x"}
    with process("reference_app.automation", env=env) as running:
        assert running.popen.wait(30) == 2
        said = running.said()

    assert "APP_DATABASE_URL is not set" in said
    assert "APP_AUTOMATION_CHUNK is '0'" in said
    assert "APP_GRACE_DAYS is 'x'" in said
