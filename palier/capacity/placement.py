"""Where the next probe goes.

The logarithm of the share that misses a limit is nearly a straight line in the rate: the tail of a
response time is exponential in (capacity - rate) times the limit. A weighted line through the
probes near the crossing guesses it, and the next two probes are put half a width to either side,
where both are decided quickly, and not on the crossing itself, where none ever is.

The line only places probes. It decides nothing: where it is wrong the search takes more probes,
and where it has no points the bracket is bisected, or the rate doubled.

Source: Abate, Choudhury and Whitt (1995), Operations Research 43(5), 885-901 (exponential tails).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from palier.capacity.decision import GateShare

FEWEST_MISSES: Final = 10
"""Fewer say little about a logarithm."""

SATURATED: Final = 0.5
"""Above this share the tail is no tail any more, and the line bends."""

BEND: Final = 0.3
"""How wrong the line may be at a point: this times the square of its height, as a curve is."""

NEAR: Final = 0.12
"""How far outside the bracket, as a logarithm, a probe still helps to draw the line."""

ALONE: Final = 0.2
"""A single probe that is no higher or lower than this is itself the guess."""

CLEAR: Final = 0.45
"""Part of half a width that a probe should stay away from the crossing to be decided."""

SAME: Final = 1.004
"""Two rates closer than this are one: where a probe stayed undecided the next would, too. With
1.007 searches that begin near the capacity end sooner, but fewer of all end with their width."""

AGAIN: Final = 0.75
"""Part of half a width from which on a probe that stayed undecided had bad luck: most are decided
so far from the crossing, so another one there is worth its time when it would end the search."""

BESIDE: Final = 1.0005
"""So far beside the first one a second probe goes: at one rate they would contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What one probe says about the line: its rate and its most strained gate."""

    rate_per_s: float
    share: GateShare


def guess_crossing(points: Sequence[Point], low: float | None, high: float | None) -> float | None:
    """Rate at which the most strained gate uses up what it allows; None without a rising line.

    Only probes in the bracket and near it count: at low rates the tail is that of the services
    alone, and flat.
    """
    known = _near([point for point in points if _on_the_line(point)], low, high)
    if not known:
        return None
    rate = np.array([point.rate_per_s for point in known])
    height = np.array([math.log(point.share.strain) for point in known])
    if len(known) == 1:
        return float(rate[0]) if abs(height[0]) < ALONE else None
    error = np.array([_noise(point) for point in known]) + (BEND * height**2) ** 2
    weight = 1 / np.maximum(error, 1e-6)
    middle = float(weight @ rate / weight.sum())
    level = float(weight @ height / weight.sum())
    spread = float(weight @ (rate - middle) ** 2)
    slope = float(weight @ ((rate - middle) * (height - level))) / spread if spread else 0.0
    return middle - level / slope if slope > 0 else None


def _on_the_line(point: Point) -> bool:
    one = point.share
    return one.missed >= FEWEST_MISSES and one.share < SATURATED and one.effective > 0


def _noise(point: Point) -> float:
    """Variance of the logarithm of the share, by its first derivative."""
    one = point.share
    return (1 - one.share) / (one.effective * one.share)


def _near(points: Sequence[Point], low: float | None, high: float | None) -> Sequence[Point]:
    """The probes in the bracket or within ``NEAR`` of it, or else the two that are nearest."""

    def distance(point: Point) -> float:
        below = math.log(low / point.rate_per_s) if low is not None else 0.0
        above = math.log(point.rate_per_s / high) if high is not None else 0.0
        return max(0.0, below, above)

    ordered = sorted(points, key=distance)
    return ordered[: max(2, sum(distance(point) <= NEAR for point in points))]


def next_rate(
    low: float | None, high: float | None, points: Sequence[Point], *, width: float, start: float
) -> float:
    """Rate of the next probe, inside the bracket.

    Args:
        low: Highest rate that passed.
        high: Lowest rate that failed.
        points: All probes with evidence.
        width: Width that ends the search, as a share of the lower end.
        start: First rate, when nothing is known.
    """
    if not points:
        return start
    rates = [point.rate_per_s for point in points]
    inside = [
        rate for rate in rates if (low is None or rate > low) and (high is None or rate < high)
    ]
    floor, ceiling = _ends(low, high, inside, width, step=_step(points, low))
    guess = guess_crossing(points, low, high)
    half = math.sqrt(1 + width)
    if guess is not None and floor / half < guess < ceiling * half:
        for rate in _ending(guess, low, high, inside, width):
            if floor < rate < ceiling:
                return rate
        for rate in (guess / half, guess * half):
            if floor * SAME < rate < ceiling / SAME and not _undecided(rate, inside):
                return rate
    if low is None:
        return floor
    if high is None:
        return ceiling
    return _middle_of_the_largest_gap(low, high, rates)


def _ends(
    low: float | None, high: float | None, inside: Sequence[float], width: float, step: float
) -> tuple[float, float]:
    """The bracket; where it is open the rate goes up by ``step`` or is halved, or moves on by a
    width when a probe was undecided there: then the capacity is near."""
    if low is None:
        low = min(inside) / (1 + width) if inside else (high or 0.0) / 2
    if high is None:
        high = max(inside) * (1 + width) if inside else max(1 + width, step) * low
    return low, high


def _step(points: Sequence[Point], low: float | None) -> float:
    """Factor from the highest rate that passed to the next: 2, or less when it is strained.

    The share missed grows at least as the square of the rate where it counts (queues grow much
    faster), so from a quarter of what is allowed on doubling would go too far.
    """
    strain = max((point.share.strain for point in points if point.rate_per_s == low), default=0.0)
    return min(2.0, strain**-0.5) if strain > 0 else 2.0


def _ending(
    guess: float, low: float | None, high: float | None, inside: Sequence[float], width: float
) -> list[float]:
    """Rates that end the search if they are decided as guessed, the one farthest from the guess
    first; none so near to it, or to an undecided probe, that it would not be decided."""
    half = math.sqrt(1 + width)
    clear, again = 1 + CLEAR * (half - 1), 1 + AGAIN * (half - 1)
    rates = []
    if low is not None and low * (1 + width) > guess * clear:
        rate = low * (1 + width)
        while _undecided(rate, inside, BESIDE):
            rate /= BESIDE
        rates.append(rate)
    if high is not None and high / (1 + width) < guess / clear:
        rate = high / (1 + width)
        while _undecided(rate, inside, BESIDE):
            rate *= BESIDE
        rates.append(rate)
    distance = {rate: max(rate, guess) / min(rate, guess) for rate in rates}
    return sorted(
        (rate for rate in rates if distance[rate] >= again or not _undecided(rate, inside)),
        key=lambda rate: -distance[rate],
    )


def _undecided(rate: float, inside: Sequence[float], same: float = SAME) -> bool:
    """Whether a probe inside the bracket, so an undecided one, was nearly at this rate."""
    return any(max(rate, one) < same * min(rate, one) for one in inside)


def _middle_of_the_largest_gap(low: float, high: float, probed: Sequence[float]) -> float:
    """Bisection; undecided probes inside the bracket divide it."""
    edges = sorted({low, high, *(rate for rate in probed if low < rate < high)})
    below, above = max(itertools.pairwise(edges), key=lambda gap: gap[1] / gap[0])
    return math.sqrt(below * above)
