"""Warm-up and steadiness: found where they are, and not where they are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from analysis_runs import make_test_sample
from numpy.typing import NDArray

from palier.analysis.findings import Steadiness
from palier.analysis.perseconds import quantile_by_second, share_by_second
from palier.analysis.steadiness import find_trend, judge_steadiness
from palier.analysis.step import SHORTEST, find_step
from palier.analysis.window import find_window

Floats = NDArray[np.float64]


def series(
    seed: int,
    *,
    seconds: int,
    rate: float,
    shape: Floats | None = None,
    memory: float = 0.0,
    shared: float = 0.0,
    median_s: float = 0.04,
) -> tuple[Floats, Floats]:
    """Medians and slow shares by second of log-normal durations times a shape over time."""
    rng = np.random.default_rng(seed)
    level = np.zeros(seconds)
    noise = rng.normal(size=seconds) * math.sqrt(1 - memory**2)
    level[0] = rng.normal()
    for i in range(1, seconds):
        level[i] = memory * level[i - 1] + noise[i]
    second = np.repeat(np.arange(seconds), rng.poisson(rate, seconds))
    z = math.sqrt(shared) * level[second]
    z = z + math.sqrt(1 - shared) * rng.normal(size=len(second))
    form = np.ones(seconds) if shape is None else shape
    durations = median_s * form[second] * np.exp(0.6 * z)
    sample = make_test_sample(durations, second)
    slow_s = float(np.quantile(durations, 0.9))
    return (
        quantile_by_second(sample, 0.5, seconds=seconds),
        share_by_second(sample, slow_s, seconds=seconds),
    )


def judged(medians_s: Floats, shares: Floats) -> Steadiness:
    window = find_window(medians_s, warmup_s=0, end_s=len(medians_s))
    start = int(window.from_s)
    return judge_steadiness(
        medians_s[start:],
        shares[start:],
        settled=window.settled,
        warmup_found_s=window.from_s,
    )


@pytest.mark.parametrize(
    ("seconds", "rate"), [(25, 4.0), (25, 200.0), (55, 4.0), (55, 36.0), (15, 2.0)]
)
def test_steady_runs_are_called_drifting_in_at_most_two_of_a_hundred(
    seconds: int, rate: float
) -> None:
    alarms = sum(
        judged(*series(seed, seconds=seconds, rate=rate)).steady is False for seed in range(200)
    )
    assert alarms <= 4


def test_a_system_that_breathes_is_rarely_called_drifting() -> None:
    """A tenth of the variance wanders with a memory of seconds: up to three in a hundred."""
    alarms = sum(
        judged(*series(seed, seconds=55, rate=36, memory=0.5, shared=0.1)).steady is False
        for seed in range(200)
    )
    assert alarms <= 8


@pytest.mark.parametrize(("seconds", "rate", "least"), [(25, 40.0, 0.95), (55, 20.0, 0.95)])
def test_a_response_time_that_doubles_over_the_window_is_found(
    seconds: int, rate: float, least: float
) -> None:
    shape = np.linspace(1, 2, seconds)
    found = sum(
        judged(*series(seed, seconds=seconds, rate=rate, shape=shape)).steady is False
        for seed in range(100)
    )
    assert found / 100 >= least


def test_a_drift_says_how_far_and_in_which_direction() -> None:
    steadiness = judged(*series(1, seconds=55, rate=100, shape=np.linspace(1, 2, 55)))
    assert steadiness.steady is False
    assert steadiness.change == pytest.approx(1.0, abs=0.4)
    assert "rises" in steadiness.why
    falling = judge_steadiness(
        *series(1, seconds=55, rate=100, shape=np.linspace(2, 1, 55)),
        settled=True,
        warmup_found_s=0,
    )
    assert falling.steady is False
    assert "falls" in falling.why


@pytest.mark.parametrize(("from_s", "least"), [(27, 0.97), (41, 0.97), (46, 0.8)])
def test_a_level_that_doubles_and_stays_is_found_wherever_it_begins(
    from_s: int, least: float
) -> None:
    """A trend test alone finds the last of these in one run of three."""
    shape = np.where(np.arange(55) < from_s, 1.0, 2.0)
    runs = [judged(*series(seed, seconds=55, rate=20, shape=shape)) for seed in range(60)]
    assert sum(run.steady is False for run in runs) / 60 >= least


def test_a_step_says_from_what_to_what_and_when() -> None:
    shape = np.where(np.arange(55) < 46, 1.0, 2.0)
    steadiness = judged(*series(1, seconds=55, rate=100, shape=shape))
    assert steadiness.steady is False
    assert "steps from" in steadiness.why
    assert "46 s into the judged window" in steadiness.why


@pytest.mark.parametrize("period_s", [5, 11, 18])
def test_what_comes_back_again_and_again_is_no_drift(period_s: int) -> None:
    """A wave of a third, and a sawtooth that doubles and falls, over three periods or more."""
    rng = np.random.default_rng(3)
    second = np.arange(55)
    for seed in range(20):
        phase = rng.random()
        wave = 1 + 0.3 * np.sin(2 * np.pi * (second / period_s + phase))
        sawtooth = 1 + (second / period_s + phase) % 1
        for shape in (wave, sawtooth):
            assert judged(*series(seed, seconds=55, rate=20, shape=shape)).steady is True


def test_an_episode_that_is_over_before_the_end_is_no_step() -> None:
    for at_s in (20, 30):
        shape = np.where((np.arange(55) >= at_s) & (np.arange(55) < at_s + 8), 2.0, 1.0)
        alarms = sum(
            judged(*series(seed, seconds=55, rate=20, shape=shape)).steady is False
            for seed in range(20)
        )
        assert alarms <= 1


def test_a_series_of_two_levels_is_split_where_they_meet() -> None:
    levels = np.array([1.0] * 20 + [2.0] * 10)
    step = find_step(levels)
    assert step is not None
    assert (step.at, step.before, step.after, step.p_value) == (20, 1.0, 2.0, 0.0)
    with_gaps = np.insert(levels, [3, 20], np.nan)
    moved = find_step(with_gaps)
    assert moved is not None
    assert moved.at == 22
    assert find_step(np.full(30, 1.0)) is None
    assert find_step(levels[: 2 * SHORTEST - 1]) is None


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.8])
def test_a_step_is_not_seen_in_noise_even_if_neighbours_resemble_each_other(memory: float) -> None:
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(300):
        noise = rng.normal(size=55) * math.sqrt(1 - memory**2)
        for i in range(1, 55):
            noise[i] += memory * noise[i - 1]
        step = find_step(noise)
        found += step is not None and step.p_value < 0.005
    assert found <= 9


def test_a_tail_that_grows_under_a_constant_median_is_found() -> None:
    """One request in ten becomes slower and slower; the median never notices."""
    rng = np.random.default_rng(2)
    seconds, rate = 50, 100
    second = np.repeat(np.arange(seconds), rate)
    slow = rng.random(len(second)) < 0.02 + 0.16 * second / seconds
    durations = np.where(slow, 0.4, 0.04) * np.exp(0.1 * rng.normal(size=len(second)))
    sample = make_test_sample(durations, second)
    steadiness = judge_steadiness(
        quantile_by_second(sample, 0.5, seconds=seconds),
        share_by_second(sample, float(np.quantile(durations, 0.9)), seconds=seconds),
        settled=True,
        warmup_found_s=0,
    )
    assert steadiness.steady is False
    assert "share of slow requests" in steadiness.why


def test_a_change_below_what_the_generator_can_resolve_does_not_matter() -> None:
    """From 1 ms to 2 ms is a doubling, and less than the timers of a Python generator blur."""
    shape = np.linspace(1, 2, 55)
    medians_s, shares = series(1, seconds=55, rate=100, shape=shape, median_s=0.001)
    tail_as_before = np.full_like(shares, 0.1)
    assert judge_steadiness(medians_s, tail_as_before, settled=True, warmup_found_s=0).steady


def test_one_stall_is_no_drift() -> None:
    medians_s, shares = series(1, seconds=55, rate=36)
    medians_s[30:33], shares[30:33] = 1.5, 1.0
    assert judged(medians_s, shares).steady is True


def test_seconds_without_an_answer_are_the_slowest_and_break_nothing() -> None:
    medians_s, shares = series(1, seconds=30, rate=36)
    medians_s[18:], shares[18:] = np.inf, 1.0
    assert judged(medians_s, shares).steady is False


def test_too_few_seconds_cannot_tell() -> None:
    steadiness = judged(*series(1, seconds=11, rate=36))
    assert steadiness.steady is None
    assert "12" in steadiness.why


def test_a_trend_of_equal_values_is_none() -> None:
    assert find_trend(np.full(30, 0.04)).p_value == 1.0
    assert find_trend(np.array([1.0, 2.0, np.nan])).p_value == 1.0


def test_a_straight_line_is_a_trend_of_its_own_size() -> None:
    trend = find_trend(np.linspace(10, 20, 30))
    assert trend.change == pytest.approx(10)
    assert trend.p_value < 1e-6


def test_a_slow_start_is_cut_to_where_it_reaches_the_level_of_the_second_half() -> None:
    shape = np.ones(55)
    shape[:8] = np.linspace(6, 1.6, 8)
    medians_s, _ = series(1, seconds=55, rate=100, shape=shape)
    window = find_window(medians_s, warmup_s=0, end_s=55)
    assert window.settled
    assert 6 <= window.from_s <= 9


@pytest.mark.parametrize("rate", [20, 100])
def test_a_start_three_times_as_slow_is_cut_where_it_ends(rate: int) -> None:
    shape = np.where(np.arange(55) < 7, 3.0, 1.0)
    cuts = [
        find_window(series(seed, seconds=55, rate=rate, shape=shape)[0], warmup_s=2, end_s=55)
        for seed in range(60)
    ]
    assert sum(5 <= window.from_s <= 8 for window in cuts) >= 59


@pytest.mark.parametrize("rate", [20, 100])
def test_a_start_that_decays_is_cut_where_it_is_near_its_level_and_the_rest_is_steady(
    rate: int,
) -> None:
    """Four times too slow at first, e-folding in 4 s: within a quarter after 11 s."""
    shape = 1 + 4 * np.exp(-np.arange(60) / 4)
    alarms, cuts = 0, []
    for seed in range(40):
        medians_s, shares = series(seed, seconds=60, rate=rate, shape=shape)
        cuts.append(find_window(medians_s, warmup_s=0, end_s=60).from_s)
        alarms += judged(medians_s, shares).steady is False
    assert 6 <= np.median(cuts) <= 12
    assert alarms <= 10


def test_a_steady_start_is_not_cut() -> None:
    cut = [
        find_window(series(seed, seconds=55, rate=36)[0], warmup_s=5, end_s=55).from_s != 5
        for seed in range(100)
    ]
    assert sum(cut) <= 2


def test_a_stall_in_the_first_third_is_not_taken_for_warm_up() -> None:
    """MSER would cut it away, because without it the rest varies less."""
    medians_s, _ = series(1, seconds=55, rate=100)
    medians_s[9:13] = 2.0
    assert find_window(medians_s, warmup_s=5, end_s=55).from_s == 5


def test_a_start_that_never_settles_is_kept_and_the_run_is_not_steady() -> None:
    shape = np.where(np.arange(55) < 25, 5.0, 1.0)
    medians_s, shares = series(1, seconds=55, rate=100, shape=shape)
    window = find_window(medians_s, warmup_s=0, end_s=55)
    assert window.from_s == 0
    assert not window.settled
    assert judged(medians_s, shares).steady is False


def test_the_planned_warm_up_is_left_out_in_whole_seconds() -> None:
    medians_s, _ = series(1, seconds=40, rate=36)
    assert find_window(medians_s, warmup_s=1.67, end_s=40).from_s == 2


def test_quantiles_by_second_are_those_of_each_second() -> None:
    durations = np.array([0.1, 0.3, 0.2, 0.9, 0.5])
    second = np.array([0, 0, 0, 2, 2])
    sample = make_test_sample(durations, second, np.array([False, False, False, True, False]))
    medians_s = quantile_by_second(sample, 0.5, seconds=3)
    assert medians_s[0] == pytest.approx(0.2, rel=1e-3)
    assert math.isnan(medians_s[1])
    assert medians_s[2] == pytest.approx(0.5, rel=1e-3)
    assert quantile_by_second(sample, 1.0, seconds=3)[2] == pytest.approx(0.9, rel=1e-3)
    assert quantile_by_second(sample, 1.0, seconds=3, worst=True)[2] == math.inf
    assert math.isnan(quantile_by_second(sample, 0.5, seconds=3, fewest=3)[2])
