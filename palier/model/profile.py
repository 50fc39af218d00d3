"""A load profile: how the load moves over time, and whether users wait for their answers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from palier.errors import ConfigError
from palier.model.abort import AbortRule
from palier.model.bounds import Count, NotNegative, Positive, Share, WholeNumber, check_bounds
from palier.model.curve import LEVEL, Curve
from palier.model.didyoumean import suggestion
from palier.model.journey import Journey
from palier.model.rate_shape import Ramp, Sine, Spike, Staged, Trace

SHAPES = ("ramp", "staged", "sine", "spike", "trace")
"""Fields of a profile that say how its level moves; at most one is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A closed load: users who walk one journey again and again, each waiting for its answers.

    Attributes:
        users: Users at level 1.
        journey: Id of the journey.
        pause_s: Mean pause between the last step and the next time around, in seconds.
        once: First steps of the journey that are made the first time only, e.g. 1 to sign in once.
        thinks: ``exactly`` pauses for the means, as a script does; ``at_random`` draws pauses as
            an open load does.
        starts: Where users are when the window opens, if there are any at once: ``spread`` over
            the loop, as after a while, or ``together`` at its first step.
    """

    users: Count
    journey: str
    pause_s: NotNegative = 0.0
    once: WholeNumber = 0
    thinks: Literal["exactly", "at_random"] = "exactly"
    starts: Literal["spread", "together"] = "spread"

    def __post_init__(self) -> None:
        check_bounds(self)

    def journey_among(self, journeys: tuple[Journey, ...], *, where: str) -> Journey:
        """Its journey.

        Raises:
            ConfigError: It is not among them.
        """
        for journey in journeys:
            if journey.id == self.journey:
                return journey
        raise ConfigError(
            what=f"no journey {self.journey!r} to loop over",
            where=where,
            fix=suggestion(self.journey, (journey.id for journey in journeys)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named shape of load.

    Attributes:
        id: ``"steady"``.
        title: One line for people.
        arrivals: Process of session arrivals.
        duration_s: Planned window, in seconds, when ``--duration`` gives none.
        concurrency: Share of users active at once that replaces the tier's own; None keeps it.
        rate_factor: Multiplies the derived rate.
        warmup_s: Seconds at the start that are measured, kept and not judged.
        ramp: From one level to another, over the whole profile.
        staged: Ramps one after the other.
        sine: Up and down.
        spike: One peak.
        trace: The instants of an access log.
        loop: A closed load: levels are then factors of its users, and answers set the pace.
        aborts: When a run with this profile is stopped, by id; they replace those of the tier that
            have the same id.
        system: Id of the only system it is meant for; left out, it fits all.
        note: What the source leaves open, and what was chosen.
    """

    id: str
    title: str
    arrivals: Literal["poisson", "constant"] = "poisson"
    duration_s: Positive
    concurrency: Share | None = None
    rate_factor: Positive = 1.0
    warmup_s: NotNegative = 5.0
    ramp: Ramp | None = None
    staged: Staged | None = None
    sine: Sine | None = None
    spike: Spike | None = None
    trace: Trace | None = None
    loop: Loop | None = None
    aborts: tuple[AbortRule, ...] = ()
    system: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        check_bounds(self)

    @property
    def shape(self) -> str | None:
        """Which of ``SHAPES`` it has; None for a level that does not move."""
        given = [one.name for one in fields(self) if one.name in SHAPES]
        return next((name for name in given if getattr(self, name) is not None), None)

    @property
    def trace_name(self) -> str:
        """Path of its trace; empty when it has none."""
        return "" if self.trace is None else self.trace.path

    @property
    def curve(self) -> Curve:
        """Its level over its own duration; that of a trace says nothing and is 1."""
        for shape in (self.ramp, self.staged, self.sine, self.spike):
            if shape is not None:
                return shape.curve(self.duration_s)
        return LEVEL
