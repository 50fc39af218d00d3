"""The rate limit against a slow, obvious reference."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_app.rate_limit import WINDOW_S, LocalWindows

gaps = st.lists(st.integers(0, 40), max_size=80)


@pytest.mark.covers("B-146", "T-136", "X-59")
@given(limit=st.integers(1, 6), gaps_s=gaps)
def test_no_sixty_seconds_hold_more_than_the_limit_and_nobody_below_it_is_refused(
    limit: int, gaps_s: list[int]
) -> None:
    now = 0.0
    windows = LocalWindows(limit, clock=lambda: now)
    user = uuid.uuid4()
    let_through: list[float] = []
    for gap_s in gaps_s:
        now += gap_s
        recent = [at for at in let_through if now - at < WINDOW_S]

        allowance = windows.take(user)

        assert allowance.allowed == (len(recent) < limit)
        if allowance.allowed:
            let_through.append(now)
            recent.append(now)
        assert allowance.remaining == limit - len(recent)
        assert allowance.reset_s == recent[0] + WINDOW_S - now
        assert 0 < allowance.reset_s <= WINDOW_S


@given(limit=st.integers(1, 3), gaps_s=gaps)
def test_who_comes_back_after_the_time_named_is_served(limit: int, gaps_s: list[int]) -> None:
    now = 0.0
    windows = LocalWindows(limit, clock=lambda: now)
    user = uuid.uuid4()
    for gap_s in gaps_s:
        now += gap_s
        allowance = windows.take(user)
        if not allowance.allowed:
            now += allowance.reset_s
            assert windows.take(user).allowed


@given(users=st.integers(1, 50), kept=st.integers(1, 20))
def test_however_many_owners_come_memory_is_bounded(users: int, kept: int) -> None:
    windows = LocalWindows(1, clock=lambda: 0.0, users_max=kept)
    for _ in range(users):
        assert windows.take(uuid.uuid4()).allowed
    assert len(windows) == min(users, kept)
