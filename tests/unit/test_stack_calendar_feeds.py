"""The platforms' feeds: a function of seed, host and listing."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from palier.model.identity import ANCHOR
from palier.stack.calendar_platform.feeds import PLATFORM_OF_HOST, feed_text, listed_stays

HOSTS = sorted(PLATFORM_OF_HOST)


@pytest.mark.parametrize("host", HOSTS)
def test_the_same_seed_and_address_give_the_same_feed(host: str) -> None:
    def text(seed: int, listing: str) -> str:
        return feed_text(host, listed_stays(seed=seed, host=host, listing=listing))

    assert text(1, "a") == text(1, "a")
    assert len({text(seed, listing) for seed in (1, 2) for listing in ("a", "b")}) == 4


@pytest.mark.parametrize("host", HOSTS)
def test_stays_follow_each_other_beyond_every_seeded_booking(host: str) -> None:
    for listing in map(str, range(200)):
        stays = listed_stays(seed=1, host=host, listing=listing)
        assert 4 <= len(stays) <= 12
        assert stays[0].first_day >= ANCHOR + timedelta(days=1_500)
        assert all(stay.first_day < stay.last_day for stay in stays)
        for one, following in itertools.pairwise(stays):
            assert one.last_day <= following.first_day
        assert len({stay.uid for stay in stays}) == len(stays)
