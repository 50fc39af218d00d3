"""The queue with real workers on a real database, and platforms that answer when they want."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sync_support import Platform, SyncWorld, platform, sync_world, worker

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
