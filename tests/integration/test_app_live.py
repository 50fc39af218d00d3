"""Live plan changes: from the commit to the sockets of the group, over the real server."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app_support import World
from live_support import Served, listening, served

from reference_app.identity.principal import Principal

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def live(fresh_database: Any) -> Iterator[Served]:
    with (
        tempfile.TemporaryDirectory(prefix="palier-test-", dir="/var/tmp") as home,
        fresh_database() as url,
        served(url, Path(home)) as up,
    ):
        yield up


def change_plan(world: World, admin: Principal, plan: str) -> None:
    world.run(
        "UPDATE subscriptions SET plan_id = (SELECT id FROM subscription_plans WHERE slug = %s)"
        " WHERE school_group_id = %s",
        plan,
        admin.tenant_id,
    )


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
