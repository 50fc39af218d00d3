"""Shapes of load as a profile writes them: how the level moves over the profile's duration.

Levels are factors of the tier's rate, or of the users of a closed profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from palier.model.bounds import Bounds, NotNegative, Positive, check_bounds
from palier.model.curve import Polyline, Wave


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """A straight line from the start of the profile to its end.

    Attributes:
        start: Level at the start.
        end: Level at the end.
    """

    start: NotNegative
    end: NotNegative

    def __post_init__(self) -> None:
        check_bounds(self)

    def curve(self, duration_s: float) -> Polyline:
        return Polyline(((0.0, self.start), (duration_s, self.end)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A ramp from wherever the level is, as in k6; of 0 s it is a jump.

    Attributes:
        duration_s: How long it takes, in seconds.
        to: Level at its end; that of the stage before holds it.
    """

    duration_s: NotNegative
    to: NotNegative

    def __post_init__(self) -> None:
        check_bounds(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Ramps one after the other; together they last as long as the profile.

    Attributes:
        start: Level at the start.
        stages: At least one.
    """

    start: NotNegative = 0.0
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        check_bounds(self)

    @property
    def duration_s(self) -> float:
        return sum(stage.duration_s for stage in self.stages)

    def curve(self, duration_s: float) -> Polyline:
        at_s = 0.0
        points = [(at_s, self.start)]
        for stage in self.stages:
            at_s += stage.duration_s
            points.append((at_s, stage.to))
        return Polyline(tuple(points)).stretched(duration_s / at_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sine:
    """Up and down; begins half-way between both levels and rises.

    Attributes:
        period_s: From crest to crest, in seconds.
        low: Lowest level.
        high: Highest level.
    """

    period_s: Annotated[float, Bounds(at_least=1)]
    low: NotNegative
    high: Positive

    def __post_init__(self) -> None:
        check_bounds(self)

    def curve(self, duration_s: float) -> Wave:  # noqa: ARG002  all shapes are asked alike
        return Wave(self.period_s, self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """A base level with one peak.

    Attributes:
        base: Level before and after the peak.
        to: Level of the peak.
        at_s: When it begins to rise, in seconds from the start.
        rise_s: How long it rises.
        hold_s: How long it stays at the top.
        fall_s: How long it falls.
    """

    base: NotNegative = 1.0
    to: Positive
    at_s: NotNegative
    rise_s: NotNegative = 0.0
    hold_s: NotNegative
    fall_s: NotNegative = 0.0

    def __post_init__(self) -> None:
        check_bounds(self)

    @property
    def over_s(self) -> float:
        """When the base level is reached again, in seconds from the start."""
        return self.at_s + self.rise_s + self.hold_s + self.fall_s

    def curve(self, duration_s: float) -> Polyline:
        top_s = self.at_s + self.rise_s
        down_s = top_s + self.hold_s
        points = [(0.0, self.base), (self.at_s, self.base), (top_s, self.to), (down_s, self.to)]
        return Polyline(
            (*points, (self.over_s, self.base), (max(duration_s, self.over_s), self.base))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Arrivals at the instants of an access log, in place of any rate.

    Attributes:
        path: The log, relative to the tiers file: lines of the Common or Combined Log Format, or
            one instant a line (ISO 8601, or seconds since 1970).
        speed: Plays the log that many times as fast; 1 is exact.
        spread_s: Moves each arrival on by a random part of this many seconds; 1 for logs of whole
            seconds, whose arrivals would all come as each second begins. 0 is exact.
    """

    path: str
    speed: Positive = 1.0
    spread_s: NotNegative = 0.0

    def __post_init__(self) -> None:
        check_bounds(self)
