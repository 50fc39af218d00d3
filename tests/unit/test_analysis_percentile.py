"""Percentiles: against raw samples, against theory, with censored requests, and their refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from analysis_runs import buckets_of, fast_buckets_of, make_test_sample
from numpy.typing import NDArray
from scipy import stats

from palier.analysis.dependence import design_effect
from palier.analysis.percentile import (
    order_statistics,
    percentile,
    requests_needed,
    samples_needed,
)
from palier.analysis.sample import Sample

BUCKET_ERROR = 1 / 1024


def log_normal(seed: int, n: int) -> NDArray[np.float64]:
    return 0.04 * np.exp(0.5 * np.random.default_rng(seed).normal(size=n))


def test_the_fast_buckets_of_these_tests_are_those_of_the_loader() -> None:
    values = np.concatenate([np.arange(0, 5000) * 1e-6, log_normal(1, 500), [12.5, 3600.0]])
    assert (fast_buckets_of(values) == buckets_of(values)).all()


@pytest.mark.parametrize("fraction", [0.5, 0.9, 0.95, 0.99, 0.999])
@pytest.mark.parametrize("seed", range(5))
def test_a_percentile_is_that_of_the_raw_durations_within_the_width_of_a_bucket(
    fraction: float, seed: int
) -> None:
    durations = log_normal(seed, 20_000)
    estimate = percentile(make_test_sample(durations), fraction)
    expected = np.quantile(durations, fraction, method="inverted_cdf")
    assert estimate.value == pytest.approx(expected, rel=BUCKET_ERROR)
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < estimate.value < estimate.high
    assert estimate.samples == 20_000
    assert not estimate.censored


@pytest.mark.covers("T-02", "T-52")
@pytest.mark.parametrize(
    ("fraction", "needed"), [(0.5, 20), (0.9, 100), (0.95, 200), (0.99, 1_000), (0.999, 10_000)]
)
def test_a_percentile_is_refused_below_ten_requests_beyond_it(fraction: float, needed: int) -> None:
    assert requests_needed(fraction) == needed
    enough = percentile(make_test_sample(log_normal(1, needed)), fraction)
    assert enough.refused is None
    refused = percentile(make_test_sample(log_normal(1, needed - 1)), fraction)
    assert refused.value is None
    assert refused.low is None
    assert refused.high is None
    assert refused.samples == needed - 1
    assert refused.refused is not None
    assert f"{needed:,}" in refused.refused


def test_nothing_has_no_percentile() -> None:
    empty = percentile(make_test_sample(np.array([])), 0.5)
    assert empty.value is None
    assert empty.samples == 0
    assert empty.refused is not None


def test_the_sample_sizes_of_wilks() -> None:
    assert samples_needed(0.95) == 59
    assert samples_needed(0.99) == 299


@pytest.mark.parametrize("n", [72, 300, 2_000])
@pytest.mark.parametrize("fraction", [0.5, 0.95, 0.99])
def test_ranks_of_the_interval_are_those_of_the_binomial_distribution(
    n: int, fraction: float
) -> None:
    """P(X_(r) <= q) and P(X_(s) >= q) are binomial tails; the ranks leave 2.5 % beyond each."""
    low, high = order_statistics(n, fraction)
    assert low is not None
    r = math.floor(low)
    assert stats.binom.cdf(r - 1, n, fraction) <= 0.025
    if fraction**n > 0.025:
        assert high is None
    else:
        assert high is not None
        s = math.ceil(high)
        assert stats.binom.sf(s - 1, n, fraction) <= 0.025


def test_there_is_no_upper_limit_until_the_largest_value_bounds_the_percentile() -> None:
    assert order_statistics(71, 0.95)[1] is None  # 0.95**71 = 2.6 %
    assert order_statistics(72, 0.95)[1] is not None
    assert order_statistics(0.5, 0.95) == (None, None)


def test_sojourn_times_of_a_simulated_queue_have_the_quantiles_of_theory() -> None:
    """M/M/1: the time in the system is exponential with rate mu - lambda."""
    rng = np.random.default_rng(7)
    arrival_per_s, service_per_s, n = 60.0, 100.0, 200_000
    gaps, services = rng.exponential(1 / arrival_per_s, n), rng.exponential(1 / service_per_s, n)
    # Lindley: the wait is the work so far minus its running minimum.
    steps = np.concatenate([[0.0], np.cumsum(services[:-1] - gaps[1:])])
    sojourn = steps - np.minimum.accumulate(np.minimum(steps, 0)) + services
    seconds = np.cumsum(gaps).astype(np.int64)
    for fraction in (0.5, 0.95, 0.99):
        estimate = percentile(make_test_sample(sojourn, seconds), fraction)
        theory = -math.log(1 - fraction) / (service_per_s - arrival_per_s)
        assert estimate.value == pytest.approx(theory, rel=0.03)
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low <= theory <= estimate.high
        # A queue remembers, so its requests are worth far fewer independent ones.
        assert estimate.effective is not None
        assert estimate.effective < n / 3


def drawn(seed: int, *, seconds: int, rate: float, memory: float, shared: float) -> Sample:
    """Log-normal durations; ``shared`` of the variance is a level that wanders as AR(1)."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=seconds) * math.sqrt(1 - memory**2)
    level = np.empty(seconds)
    level[0] = rng.normal()
    for i in range(1, seconds):
        level[i] = memory * level[i - 1] + noise[i]
    counts = rng.poisson(rate, seconds)
    second = np.repeat(np.arange(seconds), counts)
    own = rng.normal(size=len(second))
    z = math.sqrt(shared) * level[second] + math.sqrt(1 - shared) * own
    return make_test_sample(0.04 * np.exp(0.5 * z), second)


@pytest.mark.parametrize(
    ("seconds", "rate", "memory", "shared", "least"),
    [
        pytest.param(50, 6, 0.0, 0.0, 0.94, id="300 independent requests"),
        pytest.param(55, 36, 0.0, 0.0, 0.94, id="2000 independent requests"),
        pytest.param(55, 6, 0.5, 0.3, 0.91, id="300 requests of wandering level"),
        pytest.param(55, 36, 0.5, 0.1, 0.91, id="2000 requests of wandering level"),
        pytest.param(120, 17, 0.5, 0.3, 0.90, id="2000 requests, two minutes, wandering more"),
    ],
)
def test_the_interval_of_p95_covers_the_truth_as_often_as_it_says(
    seconds: int, rate: float, memory: float, shared: float, least: float
) -> None:
    """200 runs each; the standard error of a 95 % coverage is then 1.5 %."""
    truth = 0.04 * math.exp(0.5 * float(stats.norm.ppf(0.95)))
    covered = 0
    for seed in range(200):
        sample = drawn(seed, seconds=seconds, rate=rate, memory=memory, shared=shared)
        estimate = percentile(sample, 0.95)
        low = 0.0 if estimate.low is None else estimate.low
        high = math.inf if estimate.high is None else estimate.high
        covered += low <= truth <= high
    assert covered / 200 >= least


def test_ignoring_dependence_would_cover_far_less() -> None:
    """The negative control of the test above: the same runs, every second called the same."""
    truth = 0.04 * math.exp(0.5 * float(stats.norm.ppf(0.95)))
    covered = 0
    for seed in range(100):
        sample = drawn(seed, seconds=55, rate=36, memory=0.5, shared=0.3)
        shuffled = np.random.default_rng(seed).permutation(sample.second)
        independent = Sample(
            second=shuffled, bucket=sample.bucket, count=sample.count, censored=sample.censored
        )
        estimate = percentile(independent, 0.95)
        assert estimate.low is not None
        assert estimate.high is not None
        covered += estimate.low <= truth <= estimate.high
    assert covered / 100 < 0.75


def test_requests_that_depend_on_nothing_have_a_design_effect_near_one() -> None:
    rng = np.random.default_rng(3)
    totals = rng.poisson(50, 60)
    effects = [design_effect(rng.binomial(totals, 0.05), totals) for _ in range(100)]
    assert 1.0 <= np.median(effects) < 1.5


def test_requests_of_one_stalled_second_count_as_one_event() -> None:
    totals = np.full(60, 100)
    hits = np.zeros(60, dtype=np.int64)
    hits[30] = 100
    assert design_effect(hits, totals) > 50


def test_with_a_handful_of_seconds_each_counts_as_one_observation() -> None:
    totals = np.full(5, 100)
    hits = np.array([5, 4, 6, 5, 5])
    assert design_effect(hits, totals) == 100


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_what_all_or_none_have_says_nothing_about_dependence(share: float) -> None:
    totals = np.full(30, 10)
    assert design_effect((totals * share).astype(np.int64), totals) == 1.0


def test_a_freeze_leaves_a_value_that_describes_the_window_and_an_interval_without_a_top() -> None:
    """3 s of 30 s: p95 is what the requests saw; how often a freeze comes, one cannot tell."""
    rng = np.random.default_rng(1)
    intended = np.sort(rng.uniform(0, 30, 6_000))
    frozen = (intended >= 12) & (intended < 15)
    durations = np.where(frozen, 15 - intended, 0) + 0.008
    estimate = percentile(make_test_sample(durations, intended.astype(np.int64)), 0.95)
    assert estimate.value == pytest.approx(np.quantile(durations, 0.95), rel=0.01)
    assert estimate.value > 1.4
    assert estimate.low is not None
    assert estimate.low < 0.01
    assert estimate.high is None
    assert estimate.effective is not None
    assert estimate.effective < 72


def test_time_outs_beyond_the_percentile_do_not_change_it() -> None:
    durations = log_normal(1, 2_000)
    durations[:20] = 10.0
    censored = np.arange(2_000) < 20
    order = np.random.default_rng(5).permutation(2_000)
    estimate = percentile(make_test_sample(durations[order], censored=censored[order]), 0.95)
    assert not estimate.censored
    assert estimate.value == pytest.approx(np.quantile(durations, 0.95), rel=0.01)
    assert estimate.high is not None


def test_a_percentile_inside_the_censored_mass_is_a_lower_bound_without_an_upper_limit() -> None:
    durations = log_normal(1, 2_000)
    censored = np.arange(2_000) % 10 == 0
    durations[censored] = 4.0
    estimate = percentile(make_test_sample(durations, censored=censored), 0.95)
    assert estimate.censored
    assert estimate.value == pytest.approx(4.0, rel=BUCKET_ERROR)
    assert estimate.high is None


def test_requests_abandoned_early_count_as_possibly_slow_and_never_as_fast() -> None:
    """10 % given up after 1 ms are no 1 ms responses: p95 may be anything above."""
    durations = log_normal(1, 2_000)
    censored = np.arange(2_000) % 10 == 0
    durations[censored] = 0.001
    estimate = percentile(make_test_sample(durations, censored=censored), 0.95)
    assert estimate.censored
    assert estimate.high is None


def test_a_few_early_censored_requests_widen_the_interval_upwards_only() -> None:
    durations = log_normal(1, 5_000)
    censored = np.arange(5_000) % 200 == 0
    early = np.where(censored, 0.001, durations)
    with_them = percentile(make_test_sample(early, censored=censored), 0.95)
    without = percentile(make_test_sample(durations), 0.95)
    assert with_them.censored
    assert with_them.high is not None
    assert without.high is not None
    assert with_them.high > without.high
    assert with_them.value is not None
    assert without.value is not None
    assert with_them.value <= without.value
