"""What must hold of percentiles and ratios for every sample."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from palier.analysis.percentile import order_statistics, percentile
from palier.analysis.ratio import lower_limit, upper_limit
from palier.analysis.sample import Sample
from palier.analysis.units import UNITS, convert
from palier.load.histogram import bucket_middles_s, bucket_of

fractions = st.sampled_from([0.5, 0.9, 0.95])


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """200 to 400 requests in 1 to 30 seconds, some censored."""
    n = draw(st.integers(min_value=200, max_value=400))
    seconds = draw(st.integers(min_value=1, max_value=30))
    seed = draw(st.integers(min_value=0, max_value=2**32 - 1))
    share = draw(st.sampled_from([0.0, 0.01, 0.04, 0.06, 0.5, 1.0]))
    top = draw(st.sampled_from([50, 100_000, 10_000_000]))
    rng = np.random.default_rng(seed)
    micros = rng.integers(1, top, n)
    return Sample(
        second=rng.integers(0, seconds, n),
        bucket=np.array([bucket_of(int(value)) for value in micros], dtype=np.int64),
        count=rng.integers(1, 3, n),
        censored=rng.random(n) < share,
    )


@given(samples(), fractions)
def test_the_limits_enclose_the_value_and_it_is_one_that_was_recorded(
    sample: Sample, fraction: float
) -> None:
    estimate = percentile(sample, fraction)
    assert estimate.value is not None
    assert estimate.low is None or estimate.low <= estimate.value
    assert estimate.high is None or estimate.high >= estimate.value
    assert estimate.effective is not None
    assert 0 < estimate.effective <= sample.size
    assert np.isclose(bucket_middles_s(sample.bucket), estimate.value).any()
    if estimate.high is not None:
        assert math.isfinite(estimate.high)


@given(samples(), fractions)
def test_censoring_requests_never_makes_a_percentile_look_better(
    sample: Sample, fraction: float
) -> None:
    """The more is unknown, the higher the upper limit, or there is none."""
    known = Sample(
        second=sample.second,
        bucket=sample.bucket,
        count=sample.count,
        censored=np.zeros_like(sample.censored),
    )
    before, after = percentile(known, fraction), percentile(sample, fraction)
    assert after.value == before.value
    if after.high is not None:
        assert before.high is not None
        assert after.high >= before.high


@given(samples())
def test_more_than_the_share_beyond_censored_leaves_no_upper_limit(sample: Sample) -> None:
    share = sample.censored_size / sample.size
    for fraction in (0.5, 0.9, 0.95):
        estimate = percentile(sample, fraction)
        if share > 1 - fraction + 1 / sample.size:
            assert estimate.censored
            assert estimate.high is None


@given(samples(), fractions, st.integers(min_value=1, max_value=1_000))
def test_when_a_run_happens_changes_nothing(sample: Sample, fraction: float, later: int) -> None:
    shifted = Sample(
        second=sample.second + later,
        bucket=sample.bucket,
        count=sample.count,
        censored=sample.censored,
    )
    assert percentile(shifted, fraction) == percentile(sample, fraction)


@given(samples(), fractions, arrays(np.float64, 400, elements=st.floats(0, 1)))
def test_the_order_of_the_rows_changes_nothing(
    sample: Sample, fraction: float, keys: np.ndarray
) -> None:
    order = np.argsort(keys[: len(sample.count)], kind="stable")
    shuffled = Sample(
        second=sample.second[order],
        bucket=sample.bucket[order],
        count=sample.count[order],
        censored=sample.censored[order],
    )
    assert percentile(shuffled, fraction) == percentile(sample, fraction)


@given(st.floats(min_value=1, max_value=1e6), st.floats(min_value=0.01, max_value=0.999))
def test_ranks_of_an_interval_are_ranks_and_enclose_the_percentile(
    n: float, fraction: float
) -> None:
    low, high = order_statistics(n, fraction)
    if low is not None:
        assert 1 <= low <= n
        assert low <= fraction * n + 1
    if high is not None:
        assert 1 <= high <= n
        assert high >= fraction * n
    if low is not None and high is not None:
        assert low <= high


@given(st.floats(min_value=1, max_value=1e6), st.floats(min_value=0, max_value=1))
def test_limits_of_a_proportion_enclose_it(n: float, share: float) -> None:
    hits = share * n
    assert 0 <= lower_limit(hits, n) <= share + 1e-9
    assert share - 1e-9 <= upper_limit(hits, n) <= 1


SAME_DIMENSION = [
    (unit, other)
    for unit in sorted(UNITS)
    for other in sorted(UNITS)
    if UNITS[unit].dimension == UNITS[other].dimension
]


@given(st.sampled_from(SAME_DIMENSION), st.floats(min_value=-1e9, max_value=1e9))
def test_a_unit_converted_there_and_back_is_the_same_quantity(
    units: tuple[str, str], value: float
) -> None:
    unit, other = units
    assert math.isclose(
        convert(convert(value, unit, other), other, unit), value, rel_tol=1e-9, abs_tol=1e-12
    )
