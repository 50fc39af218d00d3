"""A session: what one visitor, or one user of a closed load, is planned to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """One visitor's way through a journey, as far as it lies inside the window; of a closed load,
    one user's time, a journey again and again.

    Attributes:
        index: Place in the schedule, from 0; worker ``index % workers`` plays it.
        at_us: When its first planned step is wanted, in microseconds from t0.
        journey: Id of the journey.
        tenant: Whose data it works with, from 0; small numbers are picked more often.
        first_step: Steps of the journey before this one lie before t0; 0 for a session that
            arrives inside the window.
        pauses_us: Pause before each planned step, the first 0; a step is wanted that long after
            the one before it ended.
        until_us: When the user of a closed load leaves: nothing is begun from then on. None for
            visitors, who leave when they are done.
    """

    index: int
    at_us: int
    journey: str
    tenant: int
    first_step: int
    pauses_us: tuple[int, ...]
    until_us: int | None = None

    def nominal_us(self) -> Iterator[int]:
        """When each planned step would be wanted if every request took no time."""
        at_us = self.at_us
        for pause_us in self.pauses_us:
            at_us += pause_us
            yield at_us
