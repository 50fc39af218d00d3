"""A session: what one visitor, or one user of a closed load, is planned to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple


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
        # The first pause is 0.
        return accumulate(self.pauses_us[1:], initial=self.at_us)


class Stay(NamedTuple):
    """A session that has no place in the schedule yet; attributes as those of ``Session``.

    A tuple, because a minute of 12,000 arrivals a second has 720,000 of them.
    """

    at_us: int
    journey: str
    tenant: int
    first_step: int
    pauses_us: tuple[int, ...]
    until_us: int | None = None
