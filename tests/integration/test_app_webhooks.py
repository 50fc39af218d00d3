"""Webhooks: signed deliveries over failures, hangs, kills and crowds, to public addresses only."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from app_support import Site, site_on
from sync_support import wait_for
from webhook_support import ROOT, VARIANT, Post, post_on

from reference_app.identity.principal import Principal
from reference_app.outbound.address import AddressRefusedError, checked_public
from reference_app.webhooks.queries import ENDPOINTS_MAX
from reference_app.webhooks.queue import LOST
from reference_app.webhooks.sender import Sender
from reference_app.webhooks.values import Message
from reference_app.webhooks.worker import READY

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def post(fresh_database: Any) -> Iterator[Post]:
    with fresh_database() as url, post_on(url) as up:
        yield up
        assert up.outside.strangers() == {}, "somebody was asked who should not have been"


@pytest.mark.covers("B-45", "B-46", "B-211", "F-28")
def test_a_change_of_plan_is_delivered_signed_to_a_receiver_that_verifies(post: Post) -> None:
    admin = post.site.world.group("pro")
    endpoint = post.endpoint(admin)
    before = post.hooks()

    post.change_plan(admin, "premium")
    with post.worker():
        delivery = post.only_delivery(admin)

    assert (delivery["status"], delivery["attempts"]) == ("delivered", 1)
    assert (delivery["type"], delivery["endpoint_id"]) == ("plan.changed", endpoint["id"])
    assert post.received(delivery) == {"requests": 1, "taken": 1}
    after = post.hooks()
    assert (after["refused"], after["unsigned"]) == (before["refused"], before["unsigned"])


# events -----------------------------------------------------------------------------------------


@pytest.mark.covers("B-45")
def test_every_turn_of_a_subscription_is_an_event_and_each_is_written_once(post: Post) -> None:
    admin = post.site.world.group("pro")
    post.endpoint(admin)
    today = date(2026, 6, 1)
    ((subscription,),) = post.site.world.rows(
        "SELECT id FROM subscriptions WHERE school_group_id = %s", admin.tenant_id
    )

    def change(columns: str) -> None:
        post.site.world.run(f"UPDATE subscriptions SET {columns} WHERE id = %s", subscription)

    change("auto_renew = false")  # nothing that anybody is told of
    for days in (30, 15):
        post.site.world.run(
            "INSERT INTO subscription_notices (id, subscription_id, school_group_id, period,"
            " days_before, ends_on) VALUES (gen_random_uuid(), %s, %s, 1, %s, %s)",
            *(subscription, admin.tenant_id, days, today),
        )
    change("status = 'grace', grace_until = '2026-06-08'")
    change("status = 'suspended', grace_until = NULL")
    change("status = 'active', period = 2")
    change("period = 3")
    post.change_plan(admin, "premium")

    told = [(each["type"], each["status"]) for each in reversed(post.deliveries(admin))]
    assert Counter(told) == Counter(
        {
            ("subscription.expiring", "pending"): 2,
            ("subscription.grace", "pending"): 1,
            ("subscription.suspended", "pending"): 1,
            ("subscription.resumed", "pending"): 1,
            ("subscription.renewed", "pending"): 2,
            ("plan.changed", "pending"): 1,
        }
    )
    ((payload,),) = post.site.world.rows(
        "SELECT payload FROM webhook_events WHERE school_group_id = %s AND type = 'plan.changed'",
        admin.tenant_id,
    )
    assert (payload["old_plan"], payload["plan"], payload["period"]) == ("pro", "premium", 3)


def test_an_endpoint_gets_what_it_asked_for_while_it_is_on_and_nobody_else_does(
    post: Post,
) -> None:
    world = post.site.world
    admin, other = world.group("pro"), world.group("pro")
    wants = post.endpoint(admin, types=["plan.changed"])
    post.endpoint(admin, types=["subscription.suspended"])
    off = post.endpoint(admin)
    post.site.call("PATCH", f"/api/webhooks/{off['id']}", admin, json={"is_active": False})
    post.endpoint(other)

    post.change_plan(admin, "premium")

    (delivery,) = post.deliveries(admin)
    assert delivery["endpoint_id"] == wants["id"]
    assert post.deliveries(other) == []
    events = "SELECT count(*) FROM webhook_events WHERE school_group_id = %s"
    assert world.rows(events, admin.tenant_id) == [(1,)]


def test_what_is_rolled_back_is_told_nobody(post: Post) -> None:
    admin = post.site.world.group("pro")
    post.endpoint(admin)

    with psycopg.connect(post.site.world.admin_url) as connection:
        connection.execute(
            "UPDATE subscriptions SET period = 2 WHERE school_group_id = %s", [admin.tenant_id]
        )
        connection.rollback()

    assert post.deliveries(admin) == []


# attempts ---------------------------------------------------------------------------------------


@pytest.mark.covers("B-47", "B-48", "F-28", "T-27")
def test_a_receiver_that_fails_twice_is_told_the_third_time_and_each_attempt_is_logged(
    post: Post,
) -> None:
    admin = post.site.world.group("pro")
    endpoint = post.endpoint(admin, "flaky/2")

    post.change_plan(admin, "premium")
    with post.worker(APP_WEBHOOK_BACKOFF_S="0.2,0.6"):
        delivery = post.only_delivery(admin)

    assert (delivery["status"], delivery["attempts"]) == ("delivered", 3)
    assert post.received(delivery) == {"requests": 3, "taken": 1}
    attempts = post.attempts(admin, delivery)
    assert [(each["attempt"], each["status"], each["error"]) for each in attempts] == [
        (1, 500, "the endpoint answered 500"),
        (2, 500, "the endpoint answered 500"),
        (3, 204, None),
    ]
    moments = [datetime.fromisoformat(each["at"]) for each in attempts]
    waited = [(after - before).total_seconds() for before, after in pairwise(moments)]
    assert waited[0] >= 0.2
    assert waited[1] >= 0.6
    logged = post.site.world.rows(
        "SELECT DISTINCT endpoint_id, event_id FROM webhook_attempts WHERE delivery_id = %s",
        delivery["id"],
    )
    assert [tuple(map(str, row)) for row in logged] == [(endpoint["id"], delivery["event_id"])]


@pytest.mark.covers("B-47", "T-27")
def test_after_three_attempts_a_delivery_has_failed(post: Post) -> None:
    wanted: list[tuple[str, int | None, str]] = [
        ("status/410", 410, "the endpoint answered 410"),
        ("redirect", 307, "the endpoint answered 307"),
        ("reset", None, "no answer: "),
        ("hang/60000", None, "no answer within 1 s"),
    ]
    admins = [post.site.world.group("pro") for _ in wanted]
    for admin, (path, _, _) in zip(admins, wanted, strict=True):
        post.endpoint(admin, path)
        post.change_plan(admin, "premium")

    with post.worker(APP_WEBHOOK_TIMEOUT_S=1):
        deliveries = [post.only_delivery(admin) for admin in admins]

    for admin, delivery, (path, status, error) in zip(admins, deliveries, wanted, strict=True):
        assert (delivery["status"], delivery["attempts"]) == ("failed", 3), path
        # on a machine that stands still for a second, any answer is too late
        assert delivery["last_error"].startswith((error, "no answer within 1 s"))
        assert delivery["last_status"] in (status, None)
        assert delivery["finished_at"] is not None
        assert post.received(delivery)["taken"] == 0
        attempts = post.attempts(admin, delivery)
        assert [each["attempt"] for each in attempts] == [1, 2, 3]
        assert {each["status"] for each in attempts} <= {status, None}


@pytest.mark.covers("B-48", "F-28")
def test_what_failed_is_delivered_again_by_hand_when_the_receiver_is_back(post: Post) -> None:
    admin, other = post.site.world.group("pro"), post.site.world.group("pro")
    endpoint = post.endpoint(admin, "status/503")
    post.change_plan(admin, "premium")
    (waiting,) = post.deliveries(admin)
    again = f"/api/webhooks/deliveries/{waiting['id']}/redeliver"
    assert post.site.call("POST", again, admin).status_code == 409

    with post.worker():
        failed = post.only_delivery(admin)
        assert failed["status"] == "failed"
        assert post.site.call("POST", again, other).status_code == 404
        renewed = post.site.call("POST", f"/api/webhooks/{endpoint['id']}/secret", admin).json()
        url = f"http://hooks.example/ok/{uuid.uuid4()}"
        post.site.call("PATCH", f"/api/webhooks/{endpoint['id']}", admin, json={"url": url})
        post.tell_secret(url, renewed["secret"])
        asked = post.site.call("POST", again, admin)
        assert asked.status_code == 202
        address = f"/api/webhooks/deliveries/{asked.json()['id']}"
        wait_for(
            lambda: post.site.call("GET", address, admin).json()["status"] == "delivered",
            "it is not delivered",
        )

    ended = post.site.call("GET", address, admin).json()
    assert (ended["redelivery_of"], ended["event_id"]) == (failed["id"], failed["event_id"])
    assert post.received(ended) == {"requests": 1, "taken": 1}
    assert {each["status"] for each in post.deliveries(admin)} == {"failed", "delivered"}
    assert post.deliveries(admin, status="failed")[0]["id"] == failed["id"]


@pytest.mark.covers("B-46")
def test_a_receiver_that_knows_another_secret_refuses(post: Post) -> None:
    admin = post.site.world.group("pro")
    endpoint = post.endpoint(admin)
    post.site.call("POST", f"/api/webhooks/{endpoint['id']}/secret", admin)
    before = post.hooks()["refused"].get("signature", 0)

    post.change_plan(admin, "premium")
    with post.worker():
        delivery = post.only_delivery(admin)

    assert (delivery["status"], delivery["last_status"]) == ("failed", 401)
    assert post.hooks()["refused"]["signature"] == before + 3


# several at once --------------------------------------------------------------------------------


def test_an_endpoint_that_hangs_keeps_nobody_else_waiting(post: Post) -> None:
    world = post.site.world
    slow, quick = world.group("pro"), world.group("pro")
    post.endpoint(slow, "hold/slow")
    post.endpoint(quick)
    for plan in ("premium", "pro") * 3:
        post.change_plan(slow, plan)
    post.change_plan(quick, "premium")

    with post.worker(APP_WEBHOOK_PARALLEL=2, APP_WEBHOOK_TIMEOUT_S=60):
        assert post.only_delivery(quick)["status"] == "delivered"
        assert post.outside.counts()["holding"]["slow"] == 1
        post.outside.release("slow")
        wait_for(
            lambda: all(each["status"] == "delivered" for each in post.deliveries(slow)),
            "not all of them are delivered",
        )
    assert len(post.deliveries(slow)) == 6


@pytest.mark.covers("B-45", "B-47")
def test_two_workers_deliver_sixty_four_events_and_none_twice(post: Post) -> None:
    admins = [post.site.world.group("pro") for _ in range(16)]
    for number, admin in enumerate(admins):
        post.endpoint(admin, "flaky/1" if number % 4 == 0 else "ok")

    with post.worker() as one, post.worker() as two:
        for running in (one, two):
            running.wait_until_it_says(READY)
        for plan in ("premium", "pro", "premium", "pro"):
            for admin in admins:
                post.change_plan(admin, plan)
        wait_until_all_have_ended(post, admins)
        assert [one.end(), two.end()] == [0, 0]

    check_that_nothing_was_lost(post, admins, each=4, lost_workers=0)
    shares = post.site.world.rows(
        "SELECT status, count(*) FROM webhook_deliveries WHERE school_group_id = ANY (%s)"
        " GROUP BY status",
        [admin.tenant_id for admin in admins],
    )
    assert shares == [("delivered", 64)]


def test_a_worker_that_is_asked_to_end_waits_for_the_answer(post: Post) -> None:
    admin = post.site.world.group("pro")
    post.endpoint(admin, "hold/ending")
    post.change_plan(admin, "premium")

    with post.worker(APP_WEBHOOK_TIMEOUT_S=60) as running:
        post.outside.wait_until_held("ending")
        running.popen.terminate()
        post.outside.release("ending")
        assert running.popen.wait(30) == 0

    delivery = post.only_delivery(admin)
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 1)


@pytest.mark.covers("B-47", "F-28")
def test_what_a_killed_worker_was_sending_is_sent_by_another(post: Post) -> None:
    kill_in_mid_delivery(post, ["killed"])


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.covers("B-47", "F-28")
def test_fifty_workers_killed_in_mid_delivery_break_nothing(post: Post) -> None:
    for number in range(10):
        kill_in_mid_delivery(post, [f"killed-{number}-{worker}" for worker in range(5)])


def kill_in_mid_delivery(post: Post, gates: list[str]) -> None:
    """As many workers as gates, each waiting for an answer when it is killed.

    Beside those there are deliveries that were made, that have to be tried again, or not begun.
    """
    held = [post.site.world.group("pro") for _ in gates]
    others = [post.site.world.group("pro") for _ in range(3 * len(gates))]
    for gate, admin in zip(gates, held, strict=True):
        post.endpoint(admin, f"hold/{gate}")
    for number, admin in enumerate(others):
        post.endpoint(admin, ("ok", "flaky/1", "hang/20")[number % 3])
    everybody = [*others[: len(gates)], *held, *others[len(gates) :]]

    with ExitStack() as running:
        workers = [
            running.enter_context(post.worker(APP_WEBHOOK_PARALLEL=1, APP_WEBHOOK_TIMEOUT_S=3))
            for _ in gates
        ]
        for worker in workers:
            worker.wait_until_it_says(READY)
        for admin in everybody:
            post.change_plan(admin, "premium")
        for gate in gates:
            post.outside.wait_until_held(gate)
        for worker in workers:
            worker.kill()
    post.wait_until_no_worker_is_connected()
    for gate in gates:
        post.outside.release(gate)
    with post.worker(APP_WEBHOOK_TIMEOUT_S=1):
        wait_until_all_have_ended(post, everybody)

    check_that_nothing_was_lost(post, everybody, each=1, lost_workers=1)
    for admin in held:
        delivery = post.only_delivery(admin)
        *before, last = [each["error"] for each in post.attempts(admin, delivery)]
        # on a machine that stands still for seconds, the answer was late before the kill came
        assert before
        assert set(before) <= {LOST, "no answer within 3 s"}
        assert last is None


def wait_until_all_have_ended(post: Post, admins: list[Principal]) -> None:
    wait_for(
        lambda: (
            post.site.world.rows(
                "SELECT count(*) FROM webhook_deliveries"
                " WHERE status IN ('pending', 'processing') AND school_group_id = ANY (%s)",
                [admin.tenant_id for admin in admins],
            )
            == [(0,)]
        ),
        "there are deliveries left",
    )


def check_that_nothing_was_lost(
    post: Post, admins: list[Principal], *, each: int, lost_workers: int
) -> None:
    """Every event one delivery, every delivery one end, every attempt one line, 3 at most."""
    groups = [admin.tenant_id for admin in admins]
    rows = post.site.world.rows(
        "SELECT d.id::text, d.status, d.attempts, count(a.id), max(a.attempt),"
        " count(a.id) FILTER (WHERE a.error IS NULL)"
        " FROM webhook_deliveries d LEFT JOIN webhook_attempts a ON a.delivery_id = d.id"
        " WHERE d.school_group_id = ANY (%s) GROUP BY d.id",
        groups,
    )
    assert len(rows) == each * len(admins)
    received = post.outside.client.get("/deliveries").json()
    for delivery, status, attempts, logged, last, successes in rows:
        assert status == "delivered", (delivery, status)
        assert attempts == logged == last <= 3
        assert successes == 1
        # a worker that was lost may have been lost before it sent anything, or after the answer
        assert attempts - lost_workers <= received[delivery]["requests"] <= attempts
        assert 1 <= received[delivery]["taken"] <= 1 + lost_workers


# endpoints --------------------------------------------------------------------------------------


@pytest.mark.covers("B-49", "F-28")
def test_an_endpoint_is_tested_before_it_is_used(post: Post) -> None:
    admin, other = post.site.world.group("pro"), post.site.world.group("pro")
    good, bad = post.endpoint(admin), post.endpoint(admin, "status/500")
    assert good["verified_at"] is None

    reached = post.site.call("POST", f"/api/webhooks/{good['id']}/test", admin)
    failed = post.site.call("POST", f"/api/webhooks/{bad['id']}/test", admin)
    foreign = post.site.call("POST", f"/api/webhooks/{good['id']}/test", other)

    assert (reached.status_code, failed.status_code, foreign.status_code) == (200, 200, 404)
    assert (reached.json()["is_reached"], reached.json()["status"]) == (True, 204)
    assert (failed.json()["is_reached"], failed.json()["status"]) == (False, 500)
    assert failed.json()["error"] == "the endpoint answered 500"
    verified = {e["id"]: e["verified_at"] for e in list_endpoints(post, admin)}
    assert verified[good["id"]] is not None
    assert verified[bad["id"]] is None
    logged = post.site.world.rows(
        "SELECT status, delivery_id FROM webhook_attempts WHERE school_group_id = %s ORDER BY at",
        admin.tenant_id,
    )
    assert logged == [(204, None), (500, None)]
    # another address has not been tested
    url = "http://hooks.example/ok/elsewhere"
    moved = post.site.call("PATCH", f"/api/webhooks/{good['id']}", admin, json={"url": url})
    assert moved.json()["verified_at"] is None


def test_a_group_manages_its_own_endpoints_and_sees_each_secret_once(post: Post) -> None:
    admin, other = post.site.world.group("pro"), post.site.world.group("pro")
    endpoint = post.endpoint(admin)
    address = f"/api/webhooks/{endpoint['id']}"

    assert post.site.call("GET", address, admin).json() == endpoint
    assert list_endpoints(post, other) == []
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/secret")):
        body = {"json": {"is_active": False}} if method == "PATCH" else {}
        assert post.site.call(method, address + path, other, **body).status_code == 404
    first = post.site.call("POST", f"{address}/secret", admin).json()
    second = post.site.call("POST", f"{address}/secret", admin).json()
    assert first["secret"] != second["secret"]
    assert second["endpoint"]["secret_version"] == 3
    assert "secret" not in post.site.call("GET", address, admin).json()
    assert post.site.call("DELETE", address, admin).status_code == 204
    assert post.site.call("GET", address, admin).status_code == 404


def test_of_many_registrations_at_once_ten_get_in(post: Post) -> None:
    admin = post.site.world.group("pro")
    body = {"json": {"url": "https://hooks.example/ok"}}

    answers = post.site.app.together([("POST", "/api/webhooks", admin, body)] * 16)

    assert Counter(answer.status_code for answer in answers) == {
        201: ENDPOINTS_MAX, 409: 16 - ENDPOINTS_MAX,
    }  # fmt: skip
    assert len(list_endpoints(post, admin)) == ENDPOINTS_MAX


def list_endpoints(post: Post, admin: Principal) -> list[dict[str, Any]]:
    return list(post.site.call("GET", "/api/webhooks", admin).json()["items"])


# forbidden networks -----------------------------------------------------------------------------

FORBIDDEN = (
    "http://127.0.0.1/",
    "http://10.1.2.3/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[fd00::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://127.1/",
    "http://a.b.127.0.0.0x1/",
    "http://localhost/",
    "http://db.localhost./",
    "http://postgres/",
    "http://vault.internal/",
    "http://hooks.example:8080/",
    "http://xn--a/",
    "http://.hooks.example/",
    "http://hooks..example/",
    "http://" + "a" * 64 + ".example/",
    "http://user:secret@hooks.example/",
    "ftp://hooks.example/",
    "//hooks.example/",
    "",
    "http://",
    "http://hooks.example/\x00",
    "http://hooks.example/" + "x" * 2000,
)


@pytest.mark.covers("B-45")
@pytest.mark.parametrize("url", FORBIDDEN)
def test_an_address_of_a_forbidden_network_cannot_be_registered(post: Post, url: str) -> None:
    admin = post.site.world.group("pro")

    refused = post.site.call("POST", "/api/webhooks", admin, json={"url": url})

    assert refused.status_code == 400, refused.text
    assert "user:secret" not in refused.json()["detail"]
    with pytest.raises(AddressRefusedError):
        checked_public(url)


def test_an_address_that_got_in_all_the_same_is_not_asked(post: Post) -> None:
    """The worker judges for itself, whatever stands in the table."""
    admin = post.site.world.group("pro")
    endpoint = post.endpoint(admin)
    post.site.world.run(
        "UPDATE webhook_endpoints SET url = 'http://169.254.169.254/' WHERE id = %s", endpoint["id"]
    )

    post.change_plan(admin, "premium")
    with post.worker():
        delivery = post.only_delivery(admin)

    assert delivery["status"] == "failed"
    assert delivery["last_error"] == "not asked: 169.254.169.254 is not on the public Internet"


def test_without_a_proxy_a_name_is_looked_up_once_and_must_lead_to_a_public_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that leads home by now, and one that only resolves the second time to something."""
    asked: list[str] = []

    async def outcome() -> tuple[str | None, int | None]:
        loop = asyncio.get_running_loop()

        async def leads_home(host: str, *_: Any, **__: Any) -> list[Any]:
            asked.append(host)
            return [(2, 1, 6, "", ("93.184.215.14", 80)), (2, 1, 6, "", ("127.0.0.1", 80))]

        monkeypatch.setattr(loop, "getaddrinfo", leads_home)
        sender = Sender(None, timeout_s=5)
        message = Message(uuid.uuid4(), "test", datetime.now(UTC), {})
        sent = await sender.send(
            message, url="http://hooks.example/", secret="s", delivery_id=uuid.uuid4()
        )
        await sender.close()
        return sent.error, sent.status

    assert asyncio.run(outcome()) == (
        "not asked: hooks.example is not on the public Internet", None,
    )  # fmt: skip
    assert asked == ["hooks.example"]


# replay -----------------------------------------------------------------------------------------


@pytest.mark.covers("B-46")
def test_a_recorded_message_is_worth_nothing_ten_minutes_later(post: Post) -> None:
    """Signed rightly, by a worker whose clock stands still."""
    admin = post.site.world.group("pro")
    url = f"http://hooks.example/ok/{uuid.uuid4()}"
    body = post.site.call("POST", "/api/webhooks", admin, json={"url": url}).json()
    post.tell_secret(url, body["secret"])
    refused = post.hooks()["refused"].get("timestamp", 0)

    async def sent(age: timedelta) -> int | None:
        moment = (datetime.now(UTC) - age).timestamp()
        sender = Sender(post.outside.url, clock=lambda: moment)
        message = Message(uuid.uuid4(), "test", datetime.now(UTC), {})
        outcome = await sender.send(
            message, url=url, secret=body["secret"], delivery_id=uuid.uuid4()
        )
        await sender.close()
        return outcome.status

    assert asyncio.run(sent(timedelta(minutes=4))) == 204
    assert asyncio.run(sent(timedelta(minutes=10))) == 401
    assert asyncio.run(sent(-timedelta(minutes=10))) == 401
    assert post.hooks()["refused"]["timestamp"] == refused + 2


# processes --------------------------------------------------------------------------------------


def test_a_worker_without_its_settings_says_what_is_missing(post: Post) -> None:
    wrong = {"APP_DATABASE_URL": "", "WEBHOOK_SECRET": "short", "APP_WEBHOOK_BACKOFF_S": "soon"}
    with post.worker(**wrong, APP_WEBHOOK_PARALLEL=0, APP_OUTBOUND_PROXY="?") as running:
        assert running.popen.wait(30) == 2
        said = running.said()

    assert "APP_DATABASE_URL is not set" in said
    assert "WEBHOOK_SECRET is 5 bytes long" in said
    assert "APP_WEBHOOK_BACKOFF_S is 'soon'" in said
    assert "APP_WEBHOOK_PARALLEL is '0'" in said
    assert "APP_OUTBOUND_PROXY must be" in said
    assert ROOT not in said


def test_a_deployment_without_a_secret_has_no_webhooks(post: Post, plain_site: Site) -> None:
    admin = plain_site.world.group("pro")
    body = {"url": "http://hooks.example/ok"}

    refused = plain_site.call("POST", "/api/webhooks", admin, json=body)

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/webhooks-off")
    assert plain_site.call("GET", "/api/webhooks", admin).json()["items"] == []


@pytest.fixture(scope="module")
def plain_site(post: Post) -> Iterator[Site]:
    with site_on(post.site.world.admin_url, post.site.app_url, VARIANT) as up:
        yield up
