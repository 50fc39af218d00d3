"""Live plan changes: from the commit to the sockets of the group, over the real server."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live_support import Served, change_plan, listening, served

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def live(fresh_database: Any) -> Iterator[Served]:
    with (
        tempfile.TemporaryDirectory(prefix="palier-test-", dir="/var/tmp") as home,
        fresh_database() as url,
        served(url, Path(home)) as up,
    ):
        yield up


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
