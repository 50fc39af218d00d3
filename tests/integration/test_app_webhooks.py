"""Webhooks: signed deliveries over failures, hangs, kills and crowds, to public addresses only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from webhook_support import Post, post_on

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def post(fresh_database: Any) -> Iterator[Post]:
    with fresh_database() as url, post_on(url) as up:
        yield up
        assert up.outside.strangers() == {}, "somebody was asked who should not have been"


@pytest.mark.covers("B-45", "B-46", "F-28")
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
