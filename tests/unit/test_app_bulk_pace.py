"""The pace of bulk operations: what a worker does in any stretch of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_app.bulk.pace import Pace


def test_the_first_chunk_need_not_wait_and_the_next_ones_do():
    pace = Pace(per_s=100)

    assert [pace.wait_s(50, now=10.0) for _ in range(3)] == [0.0, 0.5, 1.0]


def test_time_without_work_is_not_saved_up():
    pace = Pace(per_s=100)
    pace.wait_s(50, now=0.0)

    assert pace.wait_s(50, now=1000.0) == 0.0
    assert pace.wait_s(50, now=1000.0) == pytest.approx(0.5)


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 50)), min_size=1, max_size=60))
def test_in_no_stretch_of_time_are_more_items_begun_than_the_pace_allows_and_one_chunk(asked):
    pace, per_s, now = Pace(per_s=100), 100, 0.0
    begun = []
    for pause_s, items in asked:
        now += pause_s
        begun.append((now + pace.wait_s(items, now), items))

    assert [at for at, _ in begun] == sorted(at for at, _ in begun)
    for first in range(len(begun)):
        for last in range(first, len(begun)):
            stretch_s = begun[last][0] - begun[first][0]
            items = sum(items for _, items in begun[first:last])
            assert items <= per_s * stretch_s + 1e-6
