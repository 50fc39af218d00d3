"""The laws of the known server: what they say is what they draw."""

from __future__ import annotations

import math

import numpy as np
import pytest

from palier.errors import ConfigError
from palier.selftest.law import Stalls, parse_freeze, parse_law


def drawn_s(text: str, *, times: int = 20_000) -> np.ndarray:
    draw = parse_law(text).drawer(seed=3)
    return np.array([draw() for _ in range(times)]) / 1e9


@pytest.mark.parametrize(
    "text",
    ["constant:5ms", "exponential:5ms", "lognormal:5ms:0.5", "bimodal:2ms:50ms:0.05"],
)
def test_the_mean_of_what_is_drawn_is_the_mean_of_the_law(text: str) -> None:
    drawn = drawn_s(text)

    error = 4 * drawn.std() / math.sqrt(len(drawn))
    assert drawn.mean() == pytest.approx(parse_law(text).mean_s(), abs=error + 1e-9)


def test_half_of_a_lognormal_law_lies_below_its_median() -> None:
    assert np.mean(drawn_s("lognormal:5ms:0.5") < 0.005) == pytest.approx(0.5, abs=0.015)


def test_a_bimodal_law_has_two_times_and_the_stated_share_of_the_rare_one() -> None:
    values, counts = np.unique(drawn_s("bimodal:2ms:50ms:0.05"), return_counts=True)

    assert values == pytest.approx([0.002, 0.05])
    assert counts[1] / counts.sum() == pytest.approx(0.05, abs=0.007)


def test_the_same_seed_draws_the_same_times() -> None:
    one, other = (parse_law("exponential:1ms").drawer(seed=9) for _ in range(2))

    assert [one() for _ in range(50)] == [other() for _ in range(50)]


def test_an_answer_may_take_no_time() -> None:
    assert parse_law("constant:0").takes_no_time
    assert not parse_law("bimodal:0:50ms:0.05").takes_no_time


@pytest.mark.parametrize(
    "text",
    [
        "constant",
        "uniform:5ms",
        "lognormal:5ms",
        "lognormal:5ms:x",
        "constant:5",
        "bimodal:1ms:2ms:-1",
    ],
)
def test_what_is_no_law_is_refused_with_a_fix(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_law(text)
    assert refused.value.fix


def test_a_freeze_lies_in_the_middle_of_each_period() -> None:
    stalls = Stalls(freeze_s=2, every_s=20)

    assert stalls.freeze_after(0) == (9, 11)
    assert stalls.freeze_after(11) == (29, 31)


def test_a_server_that_stops_for_good_does_so_after_the_freezes_before() -> None:
    stalls = Stalls(freeze_s=2, every_s=20, stop_at_s=25)

    assert stalls.freeze_after(0) == (9, 11)
    assert stalls.freeze_after(11) == (25, math.inf)


def test_a_slow_start_falls_from_ten_times_the_law_to_the_law() -> None:
    stalls = Stalls(slow_start_s=10)

    assert [stalls.factor(at_s) for at_s in (0, 5, 10, 11)] == [10, 5.5, 1, 1]


def test_freezes_that_leave_nothing_between_them_are_refused() -> None:
    assert parse_freeze("2s/20s") == (2, 20)
    with pytest.raises(ConfigError):
        parse_freeze("2s/2s")
