"""Where the next probe of a search goes."""

from __future__ import annotations

import math

import pytest

from palier.capacity.decision import GateShare
from palier.capacity.evidence import Gate
from palier.capacity.placement import Point, next_rate

GATE = Gate(id="late", allowed=0.05)


def point(rate_per_s: float, strain: float) -> Point:
    """A probe of 10,000 requests that used this much of what the gate allows."""
    share = strain * GATE.allowed
    return Point(
        rate_per_s=rate_per_s,
        share=GateShare(
            gate=GATE, share=share, missed=round(10_000 * share), effective=10_000, low=0, high=1
        ),
    )


def test_the_first_rate_is_the_one_that_was_asked_for() -> None:
    assert next_rate(None, None, [], width=0.05, start=3.0) == 3.0


def test_a_calm_rate_is_doubled_and_a_strained_one_is_not() -> None:
    assert next_rate(50, None, [point(50, 0.0)], width=0.05, start=50) == 100
    assert next_rate(50, None, [point(50, 0.5)], width=0.05, start=50) == pytest.approx(70.7, abs=1)


def test_while_nothing_has_failed_the_line_asks_for_the_lower_of_two_rates_first() -> None:
    """The other order was tried and takes more probes (decision 0103)."""
    passed, undecided = point(53.3, 0.39), point(84.9, 0.94)

    below = next_rate(53.3, None, [passed, undecided], width=0.2, start=3.3)
    above = next_rate(53.3, None, [passed, undecided, point(below, 0.8)], width=0.2, start=3.3)

    assert 53.3 < below < 84.9 < above <= 84.9 * 1.2


def test_while_nothing_has_passed_a_probe_that_stays_undecided_is_followed_by_one_below_it() -> (
    None
):
    undecided, failed = point(84.9, 0.94), point(120, 3.0)

    rate = next_rate(None, 120, [undecided, failed], width=0.2, start=3.3)

    assert 84.9 / 1.2 <= rate < 84.9


def test_between_two_ends_the_next_probe_keeps_away_from_the_crossing() -> None:
    passed, failed = point(50, 0.3), point(100, 3.0)

    rate = next_rate(50, 100, [passed, failed], width=0.05, start=3.3)

    # Where a straight line through the logarithms crosses: half a width below it.
    crossing = 50 + 50 * math.log(1 / 0.3) / math.log(3.0 / 0.3)
    assert rate == pytest.approx(crossing / 1.05**0.5)
