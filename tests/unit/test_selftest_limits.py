"""What the self-test certifies, keeps, and tells."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from palier.selftest import limits as limits_module
from palier.selftest.certify import BUDGET_S, search_rate, sleep_lateness_s
from palier.selftest.limits import (
    LAG_LIMIT_S,
    Limits,
    PercentileError,
    RateStep,
    certified,
    keep,
    limits_as_json,
    this_machine,
)
from palier.selftest.table import limits_text


def step(rate_per_s: float, *, holds: bool, keeps_up: bool = False) -> RateStep:
    return RateStep(
        rate_per_s=rate_per_s,
        lag_p50_s=0.0001 if holds or keeps_up else LAG_LIMIT_S * 2,
        lag_p99_s=LAG_LIMIT_S / 2 if holds else LAG_LIMIT_S * 4,
        cpu_us=80.0,
        complete=True,
    )


def tried(
    limit_per_s: float, *, each_s: float = 1.0, interrupted: Sequence[int] = ()
) -> list[float]:
    """Rates that the search tries on a machine that holds so many, and is elsewhere for a moment in
    some of the trials."""
    rates: list[float] = []

    def try_rate(rate_per_s: float) -> RateStep:
        rates.append(rate_per_s)
        keeps_up = rate_per_s <= limit_per_s
        return step(rate_per_s, holds=keeps_up and len(rates) not in interrupted, keeps_up=keeps_up)

    search_rate(try_rate, lambda: len(rates) * each_s)
    return rates


LIMITS = Limits(
    at="2026-11-27T20:00:00+00:00",
    machine=this_machine(),
    rate_per_s=8000.0,
    cpu_us=80.5,
    lag_p50_s=0.00008,
    timer_p50_s=0.00006,
    timer_p99_s=0.0009,
    percentiles=(
        PercentileError(
            fraction=0.5, reported_s=0.0051, true_s=0.005, error_s=0.0001, allowed_s=0.0002
        ),
        PercentileError(
            fraction=0.999, reported_s=0.32, true_s=0.31, error_s=0.01, allowed_s=0.0031
        ),
    ),
    steps=(step(1000, holds=True), step(8000, holds=True), step(16000, holds=False)),
    shared_core=False,
    took_s=48.0,
)


def test_the_rate_doubles_until_it_does_not_hold_and_is_bisected_then() -> None:
    assert tried(6100) == [4000, 8000, 6000, 7000, 6500]


def test_a_rate_at_which_the_machine_was_elsewhere_for_a_moment_is_tried_once_more() -> None:
    assert tried(6100, interrupted=[1]) == [4000, 4000, 8000, 6000, 7000, 6500]
    assert tried(6100, interrupted=[1, 2]) == [4000, 4000, 2000, 3000, 3500, 3750]
    assert tried(6100, interrupted=[1], each_s=BUDGET_S) == [4000]


def test_a_slow_machine_is_searched_downwards_to_a_few_hundred_a_second() -> None:
    assert tried(0) == [4000, 2000, 1000, 500, 250]
    assert tried(600) == [4000, 2000, 1000, 500, 750, 600, 700, 650]


def test_no_rate_is_tried_when_the_time_is_up() -> None:
    assert len(tried(1e9, each_s=BUDGET_S / 3)) == 3


def test_a_rate_that_was_not_sent_whole_does_not_hold() -> None:
    assert step(1000, holds=True).holds
    assert not dataclasses.replace(step(1000, holds=True), complete=False).holds


def test_a_sleep_is_never_too_short() -> None:
    late_s = sleep_lateness_s()

    assert late_s == sorted(late_s)
    assert late_s[0] > -1e-4


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    assert certified(tmp_path) is None

    keep(LIMITS, tmp_path)

    assert certified(tmp_path) == LIMITS


def test_another_machine_is_not_certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(LIMITS, tmp_path)
    other = this_machine() | {"system": "Linux 1.0"}
    monkeypatch.setattr(limits_module, "this_machine", lambda: other)

    assert certified(tmp_path) is None


def test_a_certificate_of_another_schema_certifies_nothing(tmp_path: Path) -> None:
    path = keep(LIMITS, tmp_path)
    path.write_text(json.dumps(limits_as_json(LIMITS) | {"schema": 0}))

    assert certified(tmp_path) is None


def test_the_table_says_what_is_true_and_what_is_not() -> None:
    text = limits_text(LIMITS, Path("/kept.json"), width=100, color=False)

    assert "NOT TRUE" in text
    assert "CERTIFIED   8,000 requests/s" in text
    assert "✔ true" in text
    assert "✘ off" in text
    assert "✘ late" in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_table_says_when_nothing_is_kept() -> None:
    nothing = dataclasses.replace(LIMITS, rate_per_s=0.0, steps=(step(1000, holds=False),))

    text = limits_text(nothing, None, width=100, color=False)

    assert "NOT CERTIFIED" in text
    assert "Nothing is kept" in text
