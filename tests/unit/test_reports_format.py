"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palier.analysis.findings import Estimate
from reports import format as fmt


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ms"),
        (0.0000004, "< 0.001 ms"),
        (0.00004, "0.04 ms"),
        (0.0008, "0.8 ms"),
        (0.00996, "10 ms"),
        (0.041, "41 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (1.284, "1.28 s"),
        (9.996, "10.0 s"),
        (12.34, "12.3 s"),
        (1234.0, "1,234 s"),
        (None, "not measured"),
        (math.nan, "not measured"),
        (math.inf, "not measured"),
    ],
)
def test_a_latency_has_two_or_three_digits_and_its_unit(seconds: float | None, text: str) -> None:
    assert fmt.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0 %"),
        (0.123, "0.12 %"),
        (3.44, "3.4 %"),
        (34.2, "34 %"),
        (99.0, "99 %"),
        (99.5, "99.5 %"),
        (99.93, "99.93 %"),
        (99.9996, "99.9996 %"),
        (99.9999999, "> 99.9999 %"),
        (100.0, "100 %"),
        (0.00001, "< 0.0001 %"),
        (None, "not measured"),
    ],
)
def test_a_percentage_keeps_the_digits_that_matter(value: float | None, text: str) -> None:
    assert fmt.percent(value) == text


@given(st.floats(min_value=0, max_value=100, exclude_min=True, exclude_max=True))
def test_almost_all_is_never_shown_as_all_and_almost_none_never_as_none(value: float) -> None:
    text = fmt.percent(value)

    assert text != "100 %"
    assert text != "0 %"


@given(st.floats(min_value=1e-6, max_value=1e5))
def test_a_printed_latency_is_within_six_percent_of_the_measured_one(seconds: float) -> None:
    number, unit = fmt.duration(seconds).split(" ")

    shown_s = float(number.replace(",", "")) * {"ms": 0.001, "s": 1.0}[unit]

    assert shown_s == pytest.approx(seconds, rel=0.06)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_formatter_crashes_or_prints_nan(value: float) -> None:
    for formatter in (
        fmt.duration,
        fmt.span,
        fmt.plain,
        fmt.significant,
        fmt.rate,
        fmt.percent,
        fmt.ratio,
    ):
        text = formatter(value)
        assert text
        assert "nan" not in text
        assert "inf" not in text


def test_a_missing_number_is_never_zero() -> None:
    for formatter in (fmt.duration, fmt.span, fmt.plain, fmt.rate, fmt.percent, fmt.ratio):
        assert formatter(None) == "not measured"
    assert fmt.count(None) == "not measured"
    assert fmt.quantity(None, "ms") == "not measured"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.038, 0.044, "38–44 ms"),
        (0.98, 1.02, "980 ms to 1.02 s"),
        (0.0141, 0.0144, "14 ms"),
        (0.038, None, "≥ 38 ms"),
        (None, 0.044, "≤ 44 ms"),
        (None, None, "no interval"),
        (math.nan, 0.044, "≤ 44 ms"),
    ],
)
def test_an_interval_names_its_unit_once_and_says_when_an_end_is_open(
    low: float | None, high: float | None, text: str
) -> None:
    assert fmt.interval(low, high, fmt.duration) == text


def test_a_censored_estimate_is_a_lower_bound() -> None:
    stuck = Estimate(value=10.0, low=9.1, high=None, samples=300, censored=True)

    assert fmt.estimate(stuck) == "≥ 10.0 s"
    assert fmt.estimate_interval(stuck) == "≥ 9.10 s"


def test_a_refused_estimate_says_why_even_when_it_carries_a_value() -> None:
    refused = Estimate(value=0.5, low=None, high=None, samples=12, refused="needs 1,000 requests")

    assert fmt.estimate(refused) == "not measured"
    assert fmt.estimate_interval(refused) == "needs 1,000 requests"


@pytest.mark.parametrize(
    ("comparator", "low", "high", "unit", "text"),
    [
        ("<", 100.0, None, "ms", "< 100 ms"),
        ("<=", 2000.0, None, "ms", "≤ 2 s"),
        (">=", 99.95, None, "%", "≥ 99.95 %"),
        ("approx", 350.0, None, "ms", "≈ 350 ms"),
        ("range", 30.0, 50.0, "ms", "30–50 ms"),
        (">=", 1_000_000.0, None, "events/month", "≥ 1,000,000 events/month"),
        ("=", None, None, "ms", "no number stated"),
    ],
)
def test_a_limit_is_shown_as_its_source_states_it(
    comparator: str, low: float | None, high: float | None, unit: str, text: str
) -> None:
    assert fmt.limit(comparator, low, high, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(60, "60 s"), (300, "5 min"), (330, "5 min 30 s"), (5400, "1 h 30 min"), (7.5, "7.5 s")],
)
def test_a_window_reads_as_people_plan_it(seconds: float, text: str) -> None:
    assert fmt.span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(45.2, "0:45"), (725, "12:05"), (3723, "1:02:03"), (-3, "0:00")]
)
def test_time_left_looks_like_a_clock(seconds: float, text: str) -> None:
    assert fmt.clock(seconds) == text


def test_percentiles_are_named_without_needless_digits() -> None:
    assert [fmt.percentile_name(at) for at in (0.5, 0.95, 0.99, 0.999)] == [
        "p50",
        "p95",
        "p99",
        "p99.9",
    ]
