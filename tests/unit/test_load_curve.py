"""Levels of a load: what they are at each instant, and around each bend."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from palier.model.curve import LEVEL, Polyline, Wave
from palier.model.rate_shape import Ramp, Sine, Spike, Stage, Staged

K6 = Staged(
    stages=(
        Stage(duration_s=120, to=0.1),
        Stage(duration_s=300, to=0.1),
        Stage(duration_s=120, to=1),
        Stage(duration_s=300, to=1),
        Stage(duration_s=120, to=0),
    )
).curve(960)
"""L-01."""


def test_a_stage_is_a_ramp_from_wherever_the_level_is() -> None:
    levels = {0: 0, 60: 0.05, 120: 0.1, 270: 0.1, 420: 0.1, 480: 0.55, 540: 1, 840: 1, 900: 0.5}
    for at_s, level in levels.items():
        assert K6.level(at_s) == pytest.approx(level), at_s
    assert K6.level(960) == 0
    assert K6.bends == (0, 120, 420, 540, 840, 960)


@pytest.mark.parametrize("bend_s", [120, 420, 540, 840])
def test_the_level_is_the_same_on_both_sides_of_a_bend(bend_s: float) -> None:
    assert K6.level(bend_s - 1e-9) == pytest.approx(K6.level(bend_s), abs=1e-8)
    assert K6.level(bend_s + 1e-9) == pytest.approx(K6.level(bend_s), abs=1e-8)


def test_the_area_up_to_each_bend_is_the_sum_of_its_trapezoids() -> None:
    areas = {0: 0, 120: 6, 420: 36, 540: 102, 840: 402, 960: 462, 5000: 462}
    for at_s, area in areas.items():
        assert K6.area(at_s) == pytest.approx(area), at_s


def test_a_stage_of_no_time_is_a_jump_and_the_level_there_is_the_new_one() -> None:
    jump = Staged(
        start=1,
        stages=(Stage(duration_s=10, to=1), Stage(duration_s=0, to=3), Stage(duration_s=10, to=3)),
    ).curve(20)
    assert jump.level(10 - 1e-9) == 1
    assert jump.level(10) == 3
    assert jump.area(20) == 40
    assert jump.when(10 + 3) == pytest.approx(11)


def test_a_shape_is_stretched_to_the_duration_that_is_played() -> None:
    short = K6.stretched(1 / 16)
    assert short.bends == (0, 7.5, 26.25, 33.75, 52.5, 60)
    assert short.level(33.75) == 1
    assert short.area(60) == pytest.approx(462 / 16)
    assert Wave(10, 0, 2).stretched(2) == Wave(20, 0, 2)


def test_before_its_start_a_curve_has_the_level_of_its_start() -> None:
    ramp = Ramp(start=0.5, end=2).curve(10)
    assert ramp.level(-100) == 0.5
    assert ramp.area(-100) == -50
    assert ramp.when(-50) == -100
    assert Wave(10, 1, 3).area(-5) == -10
    assert Wave(10, 1, 3).when(-10) == -5


def test_after_its_end_the_last_level_holds_and_a_level_of_0_never_brings_more() -> None:
    assert Ramp(start=0, end=2).curve(10).when(10 + 20) == 20
    assert K6.when(462.1) == math.inf


def test_a_spike_rises_holds_and_falls_when_it_says() -> None:
    spike = Spike(to=5, at_s=120, rise_s=10, hold_s=60, fall_s=10).curve(420)
    levels = {0: 1, 119: 1, 120: 1, 125: 3, 130: 5, 160: 5, 190: 5, 195: 3, 200: 1, 420: 1}
    for at_s, level in levels.items():
        assert spike.level(at_s) == pytest.approx(level), at_s
    assert spike.peak == 5
    assert spike.area(420) == pytest.approx(420 + 4 * 70)


def test_a_spike_without_flanks_jumps_up_and_down() -> None:
    spike = Spike(to=5, at_s=10, hold_s=5).curve(20)
    assert [spike.level(at_s) for at_s in (9.999, 10, 14.999, 15, 20)] == [1, 5, 5, 1, 1]


def test_a_sine_begins_half_way_and_rises() -> None:
    wave = Sine(period_s=600, low=0.2, high=1.8).curve(1200)
    levels = {0: 1, 150: 1.8, 300: 1, 450: 0.2, 600: 1, 750: 1.8}
    for at_s, level in levels.items():
        assert wave.level(at_s) == pytest.approx(level), at_s
    assert wave.area(600) == pytest.approx(600)
    assert wave.area(300) == pytest.approx(300 + 0.8 * 600 / math.pi)
    assert wave.peak == 1.8
    assert not wave.is_constant


def test_a_load_that_does_not_move_counts_time_itself() -> None:
    assert LEVEL.is_constant
    assert [LEVEL.when(LEVEL.area(at_s)) for at_s in (-3.25, 0, 1e6)] == [-3.25, 0, 1e6]
    assert Ramp(start=2, end=2).curve(5).is_constant


def test_the_way_back_finds_the_first_instant_of_a_stretch_without_load() -> None:
    pause = Polyline(((0, 1), (10, 1), (10, 0), (20, 0), (20, 1)))
    assert pause.when(10) == 10
    assert pause.when(10.5) == pytest.approx(20.5)
    assert all(pause.when(a) <= pause.when(b) for a, b in pairwise([9.9, 10, 10.1, 11]))
