"""Fewer points for drawing lose no request and no bad second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from palier.analysis.findings import SecondPoint
from reports.figures.thin import columns

latencies = st.none() | st.floats(min_value=0, max_value=100)
counts = st.integers(min_value=0, max_value=5000)


@st.composite
def some_seconds(draw: st.DrawFn) -> list[SecondPoint]:
    length = draw(st.integers(min_value=1, max_value=60))
    return [
        SecondPoint(
            second=second,
            planned=draw(counts),
            started=0,
            succeeded=draw(counts),
            failed=draw(counts),
            timed_out=0,
            abandoned=0,
            skipped=0,
            response_p50_s=None,
            response_p95_s=draw(latencies),
            response_max_s=None,
            service_p95_s=None,
        )
        for second in range(length)
    ]


@given(some_seconds(), st.integers(min_value=1, max_value=20))
def test_thinning_keeps_every_request_and_the_worst_second(
    points: list[SecondPoint], most: int
) -> None:
    thin = columns(points, most=most)

    assert 1 <= len(thin) <= most
    assert thin[0].at_s == 0
    assert sum(column.width_s for column in thin) == len(points)
    planned = sum(column.planned_per_s * column.width_s for column in thin)
    assert round(planned) == sum(point.planned for point in points)
    worst = max((p.response_p95_s for p in points if p.response_p95_s is not None), default=None)
    drawn = [c.response_p95_s for c in thin if c.response_p95_s is not None]
    assert max(drawn, default=None) == worst


def test_a_short_run_is_drawn_second_by_second() -> None:
    point = SecondPoint(
        second=0,
        planned=3,
        started=3,
        succeeded=3,
        failed=0,
        timed_out=0,
        abandoned=0,
        skipped=0,
        response_p50_s=0.01,
        response_p95_s=0.02,
        response_max_s=0.03,
        service_p95_s=0.02,
    )

    (column,) = columns([point], most=300)

    assert (column.width_s, column.planned_per_s, column.response_max_s) == (1, 3, 0.03)


def test_nothing_measured_is_nothing_drawn() -> None:
    assert columns([], most=10) == ()
