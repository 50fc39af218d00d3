"""What the schedule draws: arrivals, think times, tenants; each from a stream of its own.

Only ``Random.random()`` is used: its sequence is the part of the standard library's generator
that later versions of Python promise to keep. Draws are turned into whole microseconds one by
one, so that a last bit of ``log`` that differs between two C libraries does not add up.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from random import Random
from typing import Literal

MICROSECONDS = 1_000_000

THINK_LIMIT = 10
"""A think time is never longer than ten times its mean.

Source: TPC-C Standard Specification, revision 5.11, clause 5.2.5.4 (negative exponential think
times, truncated at ten times the mean)."""

TENANT_SHIFT = 8
"""Tenant k is picked in proportion to 1 / (k + 8): Zipf's law with a blunted peak (Mandelbrot).

The data has the same skew (docs/decisions/0030-seed.md), so big tenants are busy tenants."""


def stream(seed: int, name: str) -> Random:
    """The generator of one purpose: drawing more of one never changes another."""
    return Random(f"{seed}/{name}")


def exponential_us(mean_us: float, random: Random) -> int:
    """A whole number of microseconds, exponentially distributed; 0 when the mean is."""
    return round(-math.log(1.0 - random.random()) * mean_us)


def think_us(mean_s: float, random: Random) -> int:
    """A think time in microseconds: exponential, at most ``THINK_LIMIT`` times the mean.

    The limit takes 0.005 % off the mean (``exp(-10)``).
    """
    if mean_s == 0:
        random.random()  # drawn all the same: what comes after must not depend on the mean
        return 0
    mean_us = mean_s * MICROSECONDS
    return min(exponential_us(mean_us, random), round(THINK_LIMIT * mean_us))


def arrival_gaps_us(
    process: Literal["poisson", "constant"], per_s: float, random: Random
) -> Iterator[int]:
    """Gaps between arrivals, without end; the first runs from the start of time.

    Args:
        process: ``poisson`` has exponential gaps; ``constant`` equal ones, the first one half as
            long.
        per_s: Mean arrivals a second, > 0.
    """
    mean_us = MICROSECONDS / per_s
    if process == "poisson":
        while True:
            yield exponential_us(mean_us, random)
    before_us, arrivals = 0, 0
    while True:
        # From the count, not from the gap before: rounding must not add up to another rate.
        at_us = round((arrivals + 0.5) * mean_us)
        yield at_us - before_us
        before_us, arrivals = at_us, arrivals + 1


def tenant_weights(tenants: int, *, at_most: float = 1.0) -> list[int]:
    """Weight of each tenant, shape (tenants,): whole numbers, so picking is exact.

    Args:
        tenants: How many there are.
        at_most: Largest share of one tenant; what the busiest would have beyond it, all the others
            have in proportion. Below ``1 / tenants`` everybody has the same.
    """
    weights = [(1 << 40) // (k + TENANT_SHIFT) for k in range(tenants)]
    if at_most * tenants <= 1:
        return [weights[-1]] * tenants
    left = sum(weights)
    for capped, weight in enumerate(weights):
        # The busiest ``capped`` tenants have their share; the others what is left.
        room = 1.0 - capped * at_most
        if weight * room <= at_most * left:
            return [int(at_most * left / room)] * capped + weights[capped:]
        left -= weight
    raise AssertionError("unreachable: the last of all has at least an equal share of the rest")


class Picker:
    """Picks places 0 ... n-1 in proportion to their weights.

    Args:
        weights: Positive whole numbers, at least one; their sum must stay below 2**53 for
            every place to be reachable.
    """

    def __init__(self, weights: Sequence[int]) -> None:
        self._upto = list(accumulate(weights))

    def __call__(self, random: Random) -> int:
        return bisect_right(self._upto, int(random.random() * self._upto[-1]))
