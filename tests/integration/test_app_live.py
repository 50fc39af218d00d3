"""Live plan changes: from the commit to the sockets of the group, over the real server."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from app_support import SECRET, TOKENS, World
from live_support import Served, change_plan, listening, served

from palier.listeners.line import End, open_line
from reference_app.identity.principal import Principal
from reference_app.identity.tokens import Tokens
from reference_app.upkeep.clean import clean
from reference_app.upkeep.database import connect

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def live(fresh_database: Any) -> Iterator[Served]:
    with (
        tempfile.TemporaryDirectory(prefix="palier-test-", dir="/var/tmp") as home,
        fresh_database() as url,
        served(url, Path(home)) as up,
    ):
        yield up


def get(up: Served, path: str, who: Principal, **query: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {TOKENS.issue(who)}"}
    return httpx.get(f"{up.url}{path}", params=query, headers=headers, timeout=30)


@pytest.mark.covers("B-06", "B-22", "B-23", "B-210")
def test_a_plan_change_reaches_the_socket_of_the_group(live: Served) -> None:
    admin = live.world.group("pro")

    async def listen() -> dict[str, Any]:
        async with listening(live.url, admin) as client:
            hello = await client.next()
            await asyncio.to_thread(change_plan, live.world, admin, "premium")
            return hello | {"then": await client.next()}

    hello = asyncio.run(listen())

    assert hello["type"] == "hello"
    event = hello["then"]
    assert event["number"] > hello["last"]
    assert (event["type"], event["old_plan"], event["plan"]) == ("plan", "pro", "premium")
    assert event["plan_name"] == "Premium"
    assert event["status"] == "active"


async def in_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.to_thread(work, *arguments)


@pytest.mark.covers("B-27", "F-07", "X-17")
def test_a_change_of_what_a_plan_grants_reaches_the_groups_on_it_once(live: Served) -> None:
    on_free, on_pro = live.world.group("free"), live.world.group("pro")
    ((plan, category, module),) = live.world.rows(
        "SELECT p.id, c.id, m.id FROM subscription_plans p, categories c"
        " JOIN modules m ON m.category_id = c.id WHERE p.slug = 'free' AND NOT EXISTS ("
        " SELECT FROM plan_categories WHERE plan_id = p.id AND category_id = c.id) LIMIT 1"
    )

    def grant_both() -> None:
        with live.world.connection.transaction():
            for table, column, what in (
                ("plan_categories", "category_id", category),
                ("plan_modules", "module_id", module),
            ):
                live.world.run(
                    f"INSERT INTO {table} (plan_id, {column}) VALUES (%s, %s)", plan, what
                )

    def withdraw() -> None:
        live.world.run(
            "DELETE FROM plan_modules WHERE plan_id = %s AND module_id = %s", plan, module
        )
        live.world.run(
            "DELETE FROM plan_categories WHERE plan_id = %s AND category_id = %s", plan, category
        )

    async def listen() -> tuple[list[dict[str, Any]], dict[str, Any]]:
        async with listening(live.url, on_free) as free, listening(live.url, on_pro) as pro:
            await free.next(), await pro.next()
            await in_thread(grant_both)
            await in_thread(withdraw)
            await in_thread(change_plan, live.world, on_pro, "premium")
            await in_thread(change_plan, live.world, on_free, "premium")
            return [await free.next() for _ in range(4)], await pro.next()

    heard, others = asyncio.run(listen())

    # two rows in one transaction are one event; two transactions are two
    assert [event["type"] for event in heard] == ["content", "content", "content", "plan"]
    assert {event["plan"] for event in heard[:3]} == {"free"}
    assert others["type"] == "plan", "the other plan's groups heard nothing of it"


def test_a_change_of_status_is_told_and_a_change_that_was_rolled_back_is_not(live: Served) -> None:
    admin = live.world.group("pro")

    def change() -> None:
        try:
            with live.world.connection.transaction():
                change_plan(live.world, admin, "free")
                raise InterruptedError
        except InterruptedError:
            pass
        live.world.run(
            "UPDATE subscriptions SET status = 'suspended' WHERE school_group_id = %s",
            admin.tenant_id,
        )

    async def listen() -> dict[str, Any]:
        async with listening(live.url, admin) as client:
            await client.next()
            await in_thread(change)
            return await client.next()

    event = asyncio.run(listen())

    assert (event["type"], event["status"], event["plan"]) == ("status", "suspended", "pro")


@pytest.mark.covers("B-29")
def test_who_was_away_gets_what_was_missed_over_a_socket_or_by_asking(live: Served) -> None:
    admin, other = live.world.group("pro"), live.world.group("pro")

    async def listen() -> tuple[int, list[dict[str, Any]], list[dict[str, Any]]]:
        async with listening(live.url, admin) as client:
            last = (await client.next())["last"]
        for plan in ("premium", "free"):
            await in_thread(change_plan, live.world, admin, plan)
            await in_thread(change_plan, live.world, other, plan)
        async with listening(live.url, admin, since=last) as client:
            hello = await client.next()
            assert hello == {"type": "hello", "last": last}
            missed = [await client.next() for _ in range(2)]
        async with listening(live.url, admin, since=missed[0]["number"]) as client:
            await client.next()
            return last, missed, [await client.next()]

    last, missed, rest = asyncio.run(listen())
    asked = get(live, "/api/live/events", admin, since=last)

    assert [(event["old_plan"], event["plan"]) for event in missed] == [
        ("pro", "premium"),
        ("premium", "free"),
    ]
    assert rest == missed[1:]
    assert asked.json()["events"] == missed
    assert asked.json()["poll_after_s"] == 5
    again = get(live, "/api/live/events", admin, since=asked.json()["last"]).json()
    assert (again["events"], again["last"]) == ([], asked.json()["last"])


def test_who_was_away_for_too_long_is_told_to_read_everything(live: Served) -> None:
    admin = live.world.group("pro")
    newest = get(live, "/api/live/events", admin).json()["last"]
    for _ in range(26):
        change_plan(live.world, admin, "free")
        change_plan(live.world, admin, "pro")

    async def end_of(since: int) -> End:
        async with listening(live.url, admin, since=since) as client:
            return await client.end()

    for since in (newest, 2**62):  # more than is told afterwards; a number that never was
        asked = get(live, "/api/live/events", admin, since=since)
        assert (asked.status_code, asked.json()["type"]) == (410, "/problems/too-old")
        assert asked.json()["last"] == newest + 52
        assert asyncio.run(end_of(since)).code == 4410


def test_events_that_are_forgotten_are_known_to_be_gone(live: Served) -> None:
    admin = live.world.group("pro")
    newest = get(live, "/api/live/events", admin).json()["last"]
    change_plan(live.world, admin, "free")
    with connect(live.world.admin_url) as connection:
        clean(connection, datetime.now(UTC) + timedelta(days=40))

    kept = live.world.rows("SELECT number FROM plan_events")

    assert kept == [(newest + 1,)]
    assert get(live, "/api/live/events", admin, since=newest).status_code == 200
    assert get(live, "/api/live/events", admin, since=newest - 1).status_code == 410


def end_feeds(world: World) -> int:
    """Kill the connections that the application listens with."""
    return len(
        world.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'reference_app live'"
        )
    )


def test_nothing_is_lost_or_told_twice_when_the_listening_connection_dies(live: Served) -> None:
    admin = live.world.group("pro")

    async def listen() -> list[dict[str, Any]]:
        async with listening(live.url, admin) as client:
            await client.next()
            heard, killed = [], 0
            for _ in range(3):
                killed += await in_thread(end_feeds, live.world)
                await in_thread(change_plan, live.world, admin, "free")
                await in_thread(change_plan, live.world, admin, "pro")
                heard += [await client.next(), await client.next()]
            assert client.waiting() == 0
            assert killed > 0
            return heard

    heard = asyncio.run(listen())

    assert [event["plan"] for event in heard] == ["free", "pro"] * 3
    assert heard == sorted(heard, key=lambda event: event["number"])


def test_a_notification_that_anybody_may_send_is_believed_by_nobody(live: Served) -> None:
    admin = live.world.group("pro")
    forged = '{"number": 4611686018427387904, "type": "plan", "plan": "free"}'

    async def listen() -> dict[str, Any]:
        async with listening(live.url, admin) as client:
            await client.next()
            for payload in (forged, "", "not JSON"):
                await in_thread(live.world.run, "SELECT pg_notify('plan_changed', %s)", payload)
            await in_thread(change_plan, live.world, admin, "premium")
            return await client.next()

    assert asyncio.run(listen())["plan"] == "premium"


def test_changes_of_many_at_once_are_told_in_the_order_of_their_numbers(live: Served) -> None:
    admins = [live.world.group("pro") for _ in range(8)]

    def change(admin: Principal) -> None:
        with psycopg.connect(live.world.admin_url, autocommit=True) as connection:
            for plan in ("premium", "free", "pro", "free"):
                change_plan(World(live.world.admin_url, connection), admin, plan)

    async def listen() -> list[list[dict[str, Any]]]:
        async with AsyncExitStack() as clients:
            lines = [await clients.enter_async_context(listening(live.url, a)) for a in admins]
            for line in lines:
                await line.next()
            await asyncio.gather(*(in_thread(change, admin) for admin in admins))
            return [[await line.next() for _ in range(4)] for line in lines]

    heard = asyncio.run(listen())

    assert all(
        [event["plan"] for event in events] == ["premium", "free", "pro", "free"]
        for events in heard
    )
    numbers = [[event["number"] for event in events] for events in heard]
    assert all(line == sorted(line) for line in numbers)
    assert len({number for line in numbers for number in line}) == 32


@pytest.mark.parametrize("token", ["", "not.a.token"], ids=["none", "forged"])
def test_a_socket_needs_a_token(live: Served, token: str) -> None:
    admin = live.world.group("pro")

    async def end() -> End:
        async with listening(live.url, admin, token=token) as client:
            return await client.end()

    assert asyncio.run(end()).code == 403


def test_a_socket_is_for_administrators_of_groups(live: Served) -> None:
    async def end(who: Principal) -> End:
        async with listening(live.url, who) as client:
            return await client.end()

    for who in (live.world.owner(), live.world.super_admin()):
        assert asyncio.run(end(who)).code == 403
        assert get(live, "/api/live/events", who).status_code == 403


@pytest.mark.parametrize("since", ["-1", "one", "9223372036854775808"])
def test_a_number_that_is_none_is_refused(live: Served, since: str) -> None:
    admin = live.world.group("pro")

    async def end() -> End:
        line = await open_line(
            live.url,
            path=f"/api/live?since={since}",
            token=TOKENS.issue(admin),
            on_message=lambda _text, _ns: None,
        )
        return await line.ended

    assert get(live, "/api/live/events", admin, since=since).status_code == 400
    assert asyncio.run(end()).code == 403


def test_a_socket_ends_with_its_token(live: Served) -> None:
    admin = live.world.group("pro")

    async def end() -> End:
        while True:
            token = Tokens(SECRET, ttl_s=2).issue(admin)
            async with listening(live.url, admin, token=token) as client:
                try:
                    await client.next()
                except AssertionError:
                    continue  # the machine was so busy that the token ended first
                while not client.line.ended.done():
                    await in_thread(change_plan, live.world, admin, "free")
                    await in_thread(change_plan, live.world, admin, "pro")
                    await asyncio.wait([client.line.ended], timeout=0.2)
                return await client.end()

    assert asyncio.run(end()).code == 4401


def test_who_talks_to_the_socket_is_shown_out(live: Served) -> None:
    admin = live.world.group("pro")

    async def end() -> End:
        async with listening(live.url, admin) as client:
            await client.next()
            client.line.say("hello?")
            return await client.end()

    assert asyncio.run(end()).code == 1008


def test_where_nobody_can_listen_sockets_are_sent_away_and_asking_still_works(
    fresh_database: Any,
) -> None:
    async def end(up: Served, who: Principal) -> End:
        async with listening(up.url, who) as client:
            return await client.end()

    with (
        tempfile.TemporaryDirectory(prefix="palier-test-", dir="/var/tmp") as home,
        fresh_database() as url,
        served(
            url,
            Path(home),
            live_database_url="postgresql://nobody@127.0.0.1:1/none",
            pool_timeout_s="5",
        ) as up,
    ):
        admin = up.world.group("pro")

        assert asyncio.run(end(up, admin)).code == 1013
        change_plan(up.world, admin, "free")
        asked = get(up, "/api/live/events", admin, since=0).json()

    assert [event["plan"] for event in asked["events"]] == ["pro", "free"]


@pytest.mark.slow
def test_a_socket_without_news_says_that_it_is_alive_and_up_to_what(live: Served) -> None:
    admin, other = live.world.group("pro"), live.world.group("pro")

    async def listen() -> tuple[int, dict[str, Any]]:
        async with listening(live.url, admin) as client:
            last = (await client.next())["last"]
            await in_thread(change_plan, live.world, other, "free")
            return last, await client.next(signs_of_life=True)

    last, alive = asyncio.run(listen())

    assert alive == {"type": "alive", "last": last + 1}


def sockets(up: Served) -> float:
    found = re.search(r"^app_live_sockets ([\d.]+)$", httpx.get(f"{up.url}/metrics").text, re.M)
    assert found is not None
    return float(found[1])


def test_a_socket_that_breaks_leaves_nothing_behind(live: Served) -> None:
    admin = live.world.group("pro")

    async def until_there_are(wanted: int) -> None:
        while await in_thread(sockets, live) != wanted:
            await asyncio.sleep(0.01)

    async def leave() -> None:
        await until_there_are(0)  # those of the tests before
        async with listening(live.url, admin) as client:
            await client.next()
            assert await in_thread(sockets, live) == 1
            client.line.abort()
        await until_there_are(0)

    asyncio.run(asyncio.wait_for(leave(), 30))


@pytest.mark.slow
def test_a_reader_that_hangs_is_dropped_and_keeps_nobody_waiting(live: Served) -> None:
    slow, quick = live.world.group("pro"), live.world.group("pro")

    def change_much() -> None:
        with live.world.connection.transaction():
            for _ in range(3_000):
                change_plan(live.world, slow, "free")
                change_plan(live.world, slow, "pro")
        change_plan(live.world, quick, "free")

    async def listen() -> tuple[dict[str, Any], End]:
        async with listening(live.url, slow) as hanging, listening(live.url, quick) as reading:
            await hanging.next(), await reading.next()
            hanging.line.pause_reading()
            await in_thread(change_much)
            event = await reading.next()
            while await in_thread(sockets, live) > 1:
                await asyncio.sleep(0.05)
            hanging.line.resume_reading()
            return event, await hanging.end()

    event, end = asyncio.run(asyncio.wait_for(listen(), 100))

    assert event["plan"] == "free"
    assert end.code in (4408, 1006)
