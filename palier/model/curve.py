"""How high the load is at each instant: level, exact area below it, and the way back.

A level is a factor: of the tier's rate, or of a number of users. The area up to an instant is the
integral of the level, so it has the unit of time: where it has grown by one second, as much load
has come as one second at level 1 brings. Arrivals at a steady rate become arrivals of a curve by
``when``, which is exact, whatever the curve (docs/decisions/0060-shapes-of-load.md).

Before its start a curve has the level of its start for ever: what is in progress when the window
opens is then what that level leaves.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Point: TypeAlias = tuple[float, float]
"""An instant in seconds from the start, and the level there."""

_HALVINGS: Final = 100
"""Bounds the search of an instant; Newton's steps need about five."""

_EXACT_S: Final = 1e-9
"""A thousandth of the microsecond in which schedules are written."""


@dataclass(frozen=True, slots=True)
class Polyline:
    """Straight lines between points; after the last one its level holds.

    Two points at one instant are a jump, and the second is the level there.

    Attributes:
        points: In the order of time, the first at 0; levels of 0 or more.
    """

    points: tuple[Point, ...]
    _instants: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _areas: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        areas = [0.0]
        for (from_s, low), (to_s, high) in zip(self.points, self.points[1:], strict=False):
            areas.append(areas[-1] + (to_s - from_s) * (low + high) / 2)
        object.__setattr__(self, "_instants", tuple(at_s for at_s, _ in self.points))
        object.__setattr__(self, "_areas", tuple(areas))

    @property
    def peak(self) -> float:
        """The highest level."""
        return max(level for _, level in self.points)

    @property
    def is_constant(self) -> bool:
        """True when the level never moves."""
        return len({level for _, level in self.points}) == 1

    @property
    def bends(self) -> tuple[float, ...]:
        """Instants where one line ends and the next begins, in order, each once."""
        return tuple(sorted(set(self._instants)))

    def level(self, at_s: float) -> float:
        """The level at an instant."""
        after = bisect_right(self._instants, at_s)
        if after in (0, len(self.points)):
            return self.points[max(after - 1, 0)][1]
        (from_s, low), (to_s, high) = self.points[after - 1 : after + 1]
        return low + (high - low) * (at_s - from_s) / (to_s - from_s)

    def area(self, at_s: float) -> float:
        """Integral of the level from 0 to ``at_s``; negative before 0."""
        before = max(bisect_right(self._instants, at_s) - 1, 0)
        from_s, low = self.points[before]
        return self._areas[before] + (at_s - from_s) * (low + self.level(at_s)) / 2

    def when(self, area_s: float) -> float:
        """The first instant at which the area is reached; infinite when it never is."""
        after = bisect_left(self._areas, area_s)
        if after in (0, len(self.points)):
            at_s, level = self.points[max(after - 1, 0)]
            rest_s = area_s - self._areas[max(after - 1, 0)]
            if rest_s == 0:
                return at_s
            return at_s + rest_s / level if level > 0 else math.inf
        (from_s, low), (to_s, high) = self.points[after - 1 : after + 1]
        rest_s = area_s - self._areas[after - 1]
        # low x + slope x^2 / 2 = rest, in the form that loses no digits where slope is near 0.
        slope = (high - low) / (to_s - from_s)
        root = math.sqrt(max(low * low + 2 * slope * rest_s, 0.0))
        return min(from_s + 2 * rest_s / (low + root), to_s)

    def stretched(self, factor: float) -> Polyline:
        """The same levels over another length of time."""
        return Polyline(tuple((at_s * factor, level) for at_s, level in self.points))


@dataclass(frozen=True, slots=True)
class Wave:
    """A sine between two levels, which begins at their mean and rises.

    Attributes:
        period_s: From crest to crest.
        low: Lowest level, 0 or more.
        high: Highest level, above 0 and not below ``low``.
    """

    period_s: float
    low: float
    high: float

    @property
    def peak(self) -> float:
        """The highest level."""
        return self.high

    @property
    def is_constant(self) -> bool:
        """True when the level never moves."""
        return self.low == self.high

    @property
    def bends(self) -> tuple[float, ...]:
        """Only the start: after it nothing changes its law."""
        return (0.0,)

    @property
    def _mean(self) -> float:
        return (self.low + self.high) / 2

    @property
    def _swing(self) -> float:
        return (self.high - self.low) / 2

    def level(self, at_s: float) -> float:
        """The level at an instant."""
        if at_s <= 0:
            return self._mean
        return self._mean + self._swing * math.sin(2 * math.pi * at_s / self.period_s)

    def area(self, at_s: float) -> float:
        """Integral of the level from 0 to ``at_s``; negative before 0."""
        if at_s <= 0:
            return self._mean * at_s
        turn = 2 * math.pi / self.period_s
        return self._mean * at_s + self._swing * (1 - math.cos(turn * at_s)) / turn

    def when(self, area_s: float) -> float:
        """The instant at which the area is reached, within a nanosecond; near a level of 0, where
        the area hardly grows, within some microseconds."""
        late_s = area_s / self._mean
        if area_s <= 0:
            return late_s
        # The wave is never behind its mean, and at most one hump ahead of it.
        early_s = max(late_s - self._swing * self.period_s / (math.pi * self._mean), 0.0)
        at_s = (early_s + late_s) / 2
        for _ in range(_HALVINGS):
            missing_s = area_s - self.area(at_s)
            if missing_s > 0:
                early_s = at_s
            else:
                late_s = at_s
            level = self.level(at_s)
            newton_s = at_s + missing_s / level if level > 0 else math.inf
            if not early_s < newton_s < late_s:
                newton_s = (early_s + late_s) / 2
            if abs(newton_s - at_s) < _EXACT_S:
                return newton_s
            at_s = newton_s
        return at_s

    def stretched(self, factor: float) -> Wave:
        """The same levels over another length of time."""
        return Wave(self.period_s * factor, self.low, self.high)


Curve: TypeAlias = Polyline | Wave

LEVEL: Final = Polyline(((0.0, 1.0),))
"""Level 1 for ever: a load that does not move."""
