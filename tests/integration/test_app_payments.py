"""Payments: charged once whatever happens, by the automation, by hand, and through callbacks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import msgspec
import psycopg
import pytest
from app_support import SECRET, Site, app_login, migrate_both, site_on, worker_login
from sync_support import Platform, Process, platform, process, wait_for

from palier.model.tier import StackSpec
from palier.model.variant import Variant as HarnessVariant
from palier.stack.app import start_app
from palier.stack.workspace import Workspace
from reference_app.automation.passes import Passes
from reference_app.identity.principal import Principal
from reference_app.payments.account import Account
from reference_app.payments.charging import Charging
from reference_app.payments.local import LocalProvider
from reference_app.signature import sign
from reference_app.variant import Variant
from reference_app.webhooks.keys import Keys

pytestmark = pytest.mark.db

VARIANT = Variant(indexes="full", row_security="wrapped", pagination="keyset")
PAYMENT_SECRET = "only for tests: what processor and customer sign with"
WEBHOOK_SECRET = "only for tests: the root of the secrets of webhooks"
TODAY = datetime.now(UTC).date()
CALLBACK = "/api/payments/callbacks/local"


class Bank:
    """A database with an application on it, an automation that charges, and a card processor."""

    def __init__(self, site: Site, worker_url: str, outside: Platform) -> None:
        self.site = site
        self.world = site.world
        self.worker_url = worker_url
        self.outside = outside

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "APP_PAYMENT_URL": "http://cards.example",
            "PAYMENT_SECRET": PAYMENT_SECRET,
            "APP_OUTBOUND_PROXY": self.outside.url,
            **more,
        }

    def automation(self, *arguments: str, **more: str) -> AbstractContextManager[Process]:
        env = self.environment(APP_DATABASE_URL=self.worker_url, **more)
        return process("reference_app.automation", *arguments, env=env)

    def passes(self, first: date, last: date | None = None, **account: Any) -> None:
        """A pass on each of the days, in this process."""
        found = Account(
            url="http://cards.example", secret=PAYMENT_SECRET, proxy=self.outside.url, **account
        )
        passed = range((last or first).toordinal() - first.toordinal() + 1)
        noons = [datetime.combine(first + timedelta(days), time(12), UTC) for days in passed]

        async def make() -> None:
            provider = LocalProvider(found)
            async with await psycopg.AsyncConnection.connect(
                self.worker_url, autocommit=True
            ) as connection:
                for noon in noons:
                    charge = Charging(provider).by(partial(_as_it_is, noon))
                    passes = Passes(charge=charge, worker="test", grace_days=7, chunk=50)
                    await passes.make(connection, noon)
            await provider.close()

        asyncio.run(make())

    def run_automation(self, at_once: int = 1) -> None:
        """A pass of today by processes."""
        with ExitStack() as running:
            begun = [
                running.enter_context(self.automation("--today", f"{TODAY}", "--once"))
                for _ in range(at_once)
            ]
            for each in begun:
                assert each.popen.wait(120) == 0, each.said()

    def due(self, plan: str = "pro", token: str | None = None, day: date = TODAY) -> Principal:
        """A group whose monthly period ends on the day, and its card."""
        admin = self.world.group(plan)
        self.world.run(
            "UPDATE subscriptions SET starts_on = %s, ends_on = %s, cycle = 'monthly'"
            " WHERE school_group_id = %s",
            *(day - timedelta(days=30), day, admin.tenant_id),
        )
        if token is not None:
            self.add_card(admin, token)
        return admin

    def add_card(self, admin: Principal, token: str) -> dict[str, Any]:
        body = {"token": token, "label": "Visa 4242"}
        added = self.site.call("POST", "/api/payment-methods", admin, json=body)
        assert added.status_code == 201, added.text
        return dict(added.json())

    def state(self, admin: Principal) -> tuple[str, int]:
        ((status, period),) = self.world.rows(
            "SELECT status, period FROM subscriptions WHERE school_group_id = %s", admin.tenant_id
        )
        return status, period

    def payments(self, admin: Principal) -> list[dict[str, Any]]:
        """Newest first."""
        return list(self.site.call("GET", "/api/payments", admin).json()["items"])

    def key(self, admin: Principal) -> str:
        """Idempotency key of the group's one payment."""
        ((key,),) = self.world.rows(
            "SELECT idempotency_key FROM payments WHERE school_group_id = %s", admin.tenant_id
        )
        return str(key)

    def cards(self) -> dict[str, Any]:
        """What the processor counts."""
        return dict(self.outside.counts()["cards"])

    def call_back(
        self, message: Mapping[str, Any], *, secret: str = PAYMENT_SECRET, age_s: int = 0
    ) -> int:
        body = msgspec.json.encode(message)
        timestamp = int(datetime.now(UTC).timestamp()) - age_s
        headers = {
            "Cards-Timestamp": str(timestamp),
            "Cards-Signature": sign(secret, timestamp, body),
        }
        return self.site.call("POST", CALLBACK, content=body, headers=headers).status_code


def _as_it_is(moment: datetime) -> datetime:
    return moment


@pytest.fixture(scope="module")
def bank(fresh_database: Any) -> Iterator[Bank]:
    with (
        fresh_database() as url,
        platform(env={"PAYMENT_SECRET": PAYMENT_SECRET}) as outside,
    ):
        migrate_both(url, VARIANT)
        worker_url = worker_login(url)
        account = Account(url="http://cards.example", secret=PAYMENT_SECRET, proxy=outside.url)
        keys = Keys(WEBHOOK_SECRET, outside.url)
        with site_on(url, app_login(url), VARIANT, payments=account, webhooks=keys) as up:
            yield Bank(up, worker_url, outside)
            assert outside.strangers() == {}, "somebody was asked who should not have been"
            assert set(outside.counts()["cards"]["refused"]) <= {"down"}


@pytest.fixture(autouse=True)
def nobody_is_due(bank: Bank) -> None:
    """What earlier tests left is due no more."""
    bank.world.run("TRUNCATE school_groups, automation_runs, automation_log CASCADE")


# by the automation ------------------------------------------------------------------------------


@pytest.mark.covers("B-40")
def test_a_renewal_waits_for_the_card_and_a_group_without_one_pays_by_invoice(bank: Bank) -> None:
    good, bad, invoice = bank.due(token="tok_ok"), bank.due(token="tok_bad"), bank.due()
    free = bank.due("free", token="tok_ok")
    before = bank.cards()

    bank.run_automation()

    assert [bank.state(each) for each in (good, bad, invoice, free)] == [
        ("active", 2), ("grace", 1), ("active", 2), ("active", 2),
    ]  # fmt: skip
    (paid,), (declined,) = bank.payments(good), bank.payments(bad)
    assert (paid["status"], paid["cents"], paid["currency"], paid["period"]) == (
        "succeeded", 14_900, "EUR", 2,
    )  # fmt: skip
    assert (declined["status"], declined["reason"]) == ("declined", "insufficient funds")
    assert bank.payments(invoice) == bank.payments(free) == []
    assert bank.cards()["charges"] - before["charges"] == 2


def test_a_card_that_was_declined_is_asked_once_a_day_and_another_one_at_once(bank: Bank) -> None:
    admin = bank.due(token="tok_bad")
    before = bank.cards()

    for _ in range(3):
        bank.passes(TODAY)
    assert bank.cards()["asked"] == before["asked"] + 1
    bank.passes(TODAY + timedelta(days=1))
    assert bank.cards()["asked"] == before["asked"] + 2
    assert [each["status"] for each in bank.payments(admin)] == ["declined", "declined"]
    bank.add_card(admin, "tok_ok")
    bank.passes(TODAY + timedelta(days=1))

    assert bank.state(admin) == ("active", 2)
    assert bank.payments(admin)[0]["status"] == "succeeded"


def test_two_automations_at_once_charge_each_group_once(bank: Bank) -> None:
    admins = [bank.due(token="tok_ok") for _ in range(24)]
    before = bank.cards()

    bank.run_automation(at_once=2)

    assert Counter(bank.state(each) for each in admins) == {("active", 2): 24}
    assert Counter(len(bank.payments(each)) for each in admins) == {1: 24}
    assert bank.cards()["charges"] - before["charges"] == 24


def test_an_automation_killed_between_charge_and_renewal_charges_nobody_twice(bank: Bank) -> None:
    admins = [bank.due(token="tok_ok") for _ in range(24)]
    before = bank.cards()

    with bank.automation("--today", f"{TODAY}", "--once") as running:
        wait_for(
            lambda: bank.cards()["charges"] - before["charges"] >= 5 or running.popen.poll() == 0,
            "nobody is charged",
        )
        running.kill()
    bank.run_automation()

    assert Counter(bank.state(each) for each in admins) == {("active", 2): 24}
    assert bank.cards()["charges"] - before["charges"] == 24


@pytest.mark.covers("B-44")
def test_a_charge_whose_answer_was_lost_is_asked_for_again_and_made_once(bank: Bank) -> None:
    admin = bank.due(token="tok_lost")
    before = bank.cards()

    bank.passes(TODAY)
    assert bank.state(admin) == ("active", 1), "nobody is cut off over what we do not know"
    assert bank.payments(admin)[0]["status"] == "pending"
    bank.passes(TODAY + timedelta(days=1))

    assert bank.state(admin) == ("active", 2)
    after = bank.cards()
    assert (after["charges"] - before["charges"], after["asked"] - before["asked"]) == (1, 2)
    ((attempts,),) = bank.world.rows(
        "SELECT attempts FROM payments WHERE school_group_id = %s", admin.tenant_id
    )
    assert attempts == 2


def test_a_processor_that_is_down_costs_nobody_the_service(bank: Bank) -> None:
    admin = bank.due(token="tok_down")

    bank.passes(TODAY, TODAY + timedelta(days=9))

    assert bank.state(admin) == ("active", 1)
    logged = bank.world.rows(
        "SELECT DISTINCT outcome, error FROM automation_log WHERE school_group_id = %s"
        " ORDER BY outcome",
        admin.tenant_id,
    )
    assert logged == [
        ("given_up", "ProviderError: the processor answered 503"),
        ("retry", "ProviderError: the processor answered 503"),
    ]


# callbacks --------------------------------------------------------------------------------------


def test_a_slow_charge_ends_with_a_signed_callback_and_telling_it_again_changes_nothing(
    bank: Bank, tmp_path: Any
) -> None:
    """Over real HTTP, the processor calling the application."""
    admin = bank.due(token="tok_slow")
    with Workspace.create(purpose="test", logs=tmp_path) as workspace:
        app = start_app(
            workspace,
            spec=StackSpec(app_processes=1, pool_size=2),
            variant=HarnessVariant(row_security="wrapped"),
            environment=bank.environment(APP_DATABASE_URL=bank.site.app_url, APP_JWT_SECRET=SECRET),
        )
        bank.passes(TODAY, public_url=app.url)
        assert bank.state(admin) == ("active", 1)
        wait_for(lambda: bank.payments(admin)[0]["status"] == "succeeded", "nobody has called back")
        address = f"/settle/{bank.key(admin)}"
        answers = [bank.outside.client.post(address).json()["status"] for _ in range(3)]

    assert answers == [204, 204, 204]
    assert bank.world.rows("SELECT count(*) FROM payment_callbacks WHERE payment_id = %s",
                           bank.payments(admin)[0]["id"]) == [(1,)]  # fmt: skip
    bank.passes(TODAY)
    assert bank.state(admin) == ("active", 2)
    assert len(bank.payments(admin)) == 1


def test_a_callback_that_is_not_the_processors_changes_nothing(bank: Bank) -> None:
    admin = bank.due(token="tok_slow")
    bank.passes(TODAY)
    message = {
        "id": "evt_1",
        "idempotency_key": bank.key(admin),
        "charge": {"id": "ch_1", "status": "succeeded", "reason": None},
    }

    assert bank.call_back(message, secret="somebody else's") == 401
    assert bank.call_back(message, age_s=301) == 401
    assert bank.call_back(message, age_s=-301) == 401
    assert bank.site.call("POST", CALLBACK, json=message).status_code == 401
    assert bank.call_back({"id": "evt_1"}) == 401
    assert bank.site.call("POST", "/api/payments/callbacks/other", json={}).status_code == 404
    assert bank.call_back(message | {"idempotency_key": "unknown"}) == 404
    assert bank.payments(admin)[0]["status"] == "pending"

    assert bank.call_back(message) == 204
    assert bank.payments(admin)[0]["status"] == "succeeded"
    # the first end stays, whatever comes after it
    late = {"id": "evt_2", "charge": {"id": "ch_1", "status": "declined", "reason": "late"}}
    assert bank.call_back(message | late) == 204
    assert bank.payments(admin)[0]["status"] == "succeeded"


def test_many_callbacks_of_one_charge_at_once_are_one(bank: Bank) -> None:
    admin = bank.due(token="tok_slow")
    endpoint = {"url": "http://hooks.example/ok", "types": ["payment.succeeded"]}
    assert bank.site.call("POST", "/api/webhooks", admin, json=endpoint).status_code == 201
    bank.passes(TODAY)
    body = msgspec.json.encode(
        {
            "id": "evt_1",
            "idempotency_key": bank.key(admin),
            "charge": {"id": "ch_1", "status": "succeeded"},
        }
    )
    now = int(datetime.now(UTC).timestamp())
    headers = {"Cards-Timestamp": str(now), "Cards-Signature": sign(PAYMENT_SECRET, now, body)}

    answers = bank.site.app.together(
        [("POST", CALLBACK, None, {"content": body, "headers": headers})] * 64
    )

    assert {answer.status_code for answer in answers} == {204}
    (payment,) = bank.payments(admin)
    events = bank.world.rows(
        "SELECT payload FROM webhook_events WHERE school_group_id = %s", admin.tenant_id
    )
    assert [event["payment_id"] for (event,) in events] == [payment["id"]]


# by hand ----------------------------------------------------------------------------------------


@pytest.mark.covers("B-41")
def test_a_suspended_group_pays_with_its_card_and_goes_on(bank: Bank) -> None:
    admin = bank.due(token="tok_bad", day=TODAY - timedelta(days=10))
    bank.passes(TODAY - timedelta(days=10), TODAY)
    assert bank.state(admin) == ("suspended", 1)
    assert bank.site.call("POST", "/api/subscription/renew", admin).status_code == 402
    bank.add_card(admin, "tok_ok")

    paid = bank.site.call("POST", "/api/payments", admin)

    assert (paid.status_code, paid.json()["status"]) == (200, "succeeded")
    assert bank.site.call("POST", "/api/subscription/renew", admin).status_code == 200
    assert bank.state(admin) == ("active", 2)


def test_paying_many_times_at_once_charges_once(bank: Bank) -> None:
    admin = bank.due(token="tok_ok")
    before = bank.cards()

    answers = bank.site.app.together([("POST", "/api/payments", admin, {})] * 16)

    assert {(each.status_code, each.json()["status"]) for each in answers} == {(200, "succeeded")}
    assert len({each.json()["id"] for each in answers}) == 1
    assert bank.cards()["charges"] - before["charges"] == 1


@pytest.mark.parametrize(
    ("plan", "token", "days", "problem"),
    [
        ("pro", "tok_ok", 31, "payment-not-due"),
        ("pro", None, 3, "nothing-due"),
        ("free", "tok_ok", 3, "nothing-due"),
    ],
)
def test_what_is_not_due_is_not_charged(
    bank: Bank, plan: str, token: str | None, days: int, problem: str
) -> None:
    admin = bank.due(plan, token, TODAY + timedelta(days=days))

    refused = bank.site.call("POST", "/api/payments", admin)

    assert (refused.status_code, refused.json()["type"]) == (409, f"/problems/{problem}")
    assert bank.payments(admin) == []


def test_a_processor_without_an_answer_leaves_the_payment_pending(bank: Bank) -> None:
    admin = bank.due(token="tok_lost")

    first = bank.site.call("POST", "/api/payments", admin)
    second = bank.site.call("POST", "/api/payments", admin)

    assert (first.status_code, first.json()["status"]) == (200, "pending")
    assert (second.status_code, second.json()["status"]) == (200, "succeeded")
    assert first.json()["id"] == second.json()["id"]


def test_a_group_keeps_its_own_cards_and_the_newest_is_charged(bank: Bank) -> None:
    admin, other = bank.due(), bank.due()
    first = bank.add_card(admin, "tok_1")
    body = {"json": {"token": "tok_2", "label": "Visa"}}
    answers = bank.site.app.together([("POST", "/api/payment-methods", admin, body)] * 16)
    assert {answer.status_code for answer in answers} == {201}

    cards = bank.site.call("GET", "/api/payment-methods", admin).json()["items"]
    assert sum(card["is_default"] for card in cards) == 1
    assert "token" not in cards[0]
    assert bank.site.call("GET", "/api/payment-methods", other).json()["items"] == []
    address = f"/api/payment-methods/{first['id']}"
    assert bank.site.call("DELETE", address, other).status_code == 404
    assert bank.site.call("DELETE", address, admin).status_code == 204
    number = {"json": {"token": "4242 4242 4242 4242", "label": "Visa"}}
    assert bank.site.call("POST", "/api/payment-methods", admin, **number).status_code == 400


def test_a_deployment_without_a_provider_takes_no_cards(bank: Bank) -> None:
    with site_on(bank.world.admin_url, bank.site.app_url, VARIANT) as plain:
        admin = plain.world.group("pro")
        body = {"token": "tok_ok", "label": "Visa"}
        card = plain.call("POST", "/api/payment-methods", admin, json=body)
        pay = plain.call("POST", "/api/payments", admin)
        callback = plain.call("POST", CALLBACK, json={})

    assert [(each.status_code, each.json()["type"]) for each in (card, pay)] == [
        (409, "/problems/payments-off")
    ] * 2
    assert callback.status_code == 404


# who may ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO payments (id, school_group_id, subscription_id, period, provider,"
        " idempotency_key, cents, status) SELECT gen_random_uuid(), school_group_id, id, 2,"
        " 'local', 'k', 1, 'succeeded' FROM subscriptions LIMIT 1",
        "UPDATE payments SET status = 'succeeded'",
        "INSERT INTO payment_callbacks (provider, callback_id, status) VALUES ('l', 'c', 's')",
        "INSERT INTO webhook_events (id, school_group_id, type, source_key, payload)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), 'plan.changed', 'k', '{}')",
    ],
)
def test_not_even_a_worker_writes_a_payment_by_hand(bank: Bank, statement: str) -> None:
    with (
        psycopg.connect(bank.worker_url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_nobody_begins_a_payment_for_another_group(bank: Bank) -> None:
    admin, other = bank.due(token="tok_ok"), bank.due(token="tok_ok")
    with psycopg.connect(bank.site.app_url, autocommit=True) as connection:
        for role, tenant in (("group_admin", other.tenant_id), ("owner", admin.tenant_id)):
            connection.execute(
                "SELECT set_config('app.role', %s, false), set_config('app.tenant_id', %s, false)",
                [role, str(tenant)],
            )
            begun = connection.execute(
                "SELECT outcome FROM begin_own_payment(%s, %s, 'local')", [admin.tenant_id, TODAY]
            ).fetchone()
            assert begun == ("not-subscribed",)
    assert bank.payments(admin) == []


def test_an_automation_whose_account_is_wrong_says_what_is(bank: Bank) -> None:
    wrong = {"PAYMENT_SECRET": "short", "APP_PAYMENT_URL": "cards", "APP_PUBLIC_URL": "?"}
    with bank.automation("--once", **wrong) as running:
        assert running.popen.wait(30) == 2
        said = running.said()

    assert "PAYMENT_SECRET is 5 bytes long" in said
    assert "APP_PAYMENT_URL must be like" in said
    assert "APP_PUBLIC_URL must be like" in said
